"""What a description may well say and rarely means. Each lint is a warning with a switch:
`lint: {no-set-e: false}`."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from pipegen.description.commands import has_unguarded_separator, paths_in
from pipegen.description.installing import unchecked
from pipegen.description.model import LintName, Pipeline, as_list
from pipegen.description.output_checks import overlap
from pipegen.description.places import Stages
from pipegen.description.reading import nearest
from pipegen.description.stages import ResolvedStage, matches
from pipegen.description.text import Metric
from pipegen.dvc.yaml12 import Path as At
from pipegen.errors import Problem

Lint = Callable[[Pipeline, Stages, Path], Iterator[Problem]]


def lint(pipeline: Pipeline, stages: Stages, folder: Path) -> list[Problem]:
    """All warnings that are not switched off, each with its `code`, in the order of `LINTS`.

    Args:
        pipeline: the description.
        stages: its stages, as `resolve` gives them.
        folder: the folder it lies in; files there tell which words of a command are paths.
    """
    found = []
    for code, look in LINTS.items():
        if pipeline.lint.get(code, True):
            switch = f"or `lint: {{{code}: false}}`"
            for warning in look(pipeline, stages, folder):
                hint = f"{warning.hint}, {switch}" if warning.hint else switch
                found.append(replace(warning, code=code, hint=hint))
    return list(dict.fromkeys(found))


def undeclared_input(pipeline: Pipeline, stages: Stages, folder: Path) -> Iterator[Problem]:
    """A command names a file that no `deps` declares: DVC won't run the stage again when that file
    changes."""
    writers = _writers(stages)
    for stage in _running(stages):
        for path in _undeclared(stage):
            if _writer(writers, path) is None and (folder / path).is_file():
                yield stage.problem(
                    ("cmd",),
                    f"{stage.address!r} reads {path!r}, which it does not declare",
                    "add it to `deps`",
                )


def unordered_input(pipeline: Pipeline, stages: Stages, folder: Path) -> Iterator[Problem]:
    """A command names a file that another stage writes, and no `deps` declares it: it may run before that
    file is there."""
    writers = _writers(stages)
    for stage in _running(stages):
        for path in _undeclared(stage):
            writer = _writer(writers, path)
            if writer is not None and writer.address != stage.address:
                message = f"{stage.address!r} does not declare {path!r}, which {writer.address!r} writes"
                yield stage.problem(
                    ("cmd",), message, "add it to `deps`: else nothing says which comes first"
                )


def missing_outs(pipeline: Pipeline, stages: Stages, folder: Path) -> Iterator[Problem]:
    """A stage writes nothing that it declares, though another comes after it: what it made is neither kept
    nor passed on."""
    for stage in _running(stages):
        if stage.outs:
            continue
        later = [
            s.address
            for s in stages.values()
            if any(matches(stage.address, pattern) for pattern in s.ci.after)
        ]
        if later:
            message = f"{stage.address!r} declares no outputs, though {later[0]!r} comes after it"
            yield stage.problem((), message, "declare in `outs` what the later stage relies on", key=True)


def never_cacheable(pipeline: Pipeline, stages: Stages, folder: Path) -> Iterator[Problem]:
    """DVC's run cache can't keep the result of a stage (`always_changed`, nothing read, nothing written,
    `persist`): each agent runs it anew."""
    for stage in _running(stages):
        reason = _why_not_cacheable(stage)
        if reason:
            hint = "give it `deps` or `params` and `outs` if an old result may serve again"
            yield stage.problem(
                (), f"the result of {stage.address!r} is never reused: {reason}", hint, key=True
            )


def no_set_e(pipeline: Pipeline, stages: Stages, folder: Path) -> Iterator[Problem]:
    """A command line has several commands joined by `;`: if one but the last fails, the stage succeeds all
    the same."""
    for stage in _running(stages):
        if any(has_unguarded_separator(line) for line in _lines(stage)):
            message = f"{stage.address!r} goes on when a command before a `;` fails"
            yield stage.problem(
                ("cmd",), message, "join them by `&&`, make them a list, or begin with `set -e;`"
            )


def requirements_not_dep(pipeline: Pipeline, stages: Stages, folder: Path) -> Iterator[Problem]:
    """A requirement file is no stage's dependency: DVC takes old results for good although the libraries
    changed."""
    for index, file in enumerate(pipeline.python.requirements if pipeline.python else ()):
        if stages and not any(overlap(str(file), dep) for stage in stages.values() for dep in stage.deps):
            message = f"{str(file)!r} is no stage's dependency, so new versions of libraries change no result"
            hint = "add it to the `deps` of the stages that use those libraries"
            yield pipeline.source.problem(("python", "requirements", index), message, hint)


def install_left_out(pipeline: Pipeline, stages: Stages, folder: Path) -> Iterator[Problem]:
    """Nothing says how an agent gets pipegen: every job expects to find it there."""
    if pipeline.install is None and pipeline.workflows:
        message = "`install` is left out: agents must have pipegen already"
        yield pipeline.source.problem(
            ("name",), message, "say how they get it, such as `install: pip install WHEEL`", key=True
        )


def install_unchecked(pipeline: Pipeline, stages: Stages, folder: Path) -> Iterator[Problem]:
    """`install` names a wheel or an archive without its hash: whoever can replace that file has every agent."""
    for file, hint in unchecked(pipeline.install or "", folder):
        yield pipeline.source.problem(("install",), f"{file!r} is installed whatever it holds", hint)


def unknown_metric(pipeline: Pipeline, stages: Stages, folder: Path) -> Iterator[Problem]:
    """A gate or a tolerance reads a metrics file that no stage writes and that does not exist."""
    outs = [out.path for stage in stages.values() for out in stage.outs]
    metrics: list[tuple[At, str | None]] = []
    for name, gate in pipeline.gates.items():
        metrics += [(("gates", name, "metric"), gate.metric), (("gates", name, "compare"), gate.compare)]
    metrics += [(("tolerance", metric), metric) for metric in pipeline.tolerance]
    for at, metric in metrics:
        file = Metric(metric).file if metric else None
        if file is None or any(overlap(file, path) for path in outs) or (folder / file).is_file():
            continue
        hint = nearest(file, outs) or "declare it in `metrics` of the stage that writes it"
        yield pipeline.source.problem(at, f"no stage writes {file!r}", hint)


LINTS: dict[LintName, Lint] = {
    "undeclared-input": undeclared_input,
    "unordered-input": unordered_input,
    "missing-outs": missing_outs,
    "never-cacheable": never_cacheable,
    "no-set-e": no_set_e,
    "requirements-not-dep": requirements_not_dep,
    "install-left-out": install_left_out,
    "install-unchecked": install_unchecked,
    "unknown-metric": unknown_metric,
}


def _running(stages: Stages) -> Iterator[ResolvedStage]:
    return (stage for stage in stages.values() if not stage.frozen)


def _lines(stage: ResolvedStage) -> list[str]:
    """The command lines of a stage. DVC runs each in a shell of its own and stops at the first that fails."""
    return [
        line
        for command in as_list(stage.cmd)
        for line in ([command] if isinstance(stage.cmd, list) else command.splitlines())
    ]


def _undeclared(stage: ResolvedStage) -> list[str]:
    """Paths in the command, relative to the description, that are neither read nor written by declaration."""
    declared = [*stage.deps, *stage.params, *(out.path for out in stage.outs)]
    named = (
        posixpath.normpath(posixpath.join(stage.wdir, path))
        for line in _lines(stage)
        for path in paths_in(line)
    )
    inside = (path for path in named if not path.startswith("../") and path not in (".", ".."))
    return [path for path in dict.fromkeys(inside) if not any(overlap(path, known) for known in declared)]


def _writers(stages: Stages) -> dict[str, ResolvedStage]:
    return {out.path: stage for stage in stages.values() for out in stage.outs}


def _writer(writers: dict[str, ResolvedStage], path: str) -> ResolvedStage | None:
    """The stage that writes `path` or the folder it lies in."""
    while path:
        if path in writers:
            return writers[path]
        path = posixpath.dirname(path)
    return None


def _why_not_cacheable(stage: ResolvedStage) -> str:
    """DVC's own conditions (`dvc/stage/cache.py`, `_can_hash`)."""
    if stage.always_changed:
        return "it is `always_changed`"
    if not stage.outs:
        return "it declares no outputs"
    if not stage.deps and not stage.params:
        return "it declares nothing that it reads"
    if any("://" in path for path in (*stage.deps, *(out.path for out in stage.outs))):
        return "it reads or writes a place outside, by URL"
    if any(out.persist for out in stage.outs):
        return "an output is `persist`, so what was there before is part of the result"
    return ""
