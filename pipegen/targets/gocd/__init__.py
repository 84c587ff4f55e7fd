"""GoCD: `<name>.gocd.yaml` for a config repository, and the same pipelines as JSON for the pipeline API."""

from __future__ import annotations

import json
from dataclasses import replace

from pipegen.description.model import Pipeline
from pipegen.errors import PlanError, Problem
from pipegen.targets import Generated, GeneratedFile, Marker, Request, Target
from pipegen.targets.gocd import limits, words
from pipegen.targets.gocd.pipelines import Drawn, pipelines
from pipegen.targets.gocd.settings import Settings
from pipegen.targets.gocd.words import Options
from pipegen.targets.gocd.yaml import to_yaml


class GoCD(Target):
    """GoCD 23.1 and later."""

    name = "gocd"
    layouts = ("levels", "pipelines")
    words = words.WORDS

    def check(self, pipeline: Pipeline) -> list[Problem]:
        """Mistakes in GoCD's words, each with its place."""
        return [*super().check(pipeline), *words.cross_checks(pipeline, self.name)]

    def files(self, request: Request) -> Generated:
        """One file with a pipeline for each workflow; none where no workflow is for GoCD."""
        settings = self._settings(request.pipeline)
        drawn = self._drawn(request, settings)
        if not drawn:
            return Generated(())
        body = to_yaml(drawn, settings.group, settings.options)
        file = GeneratedFile(f"{request.pipeline.name}.gocd.yaml", Marker.header(body, "# {}"))
        return Generated((file,), tuple(settings.warnings))

    def definitions(self, request: Request) -> Generated:
        """What `POST /go/api/admin/pipelines` takes, one file for each pipeline."""
        settings = self._settings(request.pipeline)
        settings.options = replace(settings.options, material="git")
        files = tuple(
            GeneratedFile(
                f"{d.pipeline['name']}.json",
                json.dumps({"group": settings.group, "pipeline": d.pipeline}, indent=2) + "\n",
            )
            for d in self._drawn(request, settings)
        )
        return Generated(files, tuple(settings.warnings))

    def _settings(self, pipeline: Pipeline) -> Settings:
        problems = self.check(pipeline)
        if problems:
            raise PlanError(problems)
        options = self.options(pipeline, "targets", self.name, Options) or Options()
        return Settings(
            pipeline, options, lambda section, name, cls: self.options(pipeline, section, name, cls)
        )

    def _drawn(self, request: Request, settings: Settings) -> list[Drawn]:
        workflows = request.workflows(self.name)
        if workflows:
            settings.check_place(request.folder)
        plans = {name: request.plan(name) for name in workflows}
        drawn = [d for name, plan in plans.items() for d in pipelines(settings, name, plan)]
        settings.check_deployments(plans)
        for sentence in limits.breaches(d.pipeline for d in drawn):
            settings.refuse((), sentence, "choose another")
        if settings.problems:
            raise PlanError(settings.problems)
        return drawn
