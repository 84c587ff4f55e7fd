"""Each place is written by one stage, and lies inside the repository: DVC's rules, said before DVC says
them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

from pipegen.description.model import Pipeline
from pipegen.description.places import Stages, out_problem
from pipegen.description.stages import Out, ResolvedStage
from pipegen.dvc import paths
from pipegen.errors import Problem


def overlap(one: str, other: str) -> bool:
    """Whether two paths are the same, or one lies in the other."""
    return paths.overlap(posixpath.normpath(one), posixpath.normpath(other))


def distinct(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    """No two outputs overlap, of one stage or of two."""
    written: dict[str, tuple[ResolvedStage, Out]] = {}
    folders: dict[str, str] = {}
    """For each folder that holds an output the first such output."""
    for stage in stages.values():
        for out in stage.outs:
            above = [parent for parent in (out.path, *_parents(out.path)) if parent in written]
            taken = above[0] if above else folders.get(out.path)
            if taken is not None:
                yield _clash(stage, out, *written[taken])
                continue
            written[out.path] = (stage, out)
            for parent in _parents(out.path):
                folders.setdefault(parent, out.path)


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0].rstrip("/"):
        yield path


def _clash(stage: ResolvedStage, out: Out, other: ResolvedStage, others: Out) -> Problem:
    also = "the same stage" if other.address == stage.address else repr(other.address)
    if out.path == others.path:
        message = f"{also} writes {out.path!r} too"
    elif out.path.startswith(others.path):
        message = f"{out.path!r} lies in {others.path!r}, which {also} writes"
    else:
        message = f"in {out.path!r} lies {others.path!r}, which {also} writes"
    return out_problem(stage, out, f"{stage.address!r}: {message}", "give each stage outputs of its own")


def inside_repository(stages: Stages, folder: Path | None) -> Iterator[Problem]:
    """No output leaves the repository that `folder` lies in; without one, no output leaves `folder`."""
    for stage in stages.values():
        for out in stage.outs:
            up = out.path.split("/").count("..")
            if posixpath.isabs(out.path) or up > (_depth(folder) if up and folder is not None else 0):
                message = f"{stage.address!r} writes {out.path!r}, outside the repository"
                yield out_problem(stage, out, message, "DVC keeps only what lies inside")


def _depth(folder: Path) -> int:
    """How many folders lie between `folder` and the top of its DVC repository, or its git repository where
    there is none."""
    parents = [folder.resolve(), *folder.resolve().parents]
    for mark in (".dvc", ".git"):
        for depth, parent in enumerate(parents):
            if (parent / mark).exists() and not (mark == ".dvc" and not (parent / mark / "config").exists()):
                return depth
    return 0
