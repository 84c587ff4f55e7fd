"""Which version of a model serves where: read from git tags in GTO's convention (gto 1.10, `constants.py`).

`MODEL@v1.2.0` names a commit's version, `MODEL#ENVIRONMENT#3` assigns the version at its commit to an environment. A
`!` takes either back. A model of a description in a subfolder is `FOLDER=MODEL`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_TAG = re.compile(
    r"(?:(?P<folder>[A-Za-z0-9\-_./]+)=)?(?P<model>[A-Za-z0-9](?:[A-Za-z0-9\-/_]*[A-Za-z0-9])?)"
    r"(?:#(?P<environment>[A-Za-z0-9](?:[A-Za-z0-9\-/_]*[A-Za-z0-9])?)|@(?P<version>v[0-9]+\.[0-9]+\.[0-9]+[^!#]*)"
    r"|@(?P<word>deprecated|created))(?P<cancel>!?)(?:#(?P<counter>[0-9]+))?"
)
FORMAT = "%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(creatordate:unix)"
"""What `git for-each-ref --format` is to print of each tag for `serving`."""


@dataclass(frozen=True)
class Serving:
    """A version of a model in an environment."""

    model: str
    commit: str
    version: str
    """`v1.2.0`; empty where its commit has no version tag."""
    tag: str
    """The one that says so."""

    @property
    def shown(self) -> str:
        """For people: `house-price v1.2.0, 1a2b3c4d5e`."""
        return f"{self.model} {self.version}".rstrip() + f", {self.commit[:10]}"


@dataclass(frozen=True)
class _Tag:
    name: str
    commit: str
    time: int
    environment: str
    version: str
    word: str
    cancels: bool
    counter: int


def serving(lines: Iterable[str], model: str, environment: str, place: str = ".") -> Serving | None:
    """The version of a model that serves in an environment now; None where there is none.

    Args:
        lines: of `git for-each-ref` with `FORMAT`.
        model: its name in the description.
        environment: such as `production`.
        place: the description's folder in its repository, `.` for the root.
    """
    tags = [tag for tag in (_read(line, model, place) for line in lines) if tag]
    tags.sort(key=lambda tag: (tag.time, tag.counter, tag.name))
    versions: dict[str, str] = {}
    serves: dict[str, _Tag] = {}
    for tag in tags:
        if tag.word == "deprecated":
            versions, serves = {}, {}
        elif tag.version and tag.cancels:
            versions.pop(tag.commit, None)
            serves.pop(tag.commit, None)
        elif tag.version:
            versions[tag.commit] = tag.version
        elif tag.environment == environment:
            serves.pop(tag.commit, None)
            if not tag.cancels:
                serves[tag.commit] = tag
    if not serves:
        return None
    last = list(serves.values())[-1]
    return Serving(model, last.commit, versions.get(last.commit, ""), last.name)


def _read(line: str, model: str, place: str) -> _Tag | None:
    fields = line.split("\0")
    found = _TAG.fullmatch(fields[0]) if len(fields) == 4 else None
    if not found or found["model"] != model or (found["folder"] or ".") not in (".", place):
        return None
    return _Tag(
        fields[0],
        fields[2] or fields[1],
        int(fields[3] or 0),
        found["environment"] or "",
        found["version"] or "",
        found["word"] or "",
        bool(found["cancel"]),
        int(found["counter"] or 0),
    )
