"""An agent: one job at a time, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from tests.doubles.gocd import console as tags
from tests.doubles.gocd.artifacts import Publisher
from tests.doubles.gocd.definitions import Fetch, Git, Pipeline
from tests.doubles.gocd.materials import Checkout
from tests.doubles.gocd.refusals import Uncited
from tests.doubles.gocd.runs import BUILDING, CANCELLED, COMPLETING, FAILED, PASSED, PREPARING, JobRun
from tests.doubles.gocd.tasks import Bench, Source, run_all
from tests.doubles.gocd.variables import announce, environment, resolved

HOST = socket.gethostname()


@dataclass(frozen=True)
class Agent:
    """What the server knows of an agent.

    Args:
        name: the folder in which it works.
        resources: what jobs may ask of it; case is ignored.
        environments: the GoCD environments that it belongs to; then it does no other jobs [F 3].
        elastic_profile: an agent of a cluster, which does the jobs of this profile alone [M elastic agents].
        env: variables of the machine, beside PATH and a HOME of its own.
    """

    name: str
    resources: frozenset[str] | set[str] = frozenset()
    environments: frozenset[str] | set[str] = frozenset()
    elastic_profile: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if bool(self.resources) == bool(self.elastic_profile):
            raise Uncited(
                "an agent with neither resources nor a profile, or with both: what its variables then are"
            )

    def takes(self, pipeline: Pipeline, job: JobRun) -> bool:
        """Whether a job may run here: by environment, then profile or resources [F 3, R 298, 374]."""
        at_home = pipeline.environment in self.environments if pipeline.environment else not self.environments
        if not at_home:
            return False
        if job.definition.elastic_profile or self.elastic_profile:
            return job.definition.elastic_profile == self.elastic_profile
        return job.definition.resources <= {resource.lower() for resource in self.resources}


@dataclass(frozen=True)
class Machine:
    """Where an agent really works.

    Args:
        agent: the agent.
        home: its folder; nothing that belongs to another agent lies there.
        place: gives the true place of a repository's URL.
        find: gives the source of a fetch.
        secrets: the server's secret configs.
        minute: how many seconds this double's minute has.
    """

    agent: Agent
    home: Path
    place: Callable[[str], str]
    find: Callable[[JobRun, Fetch], Source]
    secrets: Mapping[str, Mapping[str, str]]
    minute: float

    def work(self, job: JobRun) -> str:
        """Do a job from beginning to end [R 184]; its result."""
        log, pipeline = job.console, job.stage.run.definition
        shown = f"pipelines/{pipeline.name}"
        root = self.home / shown
        where = f"{job.locator} on {HOST} [{self.home}]"
        job.move(PREPARING)
        log.go(tags.INFO, f"Job Started: {datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} UTC")
        log.go(tags.PREPARE, f"Start to prepare {where}")
        self._prepare_folder(root, job)
        log.go(tags.PREPARE, "Start to update materials.")
        log.line(tags.PREPARE)
        if pipeline.git:
            self._check_out(pipeline.git, root, job)
        own = environment(job, frozenset(self.agent.resources), bool(self.agent.elastic_profile))
        variables = [resolved(variable, self.secrets) for variable in own]
        values = announce(variables, job.stage.run.overrides, log)
        job.move(BUILDING)
        log.go(tags.INFO, f"Start to build {where}")
        result = run_all(Bench(job, root, shown, {**self.env, **values}, self.find, self.minute))
        if result != CANCELLED:
            result = self._finish(job, root, shown, where, result)
        log.go(tags.END, f"Job completed {where}")
        self._keep(job)
        return result

    @property
    def env(self) -> dict[str, str]:
        """The machine's variables: a program sees them beside the job's."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", **self.agent.env}

    def _prepare_folder(self, root: Path, job: JobRun) -> None:
        if self.agent.elastic_profile:  # [M elastic agents]: made for the job, so it knows no job before
            shutil.rmtree(self.home / "pipelines", ignore_errors=True)
        if (
            job.stage.definition.clean and root.exists()
        ):  # [R 223]; on a first run there is nothing to say [R 184]
            said = f'Cleaning working directory "{root}" since stage is configured to clean working directory'
            job.console.go(tags.INFO, said)
            shutil.rmtree(root)
        root.mkdir(parents=True, exist_ok=True)

    def _check_out(self, material: Git, root: Path, job: JobRun) -> None:
        folder = root / (material.destination or "")
        revision = job.stage.run.revision
        if revision is None:
            raise Uncited(f"{job.locator}: a git material without a revision")
        if not material.destination and not (root / ".git").exists() and any(root.iterdir()):
            raise Uncited(f"{job.locator}: cloning into {root}, which holds something else")
        Checkout(material, self.place(material.url), self.home, folder, self.env).at(revision, job.console)

    def _finish(self, job: JobRun, root: Path, shown: str, where: str, result: str) -> str:
        """Say the status, then publish, whatever it is [R 260]; a rule without a match fails the job [R 291]."""
        tag = tags.JOB_PASSED if result == PASSED else tags.JOB_FAILED
        job.console.go(tag, f"Current job status: {result.lower()}")
        job.move(COMPLETING)
        job.console.go(tags.UPLOAD, f"Start to upload {where}")
        whole = Publisher(root, job.store, job.console, shown).publish(job.definition.artifacts)
        return result if whole else FAILED

    def _keep(self, job: JobRun) -> None:
        """The log lies among the artifacts [R 189]."""
        log = job.store / "cruise-output" / "console.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(job.console.text, "utf-8")
