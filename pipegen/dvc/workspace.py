"""A folder of a DVC repository: its stages, what needs what, and sessions that run stages with DVC's effects."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path

from pipegen.dvc.collect import PIPELINE, Collected, collect, find_root
from pipegen.dvc.needs import dvc_order, needs_of
from pipegen.dvc.session import Session
from pipegen.dvc.stages import Stage
from pipegen.errors import PipegenError


class UnknownStage(PipegenError):
    """A name on the command line that no stage has."""

    exit_code = 2


class Workspace:
    """The DVC repository around `folder`; addresses are spelled as DVC spells them there.

    Raises:
        WorkspaceError: the folder is in no DVC repository.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.root = find_root(self.folder)

    @property
    def stages(self) -> Mapping[str, Stage]:
        """All stages of the repository by address, `.dvc` files among them.

        Raises:
            DescriptionError: a file that DVC would refuse.
        """
        return self._collected.stages

    @cached_property
    def _collected(self) -> Collected:
        return collect(self.root, self.folder)

    @cached_property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """For each address the addresses whose outputs it reads.

        Raises:
            DescriptionError: two stages write the same place.
        """
        return needs_of(self.stages)

    @cached_property
    def order(self) -> list[str]:
        """All addresses in the order in which `dvc repro` runs them, which is that of the lock file."""
        return dvc_order(self.stages, self.needs)

    @property
    def own(self) -> list[str]:
        """The addresses of the pipeline stages in the folder, leaving out `.dvc` files and what lies outside."""
        return [a for a, stage in self.stages.items() if stage.name and not a.startswith("../")]

    def select(self, words: Iterable[str]) -> list[str]:
        """The addresses that words mean: an address, a glob, a `foreach` group, a `dvc.yaml`, a `.dvc` file.

        Raises:
            UnknownStage: a word means none.
        """
        found: dict[str, None] = {}
        for word in words:
            meant = self.matching(word)
            if not meant:
                raise UnknownStage(f"no stage is called {word!r}" + self._nearest(word))
            found.update(dict.fromkeys(meant))
        return list(found)

    def matching(self, word: str) -> list[str]:
        """The addresses that one word means; none where it means nothing."""
        word = word.removeprefix("./")
        if word in self.stages:
            return [word]
        in_file = [
            a
            for a, stage in self.stages.items()
            if stage.name and (a == f"{word}:{stage.name}" or (word, a) == (PIPELINE, stage.name))
        ]
        group = [a for a in self.stages if a.startswith(f"{word}@")]
        return in_file or group or [a for a in self.stages if fnmatch.fnmatchcase(a, word)]

    def _nearest(self, word: str) -> str:
        import difflib

        near = difflib.get_close_matches(
            word, [*self.stages, *{a.partition("@")[0] for a in self.stages}], n=1
        )
        return f"; did you mean {near[0]!r}?" if near else ""

    def session(self, notify: Callable[[str], None], *, remembers: bool = True) -> Session:
        """A context in which stages run.

        Args:
            notify: told what a user should know, such as why it waits.
            remembers: whether what runs goes into the run cache, from which others on this machine restore it.
        """
        return Session(
            self.root,
            self.folder,
            self.stages,
            self.order,
            notify,
            may_be_direct=not self._collected.ignore_rules,
            remembers=remembers,
        )
