"""The lines that a run adds to `.gitignore` files, brought into the order in which `dvc repro` would have added them.

DVC adds a line when a stage's output is saved. Stages that run at once are saved in any order; two runs of one pipeline
must not differ by that.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipegen.errors import os_error


class AddedLines:
    """What was added, by file."""

    def __init__(self) -> None:
        self._added: dict[Path, list[tuple[int, str]]] = {}

    def note(self, ignored: Iterable[str], rank: int) -> None:
        """Paths for which DVC has just added a line each, for the stage of this rank."""
        for file, count in _counted(ignored).items():
            known = self._added.setdefault(file, [])
            known += [(rank, line) for line in _lines(file)[-count:]]

    def put_in_order(self) -> list[str]:
        """Rewrite the files whose new lines stand in another order; the answer names all files with new lines.

        A file that somebody else has changed since is left as it is.
        """
        for file, added in self._added.items():
            lines = _lines(file)
            ordered = [line for _, line in sorted(added, key=lambda item: item[0])]
            here = [line for _, line in added]
            if here != ordered and lines[-len(here) :] == here:
                try:
                    file.write_text("".join(lines[: -len(here)] + ordered), encoding="utf-8")
                except OSError as error:
                    raise os_error(error, "write", file) from None
                self._added[file] = sorted(added, key=lambda item: item[0])
        return [str(file) for file in self._added]


def _counted(ignored: Iterable[str]) -> dict[Path, int]:
    counts: dict[Path, int] = {}
    for path in ignored:
        file = Path(path).parent / ".gitignore"
        counts[file] = counts.get(file, 0) + 1
    return counts


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines(keepends=True)
    except OSError:
        return []
