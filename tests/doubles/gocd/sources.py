"""Which job a fetch means."""

from __future__ import annotations

from tests.doubles.gocd.definitions import Fetch
from tests.doubles.gocd.refusals import Uncited
from tests.doubles.gocd.runs import JobRun, PipelineRun, StageRun
from tests.doubles.gocd.tasks import Source


def source(job: JobRun, task: Fetch) -> Source:
    """The job of this run, or of a run that led to it [F 2, R 255 to 257]; of one that was not run again its files of
    before [R 267]."""
    run = job.stage.run
    if not task.way or task.way == (run.name,):
        stage, counter = run.stage(task.stage), "latest"  # [R 256]
    else:
        stage = _upstream(run, task)
        counter = str(stage.counter)  # [R 255]
    found = stage.job(task.job)
    locator = f"{stage.run.name}/{stage.run.label}/{stage.name}/{counter}/{task.job}"
    return Source(found.store, locator, f"{stage.run.name}_{stage.name}_{task.job}_md5.checksum")


def _upstream(run: PipelineRun, task: Fetch) -> StageRun:
    """Upwards, from the pipeline that stands last in the way [F 2, R 257]."""
    found: list[StageRun] = []
    for name in reversed(task.way):
        found = [stage for stage in run.upstream.values() if stage.run.name == name]
        if len(found) != 1:
            raise Uncited(f"{run.name} doesn't depend once on {name}")
        run = found[0].run
    if found[0].name != task.stage:
        raise Uncited(f"a fetch from {task.stage!r}, where the dependency is on {found[0].name!r}")
    return found[0]
