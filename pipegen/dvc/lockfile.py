"""`dvc.lock`: read with libyaml, written entry by entry in exactly the bytes that DVC's own writer makes.

DVC parses the whole file and writes it anew after each stage. Here entries that did not change are kept as the text
they are; only new ones are rendered, plain ones directly, all others by the YAML library that DVC uses.
"""

from __future__ import annotations

import io
import math
import os
import re
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from pipegen.dvc.load import load
from pipegen.errors import DescriptionError, Problem, os_error

Entry = Mapping[str, Any]
"""What the lock file says of one stage: `cmd`, `deps`, `params`, `outs`."""

_HEAD = "schema: '2.0'\nstages:\n"
_WIDTH = 80


class LockFile:
    """One `dvc.lock`.

    Raises:
        DescriptionError: the file is not a lock file.
        FileError: it can't be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.text = _read(path)
        content = _parse(self.text, path)
        self.entries: dict[str, Entry] = dict(content.get("stages") or {})
        """By stage name."""

    def updated(self, new: Mapping[str, Entry], behind: Collection[str] = ()) -> str:
        """The text of the file with `new` entries: known ones stay in their place, others follow in the order given.

        Names in `behind` follow too, even if the file knows them: an earlier call had added them.
        """
        if not self.text.strip():
            return _HEAD + "".join(render(name, entry) for name, entry in new.items())
        parts = _split(self.text, list(self.entries))
        if parts is None:
            return _by_library(self.text, new)
        head, blocks, tail = parts
        kept = {name: blocks.pop(name) for name in behind if name in blocks}
        for name, entry in new.items():
            same = self.entries.get(name) == entry
            blocks[name] = (blocks.get(name) or kept[name]) if same else render(name, entry)
        return head + "".join(blocks.values()) + tail

    def write(self, text: str) -> None:
        """Put `text` in the file's place, all of it or nothing."""
        write_atomically(self.path, text)


def write_atomically(path: str, text: str) -> None:
    """Write a new file beside the old one and move it over; its folder is made where there is none.

    Raises:
        FileError: it can't be written; the old file is untouched.
    """
    target = os.path.realpath(path)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        mode = os.stat(target).st_mode & 0o7777 if os.path.exists(target) else 0o666 & ~_umask()
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".dvc.lock.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, mode)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise os_error(error, "write", path) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise DescriptionError([Problem("is not UTF-8 text", path)]) from None
    except OSError as error:
        raise os_error(error, "read", path) from None


def _parse(text: str, path: str) -> Mapping[str, Any]:
    hint = "restore it (git checkout), or remove it: unchanged stages are found in DVC's run cache"
    try:
        content = load(text) or {}
    except (yaml.YAMLError, ValueError) as error:
        raise DescriptionError(
            [Problem(f"is not valid YAML: {str(error).splitlines()[0]}", path, hint=hint)]
        ) from None
    stages = content.get("stages") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(stages or {}, dict):
        raise DescriptionError([Problem("is not a lock file of DVC", path, hint=hint)])
    if content and content.get("schema") != "2.0":
        raise DescriptionError(
            [Problem("is of a version that pipegen does not know (schema 2.0 is)", path, hint=hint)]
        )
    return content


def _split(text: str, names: list[str]) -> tuple[str, dict[str, str], str] | None:
    """The text before the stages, of each, and after them; None where the file is not as DVC writes it."""
    lines = text.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines) if line.rstrip() == "stages:"), None)
    if start is None or not text.endswith("\n"):
        return None
    end = next((i for i in range(start + 1, len(lines)) if lines[i][0] not in " \n"), len(lines))
    starts = [
        i
        for i in range(start + 1, end)
        if lines[i].startswith("  ") and lines[i][2:3] not in (" ", "\n", "#")
    ]
    if len(starts) != len(names) or (starts and starts[0] != start + 1):
        return None
    blocks: dict[str, str] = {}
    for name, begin, stop in zip(names, starts, [*starts[1:], end], strict=True):
        if not lines[begin].startswith(_key_text(name)):
            return None
        blocks[name] = "".join(lines[begin:stop])
    return "".join(lines[: start + 1]), blocks, "".join(lines[end:])


