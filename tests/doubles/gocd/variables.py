"""The environment of a job, in the order of its log [R 184, 255, 376]."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tests.doubles.gocd.console import PREPARE, Console
from tests.doubles.gocd.definitions import Variable
from tests.doubles.gocd.refusals import Uncited
from tests.doubles.gocd.runs import JobRun, PipelineRun

SERVER = "http://127.0.0.1:8153/go"
SECRET = re.compile(r"\{\{SECRET:\[([^\]]*)\]\[([^\]]*)\]\}\}")


def environment(job: JobRun, resources: frozenset[str], elastic: bool) -> Iterator[Variable]:
    """GoCD's own variables, then those of pipeline, stage and job."""
    run, stage = job.stage.run, job.stage
    yield Variable("GO_SERVER_URL", SERVER)
    yield Variable("GO_PIPELINE_GROUP_NAME", run.definition.group)
    if run.definition.environment:
        yield Variable("GO_ENVIRONMENT_NAME", run.definition.environment)
    if not elastic:
        yield Variable("GO_AGENT_RESOURCES", ",".join(sorted(resources)))
    # who started the stage, not the run [R 184, 223, 256, S BuildWork.setupEnvrionmentContext]
    yield Variable("GO_TRIGGER_USER", stage.approved_by)
    yield Variable("GO_PIPELINE_NAME", run.name)
    yield Variable("GO_PIPELINE_COUNTER", str(run.counter))
    yield Variable("GO_PIPELINE_LABEL", run.label)
    yield Variable("GO_STAGE_NAME", stage.name)
    yield Variable("GO_STAGE_COUNTER", str(stage.counter))
    yield Variable("GO_JOB_NAME", job.name)
    yield from _git(run)
    yield from _dependencies(run)
    yield from (*run.definition.variables, *stage.definition.variables, *job.definition.variables)


def _git(run: PipelineRun) -> Iterator[Variable]:
    material = run.definition.git
    if not material:
        return
    if run.revision is None or run.cause.oldest is None:
        raise Uncited(f"{run.name}/{run.counter}: a git material without a revision")
    called = material.name or material.destination
    name = f"_{_upper(called)}" if called else ""
    yield Variable(f"GO_REVISION{name}", run.revision)
    yield Variable(f"GO_TO_REVISION{name}", run.revision)
    yield Variable(
        f"GO_FROM_REVISION{name}", run.cause.oldest
    )  # [M environment variables]: the first of several commits
    yield Variable(f"GO_MATERIAL_URL{name}", material.url)
    yield Variable(f"GO_MATERIAL_BRANCH{name}", material.branch)
    yield Variable(f"GO_MATERIAL{name}_HAS_CHANGED", str("git" in run.cause.changed).lower())


def _dependencies(run: PipelineRun) -> Iterator[Variable]:
    for material in run.definition.dependencies:
        name, stage = _upper(material.name), run.upstream[material.name]
        yield Variable(f"GO_DEPENDENCY_LABEL_{name}", stage.run.label)
        yield Variable(f"GO_DEPENDENCY_LOCATOR_{name}", stage.locator)
        yield Variable(f"GO_MATERIAL_{name}_HAS_CHANGED", str(material.name in run.cause.changed).lower())


def _upper(name: str) -> str:
    """[F 2, R 512]: upper case, all but letters and digits as `_`."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def unknown_config(job: JobRun, secrets: Mapping[str, Mapping[str, str]]) -> str | None:
    """The first secret config that a job asks for and the server doesn't have; None if there is none."""
    run, stage = job.stage.run, job.stage
    for variable in (*run.definition.variables, *stage.definition.variables, *job.definition.variables):
        for config, key in SECRET.findall(variable.value):
            if config not in secrets:
                return str(config)
            if key not in secrets[config]:
                raise Uncited(f"the secret config {config!r} has no key {key!r}")
    return None


def resolved(variable: Variable, secrets: Mapping[str, Mapping[str, str]]) -> Variable:
    """With its secret parameters looked up, which makes it a secure one [F 2, M secrets management]."""
    value = SECRET.sub(lambda match: secrets[match[1]][match[2]], variable.value)
    return Variable(variable.name, value, variable.secure or value != variable.value)


def announce(found: list[Variable], overrides: tuple[Variable, ...], console: Console) -> dict[str, str]:
    """Say all variables in the log, and give them; what a trigger sets wins and comes last [R 223]."""
    console.mask(())
    for variable in found:
        console.go(PREPARE, f"setting environment variable '{variable.name}' to value '{_said(variable)}'")
    for variable in overrides:
        console.go(
            PREPARE, f"overriding environment variable '{variable.name}' with value '{_said(variable)}'"
        )
    console.line(PREPARE)
    secure = {variable.name for variable in (*found, *overrides) if variable.secure}
    values = {variable.name: variable.value for variable in (*found, *overrides)}
    console.mask(v.value for v in (*found, *overrides) if v.name in secure)
    return values


def _said(variable: Variable) -> str:
    return "********" if variable.secure else variable.value
