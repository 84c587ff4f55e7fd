"""Lock fragments: what one stage hands to those that need it, as a small file through the CI server.

A fragment holds the lock entries of its stage and of all that this needed, and those of their outputs that DVC does
not keep (`cache: false`, metrics above all), if they are small. It is stamped with what it was made of and is refused
by a build of anything else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from pipegen.dvc.errors import StageError
from pipegen.dvc.hashing import hash_of
from pipegen.dvc.load import load
from pipegen.dvc.lockfile import Entry, render_entry, write_atomically
from pipegen.dvc.paths import is_within, overlap
from pipegen.dvc.stages import Out, Stage

VERSION = 1
SUFFIX = ".lock.json"
MOST = 1024 * 1024
"""Bytes of an output that travels in a fragment."""

State = Literal["done", "failed", "skipped"]


@dataclass(frozen=True)
class Carried:
    """One file that travels in a fragment."""

    content: bytes
    is_executable: bool = False


@dataclass(frozen=True)
class Fragment:
    """What one stage hands on."""

    stage: str
    stamp: str
    """What it was made of: the git tree, and the values that the run fixed."""
    state: State = "done"
    message: str = ""
    """What went wrong."""
    entries: Mapping[str, Entry] = field(default_factory=dict)
    """By address, of the stage and of all it needed."""
    files: Mapping[str, Mapping[str, Carried]] = field(default_factory=dict)
    """By address, then by path from the description's folder: outputs that DVC does not keep."""

    def write(self, path: Path) -> None:
        """Put it in a file, all of it or nothing.

        Raises:
            FileError: it can't be written.
        """
        data = {
            "fragment": VERSION,
            "stage": self.stage,
            "stamp": self.stamp,
            "state": self.state,
            "message": self.message,
            "entries": {address: render_entry(entry) for address, entry in self.entries.items()},
            "files": {
                address: {path: _packed(file) for path, file in files.items()}
                for address, files in self.files.items()
            },
        }
        write_atomically(str(path), json.dumps(data, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> Fragment:
        """The fragment in a file.

        Raises:
            StageError: it is none, or of another version of pipegen.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["fragment"] != VERSION:
                raise StageError(
                    f"{path} is of another version of pipegen: use one version in all jobs of a build"
                )
            return cls(
                data["stage"],
                data["stamp"],
                data["state"],
                data["message"],
                {address: load(text) for address, text in data["entries"].items()},
                {
                    address: {name: _unpacked(file) for name, file in files.items()}
                    for address, files in data["files"].items()
                },
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
            raise StageError(f"{path} is no lock fragment: {error}") from None


@dataclass
class Merged:
    """What the fragments in a folder say together."""

    entries: dict[str, Entry] = field(default_factory=dict)
    files: dict[str, Mapping[str, Carried]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """By address, of stages whose fragment says that they failed: why."""


def merge(fragments: Iterable[Fragment], wanted: Iterable[str], stamp: str) -> Merged:
    """The entries of the stages `wanted`, from all fragments that have them.

    Raises:
        StageError: a fragment was made of something else, or two disagree about a stage.
    """
    merged, said_by = Merged(), dict[str, str]()
    needed = set(wanted)
    for fragment in fragments:
        if fragment.stage not in needed:
            continue
        if fragment.stamp != stamp:
            raise StageError(
                f"the lock fragment of {fragment.stage} was made from another tree or other values "
                f"({_short(fragment.stamp)}, this build has {_short(stamp)}): run {fragment.stage} in this build"
            )
        if fragment.state != "done":
            merged.failed[fragment.stage] = fragment.message
            continue
        for address, entry in fragment.entries.items():
            if merged.entries.setdefault(address, entry) != entry:
                raise StageError(
                    f"the lock fragments of {said_by[address]} and {fragment.stage} are of different runs "
                    f"of {address}: run {said_by[address]} and {fragment.stage} again in this build"
                )
            said_by.setdefault(address, fragment.stage)
        merged.files |= fragment.files
    return merged


def fragments_in(folder: Path) -> Iterator[Fragment]:
    """All fragments of a folder; other files, such as checksums that a server puts there, are none.

    Raises:
        StageError: one can't be read.
    """
    if folder.is_dir():
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            yield Fragment.read(path)


# ------------------------------------------------------------------------------------------------- carried files


def carried(stage: Stage, folder: Path) -> dict[str, Carried]:
    """The outputs of a stage that DVC does not keep and that are small enough to travel, by path from `folder`.

    Raises:
        StageError: one can't be read.
    """
    found: dict[str, Carried] = {}
    for out in _uncached(stage):
        files = list(_files(out.target))
        if sum(os.path.getsize(path) for path in files) <= MOST:
            found |= {_name(path, folder): _pack(path) for path in files}
    return found


def put_carried(
    stage: Stage, producer: Stage, files: Mapping[str, Carried], entry: Entry, folder: Path
) -> None:
    """Put what `stage` reads of the uncached outputs of `producer` in place.

    Raises:
        StageError: it did not travel, and is not here either.
    """
    reads = list(stage.reads)
    for out in _uncached(producer):
        if not any(overlap(path, out.target) for path in reads):
            continue
        for name, file in files.items():
            path = os.path.normpath(folder / name)
            if is_within(path, out.target):
                _put(file, Path(path))
        if not _is_as_said(out, entry):
            raise StageError(
                f"it reads {_name(out.target, folder)} of {producer.address}, which DVC does not keep "
                f"(`cache: false`) and which is too large to travel between agents (over {MOST >> 20} MiB): "
                "put both into one `group:`, so that they share an agent, or let DVC cache it"
            )


def _uncached(stage: Stage) -> list[Out]:
    return [out for out in stage.outs if not out.cache and out.is_local] if stage.name else []


def _is_as_said(out: Out, entry: Entry) -> bool:
    said: Mapping[str, Any] = next(
        (item for item in entry.get("outs") or () if item.get("path") == out.path), {}
    )
    return os.path.lexists(out.target) and said.get("md5") == hash_of(out.target)


def _files(target: str) -> Iterator[str]:
    if os.path.isdir(target):
        for here, _, names in os.walk(target):
            yield from (os.path.join(here, name) for name in sorted(names))
    elif os.path.exists(target):
        yield target


def _name(path: str, folder: Path) -> str:
    return os.path.relpath(path, folder).replace(os.sep, "/")


def _pack(path: str) -> Carried:
    try:
        return Carried(Path(path).read_bytes(), os.access(path, os.X_OK))
    except OSError as error:
        raise StageError(f"its output {path} can't be read: {error.strerror}") from None


def _put(file: Carried, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_bytes() != file.content:
        path.write_bytes(file.content)
    if file.is_executable:
        path.chmod(path.stat().st_mode | 0o100)


def _packed(file: Carried) -> dict[str, Any]:
    try:
        data: dict[str, Any] = {"text": file.content.decode()}
    except UnicodeDecodeError:
        data = {"base64": base64.b64encode(file.content).decode()}
    return {**data, "executable": True} if file.is_executable else data


def _unpacked(data: Mapping[str, Any]) -> Carried:
    content = (
        str(data["text"]).encode() if "text" in data else base64.b64decode(data["base64"], validate=True)
    )
    return Carried(content, bool(data.get("executable")))


def stamp_of(tree: str, values: bytes) -> str:
    """What a build is made of: its git tree, and the values that it fixed, if it fixed any."""
    return f"{tree}+{hashlib.sha256(values).hexdigest()[:16]}" if values else tree


def _short(stamp: str) -> str:
    tree, plus, values = stamp.partition("+")
    return f"{tree[:10]}{plus}{values[:6]}"
