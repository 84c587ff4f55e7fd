"""Ant's path patterns, as stash, archiveArtifacts and junit read them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

_FILES = (
    *(
        "*~",
        "#*#",
        ".#*",
        "%*%",
        "._*",
        ".cvsignore",
        "vssver.scc",
        ".DS_Store",
        ".gitattributes",
        ".gitignore",
    ),
    *(".gitmodules", ".hgignore", ".hgsub", ".hgsubstate", ".hgtags", ".bzrignore"),
)
_FOLDERS = ("CVS", "SCCS", ".svn", ".git", ".hg", ".bzr")
DEFAULT_EXCLUDES = [
    *(f"**/{name}" for name in [*_FILES, *_FOLDERS]),
    *(f"**/{name}/**" for name in _FOLDERS),
]
"""Ant manual, Directory-based tasks, Default excludes; facts/jenkins.md 2.8 for `stash`."""


def found(folder: Path, includes: str, excludes: str = "", defaults: bool = True) -> list[Path]:
    """The files and links below a folder that patterns with commas between them take, relative and in order."""
    unwanted = [*_patterns(excludes), *(DEFAULT_EXCLUDES if defaults else ())]
    wanted = _patterns(includes) or ["**"]
    return sorted(
        path
        for path in _files(folder)
        if any(matches(one, path.parts) for one in wanted)
        and not any(matches(one, path.parts) for one in unwanted)
    )


def matches(pattern: str, names: Sequence[str]) -> bool:
    """`*` and `?` within one name, `**` for any number of names; a `/` at the end stands for all below."""
    return _match(tuple((pattern + "**" if pattern.endswith("/") else pattern).split("/")), tuple(names))


def _match(pattern: tuple[str, ...], names: tuple[str, ...]) -> bool:
    if not pattern:
        return not names
    if pattern[0] == "**":
        return _match(pattern[1:], names) or (bool(names) and _match(pattern, names[1:]))
    return bool(names) and bool(_name(pattern[0]).fullmatch(names[0])) and _match(pattern[1:], names[1:])


@cache
def _name(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"([*?])", pattern)
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _patterns(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _files(folder: Path) -> Iterator[Path]:
    """Not through links to folders, which count as files."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in [*files, *links]:
            yield Path(place, name).relative_to(folder)
