"""A GoCD server with agents: runs a generated file as the recordings and facts say the real one does.

Citations in the modules of this double: `[R nnn]` is the recording `nnn-*.json` of ../shared/contracts/gocd; `[F n]` is
section n of ../shared/facts/gocd.md; `[M page]` is a page of the manual at docs.gocd.org; `[S Class.method]` is GoCD's
source. What none of them shows is refused by `Uncited`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

from tests.doubles.gocd import definitions
from tests.doubles.gocd.agent import Agent, Machine
from tests.doubles.gocd.definitions import Pipeline, Variable
from tests.doubles.gocd.pool import Pool
from tests.doubles.gocd.refusals import Answer, Uncited
from tests.doubles.gocd.runs import CANCELLED, COMPLETED, FAILED, PASSED, JobRun, PipelineRun, StageRun
from tests.doubles.gocd.scheduler import Scheduler
from tests.doubles.gocd.sources import source
from tests.targets.gocd.clocks import Quartz


class GoCDDouble:
    """A server with its agents. Used as a context; what goes wrong inside is raised by the next call.

    Args:
        folder: where everything lies: agents, artifacts, clones. It must not exist.
        agents: the agents; each works in a thread and a folder of its own.
        repositories: for each URL that a material names the true place of the repository.
        config: URL and branch of the config repository, for materials of the type `configrepo`.
        secrets: the secret configs with their keys and values.
        roles: the roles with their members.
        admins: users who may do everything.
        minute: how many seconds a minute has, for time-outs and for the pauses of a fetch.
        patience: seconds after which waiting for the agents gives up.
        dispatch: seconds from when a job is scheduled until an agent asks for it; on a real server materials and
            agents poll [F 6]. By default none.
    """

    def __init__(
        self,
        folder: Path,
        agents: Sequence[Agent],
        repositories: Mapping[str, Path],
        *,
        config: tuple[str, str] | None = None,
        secrets: Mapping[str, Mapping[str, str]] | None = None,
        roles: Mapping[str, Iterable[str]] | None = None,
        admins: Iterable[str] = ("admin",),
        minute: float = 60.0,
        patience: float = 120.0,
        dispatch: Callable[[JobRun], float] = lambda job: 0.0,
    ) -> None:
        folder.mkdir(parents=True)
        self._places = {url: str(Path(place).resolve()) for url, place in repositories.items()}
        self._config = config
        self._roles = {role: frozenset(users) for role, users in (roles or {}).items()}
        self._admins = frozenset(admins)
        machines = []
        for agent in agents:
            home = folder.resolve() / "agents" / agent.name
            home.mkdir(parents=True)
            machines.append(Machine(agent, home, self._place, source, secrets or {}, minute))
        self._pool = Pool(machines, lambda job: self._scheduler.after(job.stage), patience)
        self._scheduler = Scheduler(
            folder.resolve() / "server",
            self._place,
            secrets or {},
            lambda job: self._pool.add(job, dispatch(job)),
        )
        self._pool.start()

    def __enter__(self) -> GoCDDouble:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if not kind:
            self._pool.check()

    def close(self) -> None:
        """Cancel what runs, and wait for the agents."""
        self._pool.close()

    # Configuration

    def load(self, file: Path) -> list[str]:
        """Take the pipelines of a `*.gocd.yaml` file, as a config repository brings them; their names."""
        return self.define(definitions.of_file(file.read_text("utf-8"), self._config))

    def create(self, body: definitions.JSON) -> list[str]:
        """Take a pipeline in the form of `POST /go/api/admin/pipelines`."""
        return self.define([definitions.of_api(body["group"], body["pipeline"])])

    def define(self, found: Sequence[Pipeline]) -> list[str]:
        """Take pipelines; one that is there already is replaced."""
        for pipeline in found:
            for role in {role for stage in pipeline.stages for role in stage.roles} - self._roles.keys():
                said = f'Role "{role}" who is not authorized to operate pipeline group `{pipeline.group}`'  # [R 130]
                raise Answer(422, f"{said} can not be authorized to approve stage")
        with self._pool.changed:
            for pipeline in found:
                self._scheduler.pipelines[pipeline.name] = pipeline
                self._scheduler.runs.setdefault(pipeline.name, [])
        return [pipeline.name for pipeline in found]

    @property
    def pipelines(self) -> list[str]:
        """The names of all pipelines."""
        return list(self._scheduler.pipelines)

    # What starts runs

    def poll(self, *, settle: bool = True) -> list[PipelineRun]:
        """Look for new commits, start what they start, and wait until nothing happens any more; the new runs."""
        with self._pool.changed:
            self._pool.check()
            before = self._all_runs()
            self._scheduler.poll()
            self._scheduler.start_automatic()
        self._settle(settle)
        return [run for run in self._all_runs() if run not in before]

    def trigger(
        self,
        pipeline: str,
        variables: Mapping[str, str] | None = None,
        *,
        user: str = "admin",
        settle: bool = True,
    ) -> PipelineRun:
        """Start a pipeline by hand, with other values for its variables; Answer where the server refuses."""
        with self._pool.changed:
            self._pool.check()
            definition = self._scheduler.pipelines[pipeline]
            self._may_operate(definition.stages[0], user)
            overrides = _overrides(definition, variables or {})
            hindrance = self._scheduler.hindrance(definition)
            if hindrance:
                raise Answer(409, hindrance)
            self._scheduler.poll()
            run = self._scheduler.start_forced(definition, user, overrides)
        self._settle(settle)
        return run

    def fire_timer(self, pipeline: str, *, settle: bool = True) -> PipelineRun | None:
        """Let a pipeline's timer fire; the run, or None if the server starts none [R 296, 301]."""
        with self._pool.changed:
            self._pool.check()
            definition = self._scheduler.pipelines[pipeline]
            if not definition.timer:
                raise ValueError(f"{pipeline} has no timer")
            self._scheduler.poll()
            if self._scheduler.hindrance(definition) or (
                definition.only_on_changes and self._is_old(definition)
            ):
                return None
            run = self._scheduler.start_forced(definition, "timer", ())
        self._settle(settle)
        return run

    def tick(self, now: datetime) -> list[PipelineRun]:
        """Let all timers fire that do at this second of the server's clock."""
        timers = {name: of.timer for name, of in self._scheduler.pipelines.items() if of.timer}
        due = [name for name, timer in timers.items() if Quartz(timer).fires(now)]
        return [run for run in (self.fire_timer(name) for name in due) if run]

    def _is_old(self, pipeline: Pipeline) -> bool:
        runs, repository = self._scheduler.runs[pipeline.name], self._scheduler.repository(pipeline)
        return bool(runs and repository and runs[-1].revision == repository.commits[-1].revision)

    # What people do with runs

    def approve(
        self, pipeline: str, stage: str, *, user: str, counter: int | None = None, settle: bool = True
    ) -> StageRun:
        """Start a stage by hand: one that waits, or again one that ran [R 209, 211]; Answer where that is refused."""
        with self._pool.changed:
            self._pool.check()
            run = self.run(pipeline, counter)
            definition = run.definition.stages[run.definition.index(stage)]
            self._may_operate(definition, user)
            self._refuse_stage(run, definition)
            started = self._scheduler.start_stage(run, definition, user)
        self._settle(settle)
        return started

    def rerun_jobs(
        self,
        pipeline: str,
        stage: str,
        jobs: Sequence[str] | None = None,
        *,
        user: str = "admin",
        counter: int | None = None,
        settle: bool = True,
    ) -> StageRun:
        """Run some jobs of a stage again, by default those that failed [R 213, 266]."""
        with self._pool.changed:
            self._pool.check()
            run = self.run(pipeline, counter)
            before = run.stage(stage)
            self._may_operate(before.definition, user)
            chosen = _chosen(before, jobs)
            self._refuse_stage(run, before.definition)
            started = self._scheduler.start_stage(run, before.definition, user, before=before, chosen=chosen)
        self._settle(settle)
        return started

    def cancel(self, pipeline: str, stage: str, *, counter: int | None = None, settle: bool = True) -> str:
        """Cancel a stage; the server's words [F 3, R 276, 277]."""
        with self._pool.changed:
            self._pool.check()
            found = self.run(pipeline, counter).stage(stage)
            if found.done:
                return "Stage is not active. Cancellation Ignored."
            for job in [job for job in found.jobs if job.state != COMPLETED]:
                self._pool.cancel(job)
            self._scheduler.after(found)
        self._settle(settle)
        return "Stage cancelled successfully."

    def unlock(self, pipeline: str) -> None:
        """Free a pipeline's lock [R 263]."""
        with self._pool.changed:
            self._scheduler.locks.unlock(self._scheduler.pipelines[pipeline])
            self._scheduler.start_automatic()

    # Looking

    def runs(self, pipeline: str) -> list[PipelineRun]:
        """All runs of a pipeline, oldest first."""
        with self._pool.changed:
            return list(self._scheduler.runs[pipeline])

    def run(self, pipeline: str, counter: int | None = None) -> PipelineRun:
        """One run, by default the last; KeyError if there is none."""
        found = self.runs(pipeline)
        if not found or (counter and not 1 <= counter <= len(found)):
            raise KeyError(f"{pipeline}/{counter or 'Latest'}")
        return found[(counter or len(found)) - 1]

    def locked(self, pipeline: str) -> bool:
        """Whether a run holds the pipeline's lock [R 281, 284]."""
        return self._scheduler.locks.holder(pipeline) is not None

    def settle(self) -> None:
        """Wait until no job runs and none could start; TimeoutError, with the jobs' logs, if that takes too long."""
        self._settle(True)

    def wait_for(self, met: Callable[[], bool]) -> None:
        """Wait until something is so, while jobs go on."""
        self._pool.wait_for(met)

    # Inside

    def _settle(self, wanted: bool) -> None:
        if wanted:
            self._pool.settle(
                lambda: "\n".join(job.console.text for run in self._all_runs() for job in run.jobs)
            )

    def _all_runs(self) -> list[PipelineRun]:
        with self._pool.changed:
            return [run for runs in self._scheduler.runs.values() for run in runs]

    def _place(self, url: str) -> str:
        if url not in self._places:
            raise Uncited(f"no repository stands for {url!r} here")
        return self._places[url]

    def _may_operate(self, stage: definitions.Stage, user: str) -> None:
        """Roles and users of a stage, and administrators; all where none is named [R 206, 209]."""
        members = {user for role in stage.roles for user in self._roles[role]}
        if (stage.roles or stage.users) and user not in self._admins | stage.users | members:
            raise Answer(403, "You are not authorized to perform this action.")

    def _refuse_stage(self, run: PipelineRun, definition: definitions.Stage) -> None:
        """Whether a stage can't be started by hand [R 265, S ScheduleService.lockAndRerunStage]; the texts but one are
        this double's own."""
        if self._scheduler.active(run.name, definition.name):
            raise Uncited(f"starting the stage {definition.name!r} while it is active")
        if self._scheduler.locks.held_by_another(run):
            raise Answer(
                409, f"Pipeline {run.name} is locked as another instance of this pipeline is running."
            )
        index = run.definition.index(definition.name)
        if not index:
            return
        above = run.definition.stages[index - 1].name
        if not run.counters(above):
            raise Answer(409, f"Cannot schedule {definition.name}: {above} has not run")
        before = run.stage(above)
        if not before.done:
            raise Uncited(f"starting {definition.name!r} while {above!r} is active")
        if definition.only_on_success and before.result != PASSED:
            said = f"Cannot schedule {definition.name} as the previous stage {above} has {before.result}!"
            raise Answer(409, said)


def _overrides(pipeline: Pipeline, variables: Mapping[str, str]) -> tuple[Variable, ...]:
    """What a trigger sets; only variables that the pipeline has [R 224]."""
    known = {variable.name: variable for variable in pipeline.variables}
    for name in variables.keys() - known.keys():
        said = f"Variable '{name}' has not been configured for pipeline '{pipeline.name}'"
        raise Answer(422, f"Request to schedule pipeline rejected {{ {said} }}")
    return tuple(Variable(name, value, known[name].secure) for name, value in variables.items())


def _chosen(stage: StageRun, jobs: Sequence[str] | None) -> list[str]:
    """The jobs to run again [R 214, 215]."""
    if jobs is None:
        failed = [job.name for job in stage.jobs if job.result in (FAILED, CANCELLED)]
        if not failed:
            raise Answer(400, "There are no failed jobs in the stage that could be re-run")
        return failed
    unknown = [name for name in jobs if name not in {job.name for job in stage.jobs}]
    if unknown:
        raise Answer(404, f"Job(s) [{', '.join(unknown)}] does not exist in stage '{stage.locator}'.")
    return list(jobs)
