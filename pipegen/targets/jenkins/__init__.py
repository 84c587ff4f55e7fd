"""Jenkins: declarative Jenkinsfiles (`levels`, `chain`), a scripted one (`graph`), and job definitions.

The workflows on push and on pull requests share the multibranch `Jenkinsfile`, in which `when` chooses; every
other workflow has `ci/Jenkinsfile.<workflow>` and a plain job, because a cron in a multibranch file would fire on
every branch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipegen.description.model import Pipeline
from pipegen.errors import PlanError, Problem
from pipegen.plan.layouts import Timing
from pipegen.targets import Generated, Request, Target
from pipegen.targets.jenkins.words import WORDS, Agent, Options, People, Secret, Words

if TYPE_CHECKING:
    from pipegen.plan.deployment import Deployment

LAYOUTS = {"levels": Timing("levels", 1), "chain": Timing("chain", 1), "graph": Timing("needs", 1)}
"""Well under a second passed on a real controller from one stage to the next."""


class Jenkins(Target):
    """Jenkins' pipelines and jobs."""

    name = "jenkins"
    layouts = LAYOUTS
    words = WORDS

    def files(self, request: Request) -> Generated:
        """`Jenkinsfile` for branches and pull requests, `ci/Jenkinsfile.<workflow>` for each other workflow."""
        from pipegen.targets.jenkins.units import jenkinsfiles

        return jenkinsfiles(request, self.read_words(request.pipeline))

    def definitions(self, request: Request) -> Generated:
        """One `config.xml` for each job: `<name>` with the branches, `<name>-<workflow>` for each other one."""
        from pipegen.targets.jenkins.units import job_definitions

        return job_definitions(request, self.read_words(request.pipeline))

    def deployment(self, request: Request) -> Deployment:
        """The jobs, with the plugins, agents and credentials that they need."""
        from pipegen.targets.jenkins.deployment import deployment

        return deployment(request, self.read_words(request.pipeline))

    def check(self, pipeline: Pipeline) -> list[Problem]:
        """Mistakes in Jenkins' words, and secrets that fill another number of variables than `env` names."""
        return super().check(pipeline) or self._secret_problems(pipeline)

    def read_words(self, pipeline: Pipeline) -> Words:
        """This target's words. Raises PlanError with every mistake in them."""
        problems = self.check(pipeline)
        if problems:
            raise PlanError(problems)
        return Words(
            options=self.options(pipeline, "targets", self.name, Options) or Options(),
            agents=self._all(pipeline, "agents", Agent),
            secrets=self._all(pipeline, "secrets", Secret),
            people=self._all(pipeline, "people", People),
        )

    def _all(self, pipeline: Pipeline, section: str, cls: type[Any]) -> dict[str, Any]:
        found = {name: self.options(pipeline, section, name, cls) for name in getattr(pipeline, section)}
        return {name: value for name, value in found.items() if value is not None}

    def _secret_problems(self, pipeline: Pipeline) -> list[Problem]:
        problems = []
        for name, secret in pipeline.secrets.items():
            words = self.options(pipeline, "secrets", name, Secret)
            if words and words.variables != len(secret.env):
                message = (
                    f"credentials of type {words.type} fill {words.variables} of the variables in `env`, "
                    f"which names {len(secret.env)}"
                )
                problems.append(pipeline.source.problem(("secrets", name, "env"), message))
        return problems
