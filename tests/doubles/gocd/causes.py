"""Why a pipeline runs: new commits, upstream stages that passed, and both together on one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.doubles.gocd.definitions import Dependency, Pipeline
from tests.doubles.gocd.materials import Repository, starts
from tests.doubles.gocd.refusals import Uncited
from tests.doubles.gocd.runs import Cause, PipelineRun, StageRun


def automatic(
    pipeline: Pipeline,
    runs: Mapping[str, Sequence[PipelineRun]],
    repository: Repository | None,
) -> Cause | None:
    """The cause of a run that starts by itself; None if nothing is new."""
    last = runs[pipeline.name][-1] if runs[pipeline.name] else None
    if not pipeline.dependencies:
        return _commits(pipeline, last, repository)
    upstream = _agreed(pipeline, runs, repository)
    if upstream is None:
        return None
    found = _made_of(pipeline, last, repository, _revision(upstream), upstream)
    if not found.changed or (last and repository and _older(repository, found.revision, last.revision)):
        return None
    return found


def latest(pipeline: Pipeline, last: PipelineRun | None, repository: Repository | None) -> Cause:
    """The cause of a run that a person or a timer starts: whatever was seen last [R 223, 301]."""
    if pipeline.dependencies or not repository:
        raise Uncited(f"{pipeline.name}: starting by hand what depends on another pipeline")
    return _made_of(pipeline, last, repository, repository.commits[-1].revision, {})


def _commits(pipeline: Pipeline, last: PipelineRun | None, repository: Repository | None) -> Cause | None:
    if not pipeline.git or not repository:
        raise Uncited(f"{pipeline.name}: no material")
    found = _made_of(pipeline, last, repository, repository.commits[-1].revision, {})
    new = repository.since(last.revision if last else None, repository.commits[-1].revision)
    if not starts(pipeline.git, new):
        if not last:
            raise Uncited(f"{pipeline.name}: a first run whose commit the path filter doesn't let through")
        return None
    return found


def _made_of(
    pipeline: Pipeline,
    last: PipelineRun | None,
    repository: Repository | None,
    revision: str | None,
    upstream: Mapping[str, StageRun],
) -> Cause:
    changed = {name for name, stage in upstream.items() if not last or last.upstream[name] is not stage}
    if not repository or not revision or not pipeline.git:
        return Cause(revision, revision, upstream, frozenset(changed), ())
    new = repository.since(last.revision if last else None, revision)
    if new:
        changed.add("git")
    oldest = new[-1].revision if new else revision
    return Cause(revision, oldest, upstream, frozenset(changed), tuple(commit.revision for commit in new))


def _agreed(
    pipeline: Pipeline, runs: Mapping[str, Sequence[PipelineRun]], repository: Repository | None
) -> dict[str, StageRun] | None:
    """For each dependency the last stage that passed on the newest commit on which all passed [F 6]."""
    passed = {dependency.name: _passed(dependency, runs) for dependency in pipeline.dependencies}
    common = set.intersection(*({s.run.revision for s in stages} for stages in passed.values()))
    if not common:
        return None
    if not repository and len(common) > 1:
        raise Uncited("a pipeline without a repository, with several commits upstream")
    newest = max(common, key=repository.position) if repository else next(iter(common))
    if repository and repository.position(newest) < 0:
        raise Uncited(f"{pipeline.name}: another repository than that of what it depends on")
    found = {
        name: [stage for stage in stages if stage.run.revision == newest][-1]
        for name, stages in passed.items()
    }
    _refuse_disagreement(pipeline, found)
    return found


def _passed(dependency: Dependency, runs: Mapping[str, Sequence[PipelineRun]]) -> list[StageRun]:
    if dependency.pipeline not in runs:
        raise Uncited(f"there is no pipeline {dependency.pipeline!r}")
    stages = (stage for run in runs[dependency.pipeline] for stage in run.counters(dependency.stage))
    return [stage for stage in stages if stage.passed]


def _revision(upstream: Mapping[str, StageRun]) -> str | None:
    return next(iter(upstream.values())).run.revision


def _older(repository: Repository, revision: str | None, than: str | None) -> bool:
    return repository.position(revision) < repository.position(than)


def _refuse_disagreement(pipeline: Pipeline, upstream: Mapping[str, StageRun]) -> None:
    """Two ways up that meet in different runs of one pipeline on one commit: what GoCD then does was not seen."""
    met: dict[tuple[str, str], StageRun] = {}
    todo = list(upstream.values())
    while todo:
        stage = todo.pop()
        if met.setdefault((stage.run.name, stage.name), stage) is not stage:
            raise Uncited(f"{pipeline.name}: a fan-in on two runs of {stage.run.name} of one commit")
        todo += stage.run.upstream.values()
