"""Which version of a model serves where: read from git tags in GTO's convention (gto 1.10, `constants.py`).

`MODEL@v1.2.0` names a commit's version, `MODEL#ENVIRONMENT#3` assigns the version at its commit to an environment. A
`!` takes either back. A model of a description in a subfolder is `FOLDER=MODEL`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipegen.errors import PipegenError
from pipegen.registry.notes import Notes
from pipegen.registry.versions import VERSION

_TAG = re.compile(
    r"(?:(?P<folder>[A-Za-z0-9\-_./]+)=)?(?P<model>[A-Za-z0-9](?:[A-Za-z0-9\-/_]*[A-Za-z0-9])?)"
    rf"(?:#(?P<environment>[A-Za-z0-9](?:[A-Za-z0-9\-/_]*[A-Za-z0-9])?)|@(?P<version>{VERSION})"
    r"|@(?P<word>deprecated|created))(?P<cancel>!?)(?:#(?P<counter>[0-9]+))?"
)
FORMAT = "%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(creatordate:unix)"
"""What `git for-each-ref --format` is to print of each tag for `serving`."""
_END = "\x1e"
FULL_FORMAT = f"{FORMAT}%00%(taggername)%00%(contents)%1e"
"""The same for `read_tags`."""


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
class ModelTag:
    """A tag that says something of a model."""

    name: str
    model: str
    commit: str
    time: int
    """When it was made, in seconds since the epoch."""
    environment: str = ""
    version: str = ""
    word: str = ""
    """`deprecated` or `created`."""
    cancels: bool = False
    counter: int = 0
    by: str = ""
    """Who made it."""
    notes: Notes = Notes("")


def serving(lines: Iterable[str], model: str, environment: str, place: str = ".") -> Serving | None:
    """The version of a model that serves in an environment now; None where there is none.

    Args:
        lines: of `git for-each-ref` with `FORMAT`.
        model: its name in the description.
        environment: such as `production`.
        place: the description's folder in its repository, `.` for the root.
    """
    read = (_read(line.split("\0"), place) for line in lines)
    tags = [tag for tag in read if tag and tag.model == model]
    tags.sort(key=lambda tag: (tag.time, tag.counter, tag.name))
    versions: dict[str, str] = {}
    serves: dict[str, ModelTag] = {}
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


def read_tags(text: str, place: str = ".") -> list[ModelTag]:
    """All tags about models of one description, in no order.

    Args:
        text: what `git for-each-ref` prints with `FULL_FORMAT`.
        place: the description's folder in its repository, `.` for the root.
    """
    found = (_read(row.lstrip("\n").split("\0"), place) for row in text.split(_END))
    return [tag for tag in found if tag]


def tag_prefix(model: str, place: str) -> str:
    """How the tags of a model begin.

    Raises:
        PipegenError: GTO's convention can't name the folder.
    """
    if place == ".":
        return model
    if not re.fullmatch(r"[A-Za-z0-9\-_./]+", place):
        raise PipegenError(f"the folder {place!r} can't stand in a tag: letters, digits, `-_./` alone can")
    return f"{place}={model}"


def check_environment(environment: str) -> None:
    """Raise PipegenError where GTO's convention can't name an environment."""
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9\-/_]*[A-Za-z0-9])?", environment):
        raise PipegenError(
            f"the environment {environment!r} can't stand in a tag: letters, digits, `-_/` alone can, "
            "with a letter or digit at both ends"
        )


def _read(fields: list[str], place: str) -> ModelTag | None:
    found = _TAG.fullmatch(fields[0]) if len(fields) in (4, 6) else None
    if not found or (found["folder"] or ".") not in (".", place):
        return None
    return ModelTag(
        fields[0],
        found["model"],
        fields[2] or fields[1],
        int(fields[3] or 0),
        found["environment"] or "",
        found["version"] or "",
        found["word"] or "",
        bool(found["cancel"]),
        int(found["counter"] or 0),
        *((fields[4], Notes.read(fields[5])) if len(fields) == 6 else ()),
    )
