"""The files of this target: the same pipelines for a config repository and for the API."""

from __future__ import annotations

import json
from dataclasses import replace

from pipegen.errors import PlanError
from pipegen.targets import Generated, GeneratedFile, Marker, Request
from pipegen.targets.gocd import limits
from pipegen.targets.gocd.pipelines import Drawn, pipelines
from pipegen.targets.gocd.settings import Settings
from pipegen.targets.gocd.yaml import to_yaml

NAME = "gocd"


def config_file(request: Request, settings: Settings) -> Generated:
    """`<name>.gocd.yaml`, or nothing where no workflow is for GoCD."""
    found = drawn(request, settings)
    if not found:
        return Generated(())
    body = to_yaml(found, settings.group, settings.options)
    file = GeneratedFile(f"{request.pipeline.name}.gocd.yaml", Marker.header(body, "# {}"))
    return Generated((file,), tuple(settings.warnings))


def api_files(request: Request, settings: Settings) -> Generated:
    """What `POST /go/api/admin/pipelines` takes, one file for each pipeline."""
    settings.options = replace(settings.options, material="git")
    files = tuple(
        GeneratedFile(f"{d.pipeline['name']}.json", api_text(d, settings)) for d in drawn(request, settings)
    )
    return Generated(files, tuple(settings.warnings))


def api_text(drawn: Drawn, settings: Settings) -> str:
    """One pipeline as the API takes it."""
    return json.dumps({"group": settings.group, "pipeline": drawn.pipeline}, indent=2) + "\n"


def drawn(request: Request, settings: Settings) -> list[Drawn]:
    """The pipelines of all workflows.

    Raises:
        PlanError: what GoCD can't do, all at once.
    """
    workflows = request.workflows(NAME)
    if workflows:
        settings.check_place(request.folder)
    plans = {name: request.plan(name) for name in workflows}
    found = [d for name, plan in plans.items() for d in pipelines(settings, name, plan)]
    settings.check_deployments(plans)
    for sentence in limits.breaches(d.pipeline for d in found):
        settings.refuse((), sentence, "choose another")
    if settings.problems:
        raise PlanError(settings.problems)
    return found
