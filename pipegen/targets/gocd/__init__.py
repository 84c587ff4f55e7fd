"""GoCD: `<name>.gocd.yaml` for a config repository, and the same pipelines as JSON for the pipeline API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipegen.description.model import Pipeline
from pipegen.errors import PlanError, Problem
from pipegen.plan.layouts import Timing
from pipegen.targets import Generated, Request, Target
from pipegen.targets.gocd import words
from pipegen.targets.gocd.words import Options

if TYPE_CHECKING:
    from pipegen.plan.deployment import Deployment
    from pipegen.plan.model import Job
    from pipegen.targets.gocd.settings import Settings


LAYOUTS = {"levels": Timing("levels", 13), "pipelines": Timing("needs", 19)}
"""On a real server 10 to 16 s passed between jobs of one pipeline, 8 to 30 s between pipelines."""


class GoCD(Target):
    """GoCD 23.1 and later."""

    name = "gocd"
    layouts = LAYOUTS
    words = words.WORDS

    def check(self, pipeline: Pipeline) -> list[Problem]:
        """Mistakes in GoCD's words, each with its place."""
        return [*super().check(pipeline), *words.cross_checks(pipeline, self.name)]

    def job_name(self, job: Job) -> str:
        """The name without the signs that GoCD refuses."""
        from pipegen.targets.gocd.places import job_name

        return job_name(job)

    def files(self, request: Request) -> Generated:
        """One file with a pipeline for each workflow; none where no workflow is for GoCD."""
        from pipegen.targets.gocd.made import config_file

        return config_file(request, self._settings(request.pipeline))

    def definitions(self, request: Request) -> Generated:
        """What `POST /go/api/admin/pipelines` takes, one file for each pipeline."""
        from pipegen.targets.gocd.made import api_files

        return api_files(request, self._settings(request.pipeline))

    def deployment(self, request: Request) -> Deployment:
        """The pipelines, with the agents and secrets that they need."""
        from pipegen.targets.gocd.deployment import deployment

        return deployment(request, self._settings(request.pipeline))

    def _settings(self, pipeline: Pipeline) -> Settings:
        from pipegen.targets.gocd.settings import Settings

        problems = self.check(pipeline)
        if problems:
            raise PlanError(problems)
        options = self.options(pipeline, "targets", self.name, Options) or Options()
        return Settings(
            pipeline, options, lambda section, name, cls: self.options(pipeline, section, name, cls)
        )