def _key_text(name: str) -> str:
    return f"  {_plain(name)}:" if _plain(name) is not None else render(name, {"cmd": "x"}).split("\n", 1)[0]


# ------------------------------------------------------------------------------------------------- rendering


def render(name: str, entry: Entry) -> str:
    """The lines of one stage in the lock file."""
    lines: list[str] = []
    if _key_is_plain(name) and _render_map({name: entry}, 2, lines):
        return "\n".join(lines) + "\n"
    text = dump({"stages": {name: entry}})
    return text[text.index("\n") + 1 :]


def render_entry(entry: Entry) -> str:
    """The same as a file of its own: how the run cache keeps it."""
    lines: list[str] = []
    return "\n".join(lines) + "\n" if _render_map(entry, 0, lines) else dump(entry)


def dump(value: Any) -> str:
    """YAML as DVC's writer has it."""
    from ruamel.yaml import YAML

    writer = YAML()
    writer.default_flow_style = False
    stream = io.StringIO()
    writer.dump(_as_plain(value), stream)
    return stream.getvalue()


def _as_plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_plain(item) for key, item in value.items()}
    return [_as_plain(item) for item in value] if isinstance(value, list) else value


def _by_library(text: str, new: Mapping[str, Entry]) -> str:
    """The way of DVC, for a file that somebody wrote differently."""
    from ruamel.yaml import YAML

    content = YAML(typ="rt").load(text) or {}
    content["stages"] = content.get("stages") or {}
    content["stages"].update({name: _as_plain(entry) for name, entry in new.items()})
    writer = YAML()
    writer.default_flow_style = False
    stream = io.StringIO()
    writer.dump(content, stream)
    return stream.getvalue()


def _render_map(value: Mapping[Any, Any], indent: int, lines: list[str]) -> bool:
    """Append the lines of a mapping; False where something in it needs the library."""
    if not value:
        return False
    for key, item in value.items():
        if not isinstance(key, str) or not _key_is_plain(key):
            return False
        if not _render_item(f"{' ' * indent}{key}:", item, indent, lines):
            return False
    return True


def _render_item(head: str, item: Any, indent: int, lines: list[str]) -> bool:
    if isinstance(item, Mapping):
        lines.append(head)
        return _render_map(item, indent + 2, lines)
    if isinstance(item, list):
        lines.append(head)
        return bool(item) and all(_render_element(element, indent, lines) for element in item)
    text = _scalar(item)
    if text is None or (" " in text and len(head) + 1 + len(text) > _WIDTH):
        return False
    lines.append(f"{head} {text}")
    return True


def _render_element(element: Any, indent: int, lines: list[str]) -> bool:
    if isinstance(element, Mapping):
        first = len(lines)
        if not _render_map(element, indent + 2, lines):
            return False
        lines[first] = f"{' ' * indent}- {lines[first].lstrip(' ')}"
        return True
    if isinstance(element, list):
        return False
    text = _scalar(element)
    if text is None or (" " in text and indent + 2 + len(text) > _WIDTH):
        return False
    lines.append(f"{' ' * indent}- {text}")
    return True


def _key_is_plain(key: str) -> bool:
    return len(key) < _WIDTH and " " not in key and _plain(key) is not None


def _scalar(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value).lower() if math.isfinite(value) else None
    return _plain(value) if isinstance(value, str) else None


_WORDS = re.compile(
    r"^[A-Za-z_./][\w./+=,@~()\[\]$<>*;&|'\"-]*(?: [\w./+=,@~()\[\]$<>*;|'\"-][\w./+=,@~()\[\]$<>*;&|'\"-]*)*$",
    re.ASCII,
)
_HASH = re.compile(r"^(?=[0-9a-f]*[acdf])[0-9a-f]{32}(?:\.dir)?$")
_RESERVED = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n"])


def _plain(text: str) -> str | None:
    """`text` where every YAML writer leaves it bare, else None."""
    if _HASH.fullmatch(text):
        return text
    if (
        not _WORDS.fullmatch(text)
        or text.lower() in _RESERVED
        or (text[:1] == "." and text[1:2] in "0123456789_inIN.")
    ):
        return None
    return text
