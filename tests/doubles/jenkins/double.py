"""A double of Jenkins that runs a Jenkinsfile itself: real Groovy, real shells, agents that share nothing.

Each behaviour names where it was seen: a recording in ``../shared/contracts/jenkins`` (``quirks/…`` are experiments
there), a line of ``../shared/facts/jenkins.md``, or the plugin's own source or manual. What none shows is refused.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.doubles.jenkins.agents import Agent, Agents
from tests.doubles.jenkins.build import Build, Controller, RunningBuild, Started
from tests.doubles.jenkins.credentials import Bindings, Credential
from tests.doubles.jenkins.gates import Answer, Inputs
from tests.doubles.jenkins.jobs import Job
from tests.doubles.jenkins.jvm import Jvm
from tests.doubles.jenkins.scm import Change, Source, resolve
from tests.doubles.jenkins.scopes import Interruption, Refused
from tests.doubles.jenkins.shell import STOP_SECONDS, Shell

_GIVEN_UP = Interruption("Given up by the test")


class Stuck(AssertionError):
    """A build that would wait for ever; the message says for what."""


@dataclass
class JenkinsDouble:
    """A controller with agents and one job.

    Args:
        jvm: where Groovy runs; may serve several doubles.
        root: an empty folder for agents, archives and stashes.
        agents: the machines.
        repo: the repository of the job; without one the script stands in the job, and `checkout scm` fails as there.
        credentials: the store, by id.
        kept_workspaces: whether an agent's workspaces keep their files, as real ones do; by default each is empty, so
            that nothing is found by luck.
        limit: seconds after which a build that has not ended is Stuck.
        time_scale: what a second of a `timeout` lasts, in seconds.
        stop_seconds: how long a process may take to end once it was told to.
        dispatch: how long an executor takes to come, even if one is free (facts/jenkins.md 5: well under a second).
    """

    jvm: Jvm
    root: Path
    agents: Sequence[Agent]
    repo: Path | None = None
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    job: str = "job"
    kept_workspaces: bool = False
    limit: float = 60.0
    time_scale: float = 1.0
    stop_seconds: float = STOP_SECONDS
    dispatch: Callable[[], float] = lambda: 0.0
    builds: list[Build] = field(default_factory=list)

    def __post_init__(self) -> None:
        agents = Agents(self.root / "agents", list(self.agents), self.kept_workspaces, self.dispatch)
        self.controller = Controller(self.jvm, agents, Shell(self.stop_seconds), time_scale=self.time_scale)
        self._jobs: dict[str, Job] = {}

    def build(self, script: str | Path, **how: object) -> Build:
        """Runs a build to its end; the arguments are those of `start`. Raises Stuck and Refused."""
        return self.start(script, **how).wait()  # type: ignore[arg-type]

    def start(
        self,
        script: str | Path,
        *,
        branch: str | None = "main",
        change: Change | None = None,
        params: Mapping[str, object] | None = None,
        answers: Sequence[Answer] = (),
        on_line: Callable[[str, RunningBuild], None] | None = None,
        restart: tuple[Build, str] | None = None,
    ) -> Running:
        """Starts a build.

        Args:
            script: the text of a Jenkinsfile, or its path.
            branch: the branch of a branch job; None for a plain job, which builds `main` and has no BRANCH_NAME.
            change: the pull request of a branch job.
            params: values of parameters, both in `params` and in the environment.
            answers: what people do at inputs.
            on_line: called with each line of the log; it may abort the build or take an agent away.
            restart: a build and the name of the stage from which it is run again (contracts/jenkins/96e).
        """
        job = self._job(branch, change)
        number = next(job.numbers)
        name = f"{job.name}-{number}-{uuid.uuid4().hex[:8]}"
        folder = self.root / "builds" / job.workspace / str(number)
        source = self._source(branch, change)
        stashes = folder / "stashes"
        if restart:
            source = restart[0].source
            # manual: Running Pipelines, Preserving stashes for use with restarted stages
            if restart[0].preserves_stashes:
                stashes = restart[0].stashes.folder
        started = Started(number, job, "UserIdCause", folder, source, stashes, on_line)
        running = RunningBuild(self.controller, started, Bindings(self.credentials), Inputs(list(answers)))
        running.say("Started by user admin")
        if restart:
            running.say(f"Restarted from build #{restart[0].number}, stage {restart[1]}")
        request = {
            "text": script.read_text() if isinstance(script, Path) else script,
            "params": dict(params or {}),
            "env": self._environment(job, number, branch, change, params or {}),
            "number": number,
            "previous": job.last_result,
            "scm": source is not None,
            "restart": restart[1] if restart else None,
        }

        def go() -> None:
            job.begin(running)
            self.jvm.start(name, request, running.hear)

        threading.Thread(target=go, daemon=True).start()
        return Running(self, running)

    def _job(self, branch: str | None, change: Change | None) -> Job:
        """One for each branch and pull request, below the name of the whole (contracts/jenkins/mb-a7)."""
        part = f"PR-{change.id}" if change else branch
        name = f"{self.job}/{part}" if self.repo and part else self.job
        return self._jobs.setdefault(name, Job(name))

    def idle(self, seconds: float = 5.0) -> bool:
        """Whether, within some time, no executor and no lock is held and no process of any command is left."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not (
                self.controller.agents.busy() or self.controller.locks.held() or self.controller.shell.alive()
            ):
                return True
            time.sleep(0.05)
        return False

    def _source(self, branch: str | None, change: Change | None) -> Source | None:
        if self.repo is None:
            return None
        if branch is None:
            return Source(str(self.repo), "main", None)
        name = f"PR-{change.id}" if change else branch
        return Source(str(self.repo), name, resolve(str(self.repo), branch, change), change)

    def _environment(
        self,
        job: Job,
        number: int,
        branch: str | None,
        change: Change | None,
        params: Mapping[str, object],
    ) -> dict[str, str]:
        """contracts/jenkins/mb-a7-branch-console; CHANGE_*: manual, Branches and Pull Requests."""
        url = "http://jenkins.example.com/"
        where = f"{url}job/{job.name.replace('/', '/job/')}/"
        env = {
            "BUILD_NUMBER": str(number),
            "BUILD_ID": str(number),
            "BUILD_DISPLAY_NAME": f"#{number}",
            "BUILD_TAG": f"jenkins-{job.name.replace('/', '-')}-{number}",
            "BUILD_URL": f"{where}{number}/",
            "JOB_NAME": job.name,
            "JOB_BASE_NAME": job.name.rpartition("/")[2],
            "JOB_URL": where,
            "JENKINS_URL": url,
        }
        if self.repo and change:
            env |= {"BRANCH_NAME": f"PR-{change.id}", "CHANGE_ID": change.id}
            env |= {"CHANGE_BRANCH": change.branch, "CHANGE_TARGET": change.target}
            env |= {"CHANGE_FORK": change.fork} if change.fork else {}
        elif self.repo and branch:
            env |= {"BRANCH_NAME": branch} | ({"BRANCH_IS_PRIMARY": "true"} if branch == "main" else {})
        return env | {key: str(value) for key, value in params.items()}


@dataclass
class Running:
    """A started build."""

    double: JenkinsDouble
    running: RunningBuild

    def wait(self) -> Build:
        """The build at its end. Raises Stuck when it takes too long, Refused when the file asks for the unknown."""
        if not self.running.finished.wait(self.double.limit):
            waiting = self.running.scopes.under_way()
            log = "\n".join(self.running.log[-20:])
            self.running.scopes.cancel("build", _GIVEN_UP)
            self.running.finished.wait(5)
            raise Stuck(f"not ended after {self.double.limit:g} s, waiting in {'; '.join(waiting)}\n{log}")
        last = self.running.last
        if "refused" in last:
            raise Refused(last["refused"])
        self.running.say(f"Finished: {last['result']}")
        started = self.running.started
        build = Build(
            number=started.number,
            result=last["result"],
            log=self.running.log,
            stages=list(self.running.stages.values()),
            calls=self.running.calls,
            tests=self.running.tests.cases,
            artifacts=started.folder / "archive",
            error=last.get("error"),
            inputs=self.running.inputs.asked,
            stashes=self.running.stashes,
            preserves_stashes="preserveStashes" in last["properties"],
            source=started.source,
            most_busy=self.running.most_busy,
        )
        self.double.builds.append(build)
        return build
