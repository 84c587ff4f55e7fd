"""The age of the models in production, and what the cache keeps for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from pipegen.description.model import Pipeline
from pipegen.dvc.collect_garbage import garbage
from pipegen.dvc.settings import Settings
from pipegen.dvc.stores import Folder
from pipegen.errors import WorkspaceError
from pipegen.git import git
from pipegen.registry import tags
from pipegen.runner.doctor.findings import Finding

PRODUCTION = "production"
_MUCH = 2**30
"""Bytes of unused cache that are worth a word."""
_KEEP_RUNS, _KEEP_YOUNG = 90, 3
"""Days for which a run can be restored, and for which everything stays: as `pipegen gc` has them."""


def models(pipeline: Pipeline, folder: Path, place: str, now: datetime, oldest: float) -> Iterator[Finding]:
    """The age of each model's version in production: of the commit that it was made from.

    Args:
        pipeline: the description.
        folder: where it lies, absolute.
        place: the same relative to the repository's root.
        now: the present time, with its zone.
        oldest: days up to which a version is fresh.
    """
    for name in pipeline.models:
        topic = f"model {name}"
        try:
            lines = git(folder, "for-each-ref", f"--format={tags.FORMAT}", "refs/tags").split("\n")
            serving = tags.serving(lines, str(name), PRODUCTION, place)
            if serving is None:
                yield Finding(topic, "unknown", "no version is in production, by the tags that are here")
                continue
            made = datetime.fromtimestamp(
                int(git(folder, "log", "-1", "--format=%ct", serving.commit)), timezone.utc
            )
        except WorkspaceError as error:
            yield Finding(topic, "unknown", error.message)
            continue
        days = (now - made).total_seconds() / 86400
        version = f"{serving.version} ({serving.commit[:10]})".lstrip()
        said = f"{version} in production is {days:.0f} days old"
        if days > oldest:
            yield Finding(topic, "stale", f"{said}; {oldest:g} are allowed", "train and promote a newer one")
        else:
            yield Finding(topic, "fresh", said)


def cache(root: Path, repository: Path, now: datetime) -> Finding:
    """What this machine's cache keeps that no branch, tag, run or file here needs.

    Args:
        root: of the DVC repository.
        repository: the git repository's top folder.
        now: the present time.
    """
    folder = Settings.read(root).cache
    store = Folder(folder, str(folder), lambda _: None)
    found = garbage(store, [repository], now=now.timestamp(), keep_runs=_KEEP_RUNS, keep_young=_KEEP_YOUNG)
    said = f"{len(found.all)} files, {found.bytes / 2**20:,.1f} MiB in {folder} that nothing needs"
    if found.bytes > _MUCH:
        return Finding("cache", "stale", said, "`dvc gc --all-branches --all-tags` removes them")
    return Finding("cache", "fresh", said)
