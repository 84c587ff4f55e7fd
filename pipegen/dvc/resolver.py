"""DVC's own resolver of `vars`, params files, `foreach` and `matrix`, for what only it can resolve.

DVC has no public interface for this: `dvc.parsing.DataResolver` is what its command line uses. It needs no
repository, only a
file system and the `[parsing]` section of DVC's configuration.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pipegen.errors import WorkspaceError

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PREAMBLE = re.compile(r"failed to (?:parse|resolve) (?:stage )?'(?P<where>.*?)' in '[^']*':\s*", re.DOTALL)


class Refused(Exception):
    """DVC does not take it: `words` are its reason in one line, `where` the key it names, such as
    `stages.train.cmd`."""

    def __init__(self, words: str, where: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.where = where


class Resolver:
    """The resolver for one `dvc.yaml`; DVC is imported when something is asked of it."""

    def __init__(self, data: Mapping[str, Any], file: Path) -> None:
        self._data = {word: data[word] for word in ("vars", "stages") if data.get(word)}
        self._folder = os.path.dirname(os.path.abspath(file))

    def load_vars(self) -> None:
        """Read the top-level `vars` and the default params file. Raises Refused, WorkspaceError."""
        assert self._resolver

    def names(self, entry: str) -> list[str]:
        """The names of the stages that one entry under `stages` becomes. Raises Refused, WorkspaceError."""
        definition = self._resolver.definitions[entry]
        if not hasattr(definition, "get_generated_names"):
            return [entry]
        return list(_asked(definition.get_generated_names))

    def definition(self, name: str) -> dict[str, Any]:
        """The words of one stage, every `${…}` filled in. Raises Refused, WorkspaceError."""
        resolved: dict[str, Any] = _asked(self._resolver.resolve_one, name)[name]
        return resolved

    @cached_property
    def _resolver(self) -> Any:
        try:
            from dvc.config import Config
            from dvc.fs import LocalFileSystem
            from dvc.parsing import DataResolver
        except ImportError as error:
            raise WorkspaceError(
                f"`vars` and values of params files are DVC's to fill in, and DVC can't be used here ({error}): "
                "install a DVC that pipegen knows, `pip install 'dvc>=3.50,<4'`"
            ) from None
        config = _asked(Config, _dvc_folder(self._folder))
        repo = SimpleNamespace(fs=LocalFileSystem(url=self._folder), config=config)
        return _asked(DataResolver, repo, self._folder, self._data)


def _asked(question: Any, *about: Any) -> Any:
    """DVC's answer. What it fails with on bad input is not only its own kind of error."""
    from dvc.exceptions import DvcException

    try:
        return question(*about)
    except DvcException as error:
        raise _refusal(str(error)) from None
    except (TypeError, ValueError, LookupError, AssertionError, OSError) as error:
        raise _refusal(str(error) or type(error).__name__) from None


def _refusal(message: str) -> Refused:
    found = _PREAMBLE.match(message)
    lines = _COLOUR.sub("", message[found.end() :] if found else message).splitlines()
    words = " ".join(line.strip() for line in lines if line.strip(" ^\t"))
    return Refused(words, found["where"] if found else "")


def _dvc_folder(folder: str) -> str | None:
    """The `.dvc` folder that holds for `folder`; None outside of a DVC repository."""
    for parent in (folder, *map(str, Path(folder).parents)):
        if os.path.isdir(os.path.join(parent, ".dvc")):
            return os.path.join(parent, ".dvc")
    return None


def has_default_options(file: Path) -> bool:
    """Whether no configuration of DVC has a `[parsing]` section, which changes how a mapping becomes options
    of a command."""
    return not any("[parsing]" in text.replace(" ", "").lower() for text in _configurations(file))


def _configurations(file: Path) -> Iterator[str]:
    import platformdirs

    folders = [
        os.environ.get("DVC_SYSTEM_CONFIG_DIR") or platformdirs.site_config_dir("dvc", "iterative"),
        os.environ.get("DVC_GLOBAL_CONFIG_DIR") or platformdirs.user_config_dir("dvc", "iterative"),
        _dvc_folder(os.path.dirname(os.path.abspath(file))),
    ]
    for folder in filter(None, folders):
        for name in ("config", "config.local"):
            try:
                yield Path(folder, name).read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
