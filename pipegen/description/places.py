"""Where a check that comes after reading points to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipegen.description.dvcfile import META
from pipegen.description.model import Pipeline
from pipegen.description.reading import nearest, shorten
from pipegen.description.stage_words import Ci
from pipegen.description.stages import Out, ResolvedStage, matches
from pipegen.description.words import words
from pipegen.dvc.yaml12 import Path as At
from pipegen.errors import Problem

Stages = Mapping[str, ResolvedStage]


def unknown(pipeline: Pipeline, at: At, what: str, name: str, valid: Iterable[str], section: str) -> Problem:
    """The problem that `name` is nowhere defined: with the nearest word that is, or the section that should
    define it."""
    known = list(valid)
    hint = nearest(name, known) if known else f"`{section}:` defines none"
    return pipeline.source.problem(at, f"{what} {shorten(str(name), 60)!r} is not defined", hint)


def ci_problem(pipeline: Pipeline, stage: ResolvedStage, where: At, message: str, hint: str = "") -> Problem:
    """A problem in what `ci` says of a stage: in the stage's own block, or in the description's `ci:` that
    lies over it."""
    attribute = words(Ci)[str(where[0])].attribute
    said = [
        pattern
        for pattern, ci in sorted(pipeline.ci.items(), key=lambda entry: "*" not in entry[0])
        if matches(stage.address, pattern) and getattr(ci, attribute) not in (None, [], {})
    ]
    if said:
        return pipeline.source.problem(("ci", said[-1], *where), message, hint)
    block: At = ("ci",) if isinstance(pipeline.stages, dict) else ("meta", META)
    return stage.problem((*block, *where), message, hint)


def out_problem(stage: ResolvedStage, out: Out, message: str, hint: str = "") -> Problem:
    """A problem at one output of a stage."""
    kinds = [other for other in stage.outs if other.kind == out.kind]
    return stage.problem((f"{out.kind}s", kinds.index(out)), message, hint)
