"""Which data a stage must have before it can run: who made each path it reads, and its hash."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipegen.dvc.lockfile import Entry
from pipegen.dvc.needs import Outputs
from pipegen.dvc.stages import Out, Stage


@dataclass(frozen=True)
class Wanted:
    """An output of a stage or of a `.dvc` file, or a part of one."""

    producer: str
    """The address of what made it."""
    target: str
    """Absolute: where it belongs."""
    md5: str
    """With `.dir` at the end for a folder; empty where only DVC knows how to bring it."""
    part: str = ""
    """Of a folder only what lies at this relative path."""
    is_executable: bool = False


def wanted(
    stage: Stage, stages: Mapping[str, Stage], outputs: Outputs, entries: Mapping[str, Entry]
) -> Iterator[Wanted]:
    """What `stage` reads of what other stages and `.dvc` files made; what git holds is there already.

    Args:
        stage: the stage that is to run.
        stages: all stages by address.
        outputs: who writes what.
        entries: by address, what is known of the producers' last runs.
    """
    seen: set[Wanted] = set()
    for path in stage.reads:
        for producer in outputs.writers(path):
            for out in producer.outs:
                item = _overlap(path, producer, out, entries.get(producer.address) or {})
                if item and producer.address != stage.address and item not in seen:
                    seen.add(item)
                    yield item


def _overlap(path: str, producer: Stage, out: Out, entry: Entry) -> Wanted | None:
    """The part of one output that is, holds, or lies in `path`."""
    inside = path.startswith(out.target + os.sep)
    if not (inside or path == out.target or out.target.startswith(path + os.sep)):
        return None
    if producer.name and not out.cache:
        return None  # travels in the fragment
    part = os.path.relpath(path, out.target).replace(os.sep, "/") if inside else ""
    return of_out(producer, out, entry, part)


def of_out(producer: Stage, out: Out, entry: Entry, part: str = "") -> Wanted:
    """One output of a producer as data to bring."""
    said = _said_of(out, entry if producer.name else producer.definition)
    md5 = str(said.get("md5") or "")
    is_plain = said.get("hash") == "md5" and "files" not in said and "cloud" not in said
    is_import = not producer.name and any("repo" in dep for dep in producer.definition.get("deps") or ())
    return Wanted(
        producer.address,
        out.target,
        md5 if is_plain and not is_import else "",
        part,
        bool(said.get("isexec")),
    )


def _said_of(out: Out, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((item for item in entry.get("outs") or () if item.get("path") == out.path), {})
