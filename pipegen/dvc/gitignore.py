"""Keeping cached outputs out of git, as DVC does: a line for each in the `.gitignore` beside it.

DVC adds a line when a stage's output is saved. Stages that run at once are saved in any order; so that two runs of one
pipeline do not differ by that, the lines are brought into the order in which `dvc repro` would have added them.
"""

from __future__ import annotations

import bisect
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipegen.dvc.ways import Unusual
from pipegen.errors import os_error

_SPECIAL = re.compile(r"[\\\[\]!*#?\n]")


class Ignored:
    """What git ignores and tracks, and what a run adds.

    Args:
        root: the DVC repository.
        ranks: for each cached output its place in DVC's order, by absolute path.
        use_git: False where DVC was told that there is no git.
    """

    def __init__(self, root: Path, ranks: Mapping[str, int], *, use_git: bool) -> None:
        self._git = _git_root(root) if use_git else None
        self._ranks = ranks
        self._added: dict[Path, list[tuple[int, str]]] = {}
        self._asked = False
        self._ignored: set[str] = set()
        self._tracked: list[str] = []

    # ------------------------------------------------------------------------------------------ adding lines

    def refuse_unusual(self, path: str) -> None:
        """Raise `Unusual` for an output that git tracks, or whose name DVC would have to escape."""
        if self._git is None:
            return
        self._ask()
        relative = os.path.relpath(path, self._git)
        at = bisect.bisect_left(self._tracked, relative)
        tracked = self._tracked[at] if at < len(self._tracked) else ""
        if tracked == relative or tracked.startswith(relative + "/") or self._tracks_inside(relative):
            raise Unusual(path)
        if path not in self._ignored and _SPECIAL.search(os.path.basename(path)):
            raise Unusual(path)

    def _tracks_inside(self, relative: str) -> bool:
        at = bisect.bisect_left(self._tracked, relative + "/")
        return at < len(self._tracked) and self._tracked[at].startswith(relative + "/")

    def add(self, path: str) -> None:
        """See to it that git ignores an output that was just made.

        Raises:
            FileError: the `.gitignore` can't be written.
        """
        if self._git is None or path in self._ignored:
            return
        if os.path.isdir(path) and self._matching([path]):
            return
        file = Path(path).parent / ".gitignore"
        line = f"/{os.path.basename(path)}\n"
        try:
            text = file.read_text(encoding="utf-8") if file.exists() else ""
            if line not in text.splitlines(keepends=True):
                with file.open("a", encoding="utf-8") as stream:
                    stream.write(line if not text or text.endswith("\n") else "\n" + line)
        except OSError as error:
            raise os_error(error, "write", file) from None
        self._ignored.add(path)
        self._added.setdefault(file, []).append((self._ranks.get(path, 0), line))

    def _ask(self) -> None:
        """One question to git about all outputs."""
        if self._asked or self._git is None:
            return
        self._asked = True
        listed = _run(["git", "ls-files", "-z"], self._git)
        if listed is None:
            raise Unusual("git does not answer")
        self._tracked = sorted(os.fsdecode(path) for path in listed.split(b"\0") if path)
        self._ignored = self._matching(list(self._ranks))

    def _matching(self, paths: list[str]) -> set[str]:
        assert self._git
        given = b"\0".join(os.fsencode(os.path.relpath(path, self._git)) for path in paths)
        found = _run(["git", "check-ignore", "-z", "--stdin", "--no-index"], self._git, given)
        if found is None:
            raise Unusual("git does not answer")
        return {os.path.join(self._git, os.fsdecode(path)) for path in found.split(b"\0") if path}

    # ------------------------------------------------------------------------------------------ their order

    def note(self, ignored: Iterable[str]) -> None:
        """Paths for which DVC's own objects have just added a line each."""
        for path in ignored:
            self._ignored.add(path)
            file = Path(path).parent / ".gitignore"
            wanted = "/" + os.path.basename(path)
            lines = _lines(file)
            line = next(
                (line for line in reversed(lines) if line.rstrip("\n").replace("\\", "") == wanted), None
            )
            if line:
                self._added.setdefault(file, []).append((self._ranks.get(path, 0), line))

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


def _git_root(root: Path) -> str | None:
    return next((str(folder) for folder in (root, *root.parents) if (folder / ".git").exists()), None)


def _run(command: list[str], folder: str, given: bytes = b"") -> bytes | None:
    try:
        done = subprocess.run(command, cwd=folder, input=given, capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout if done.returncode in (0, 1) else None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines(keepends=True)
    except OSError:
        return []
