"""What a description asks of a GoCD server: pipelines, and the agents, profiles and secrets that they need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipegen.plan.deployment import Definition, Deployment, Details, Need
from pipegen.targets import Request
from pipegen.targets.gocd.made import api_text, config_file, drawn
from pipegen.targets.gocd.pipelines import Drawn
from pipegen.targets.gocd.settings import Settings

_SECRET = re.compile(r"\{\{SECRET:\[([^\]]*)\]\[([^\]]*)\]\}\}")


def deployment(request: Request, settings: Settings) -> Deployment:
    """The pipelines of a description, each after those that it depends on, and what they need."""
    found = drawn(request, settings)
    options = settings.options
    return Deployment(
        pipeline=request.pipeline.name,
        origin=f"{request.pipeline.repository or ''}#{request.folder}",
        folder=settings.group,
        definitions=tuple(_definition(each, request, settings) for each in found),
        details=lambda: Details(
            files={file.path: file.text for file in config_file(request, settings).files},
            needs=tuple(_needs(each.pipeline for each in found)),
        ),
        options={
            "material": options.material,
            **({"environment": str(options.environment)} if options.environment else {}),
        },
    )


def _definition(each: Drawn, request: Request, settings: Settings) -> Definition:
    given = request.plan(each.workflow).inputs
    variables = {variable["name"] for variable in each.pipeline["environment_variables"]}
    return Definition(
        name=each.pipeline["name"],
        text=api_text(each, settings),
        workflows=(each.workflow,),
        inputs=tuple(i.name for i in given if i.name in variables),
        parts=each.parts,
    )


def _needs(pipelines: Iterable[Mapping[str, Any]]) -> Iterator[Need]:
    """Each thing once, with the jobs that need it."""
    by: dict[tuple[str, str], dict[str, None]] = {}
    keys: dict[str, dict[str, None]] = {}
    for pipeline in pipelines:
        for stage in pipeline["stages"]:
            for job in stage["jobs"]:
                for kind, name in _asked(job):
                    by.setdefault((kind, name), {})[job["name"]] = None
                for variable in job["environment_variables"]:
                    secret = _SECRET.fullmatch(variable["value"])
                    if secret:
                        keys.setdefault(secret[1], {})[secret[2]] = None
                        by.setdefault(("secret_config", secret[1]), {})[job["name"]] = None
    for (kind, name), jobs in by.items():
        yield Need(kind=kind, name=name, detail=", ".join(keys.get(name, ())), by=tuple(jobs))


def _asked(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for resource in job["resources"]:
        yield ("one_agent" if resource.startswith("mutex-") else "resource"), resource
    if job.get("elastic_profile_id"):
        yield "elastic_profile", job["elastic_profile_id"]
