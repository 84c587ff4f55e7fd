"""The server's decisions: what starts, what follows, what must wait. Called under the server's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.doubles.gocd import causes, definitions
from tests.doubles.gocd.definitions import Pipeline, Variable
from tests.doubles.gocd.locks import Locks
from tests.doubles.gocd.materials import Repository
from tests.doubles.gocd.refusals import Uncited
from tests.doubles.gocd.runs import COMPLETING, FAILED, SCHEDULED, Cause, JobRun, PipelineRun, StageRun
from tests.doubles.gocd.variables import unknown_config


class Scheduler:
    """Pipelines, their runs, and the repositories.

    Args:
        folder: where artifacts and clones lie.
        place: gives the true place of a repository's URL.
        secrets: the secret configs.
        queue: takes a job that is ready for an agent.
    """

    def __init__(
        self,
        folder: Path,
        place: Callable[[str], str],
        secrets: Mapping[str, Mapping[str, str]],
        queue: Callable[[JobRun], None],
    ) -> None:
        self._folder, self._place, self._secrets, self._queue = folder, place, secrets, queue
        self._repositories: dict[tuple[str, str], Repository] = {}
        self.pipelines: dict[str, Pipeline] = {}
        self.runs: dict[str, list[PipelineRun]] = {}
        self.locks = Locks()

    # Materials

    def poll(self) -> None:
        """Look for new commits in all repositories."""
        for pipeline in self.pipelines.values():
            material = pipeline.git
            if material and (material.url, material.branch) not in self._repositories:
                folder = self._folder / "repositories" / str(len(self._repositories))
                found = Repository(
                    material.url, self._place(material.url), material.branch, folder, os.environ
                )
                self._repositories[(material.url, material.branch)] = found
        for repository in self._repositories.values():
            repository.poll()

    def repository(self, pipeline: Pipeline) -> Repository | None:
        """The repository of a pipeline, if it has one."""
        return self._repositories[(pipeline.git.url, pipeline.git.branch)] if pipeline.git else None

    # Runs

    def start_automatic(self) -> None:
        """Start all that has a cause. A manual first stage waits for a timer or a person [F 5]."""
        for pipeline in self.pipelines.values():
            known = not pipeline.git or (pipeline.git.url, pipeline.git.branch) in self._repositories
            if not known or pipeline.stages[0].manual or self.hindrance(pipeline):
                continue
            cause = causes.automatic(pipeline, self.runs, self.repository(pipeline))
            if cause:
                self._start(pipeline, cause, "changes", forced=False)

    def start_forced(self, pipeline: Pipeline, approver: str, overrides: tuple[Variable, ...]) -> PipelineRun:
        """Start a run for a person or a timer."""
        last = self.runs[pipeline.name][-1] if self.runs[pipeline.name] else None
        cause = causes.latest(pipeline, last, self.repository(pipeline))
        return self._start(pipeline, cause, approver, forced=True, overrides=overrides)

    def hindrance(self, pipeline: Pipeline) -> str | None:
        """Why a pipeline can't start now, in the server's words."""
        name, first = pipeline.name, pipeline.stages[0].name
        if self.active(name, first):  # [R 272]
            said = f"Stage [{first}] in pipeline [{name}] is still in progress"
            return f"Failed to trigger pipeline [{name}] {{ {said} }}"
        if self.locks.holder(name):  # [R 262]
            said = f"Pipeline {name} is locked as another instance of this pipeline is running."
            return f"Pipeline {name} cannot be scheduled {{ {said} }}"
        return None

    def _start(
        self,
        pipeline: Pipeline,
        cause: Cause,
        approver: str,
        *,
        forced: bool,
        overrides: tuple[Variable, ...] = (),
    ) -> PipelineRun:
        counter = len(self.runs[pipeline.name]) + 1
        label = pipeline.label.replace("${COUNT}", str(counter))
        if "${" in label:
            raise Uncited(f"the label {pipeline.label!r}")
        run = PipelineRun(pipeline, counter, label, approver, forced, cause, overrides)
        self.runs[pipeline.name].append(run)
        self.start_stage(run, pipeline.stages[0], approver)
        return run

    # Stages

    def active(self, pipeline: str, stage: str) -> bool:
        """Whether any run is in a stage."""
        return any(not found.done for run in self.runs[pipeline] for found in run.counters(stage))

    def start_stage(
        self,
        run: PipelineRun,
        definition: definitions.Stage,
        user: str,
        *,
        before: StageRun | None = None,
        chosen: Sequence[str] = (),
    ) -> StageRun:
        """Schedule a stage's jobs: all, or those chosen from a stage that ran before [R 213, 267]."""
        self.locks.take(run)
        counter = len(run.counters(definition.name)) + 1
        stage = StageRun(definition, run, counter, user, before.counter if before else None)
        shelf = self._folder / "artifacts" / run.name / str(run.counter) / definition.name / str(counter)
        for job in definition.jobs:
            made = JobRun(job, stage, shelf / job.name)
            if before and job.name not in chosen:
                made.stand_for(before.job(job.name))
            stage.jobs.append(made)
        run.stages.append(stage)
        for made in [job for job in stage.jobs if job.state == SCHEDULED]:
            self._schedule(made)
        self.after(stage)
        return stage

    def _schedule(self, job: JobRun) -> None:
        """Into the queue; a job that asks for an unknown secret config ends before it reaches an agent [R 293, 294]."""
        config = unknown_config(job, self._secrets)
        if config is None:
            self._queue(job)
            return
        run, stage = job.stage.run, job.stage
        where = f"Job: '{job.name}' in Pipeline: '{run.name}' and Pipeline Group: '{run.definition.group}'"
        job.console.raw(
            f"\nJob for pipeline '{run.name}/{run.counter}/{stage.name}/{stage.counter}/{job.name}' failed due to "
            f"errors: {where} is referring to non-existent secret config '{config}'."
        )
        job.move(COMPLETING)
        job.end(FAILED)

    def after(self, stage: StageRun) -> None:
        """What follows when a stage is done.

        [S ScheduleService.automaticallyTriggerRelevantStagesFollowingCompletionOf]; the automatic next stage is
        approved by `changes` [R 254].
        """
        if not stage.done:
            return
        run = stage.run
        index = run.definition.index(stage.name)
        following = run.definition.stages[index + 1] if index + 1 < len(run.definition.stages) else None
        self.locks.after(stage, following)
        if index and not stage.definition.manual:
            self._start_in_newer(run.name, index)
        if stage.passed and following:
            self._start_following(run, following)
        self.start_automatic()

    def _start_following(self, run: PipelineRun, definition: definitions.Stage) -> None:
        """The next stage, unless a person must start it or another run is in it [S …triggerNextStageInPipeline]."""
        if not definition.manual and not self.active(run.name, definition.name):
            self.start_stage(run, definition, "changes")

    def _start_in_newer(self, name: str, index: int) -> None:
        """A newer run may have waited for this stage to be free [S …triggerCurrentStageInNewerPipeline]."""
        stages = self.pipelines[name].stages
        above = stages[index - 1].name
        waiting = [run for run in self.runs[name] if run.counters(above) and run.stage(above).passed]
        if waiting and not waiting[-1].counters(stages[index].name):
            self._start_following(waiting[-1], stages[index])
