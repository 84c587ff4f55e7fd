"""`lock_behavior`: one run of a pipeline at a time."""

from __future__ import annotations

from tests.doubles.gocd import definitions
from tests.doubles.gocd.refusals import Answer
from tests.doubles.gocd.runs import PipelineRun, StageRun


class Locks:
    """Which run holds each pipeline [F 2, R 281 to 287]."""

    def __init__(self) -> None:
        self._held: dict[str, PipelineRun] = {}

    def holder(self, pipeline: str) -> PipelineRun | None:
        """The run that holds the lock."""
        return self._held.get(pipeline)

    def held_by_another(self, run: PipelineRun) -> bool:
        """Whether another run is in the way."""
        return self.holder(run.name) not in (None, run)

    def take(self, run: PipelineRun) -> None:
        """At the start of a run, and of a stage that a person starts [S ScheduleService.lockAndRerunStage]."""
        if run.definition.lock != "none":
            self._held[run.name] = run

    def after(self, stage: StageRun, following: definitions.Stage | None) -> None:
        """When a stage is done [F 2, S ScheduleService.unlockIfNecessary]: freed after the last stage; with
        `unlockWhenFinished` also after one that didn't pass, and in front of a manual one."""
        waits = not stage.passed or bool(following and following.manual)
        if following is None or (stage.run.definition.lock == "unlockWhenFinished" and waits):
            self._held.pop(stage.run.name, None)

    def unlock(self, pipeline: definitions.Pipeline) -> None:
        """By hand [F 2, R 240, 264]."""
        if pipeline.lock == "none":
            raise Answer(409, f"No lock exists within the pipeline configuration for {pipeline.name}")
        if not self._held.pop(pipeline.name, None):
            said = "Lock exists within the pipeline configuration but no pipeline instance is currently in progress"
            raise Answer(409, said)
