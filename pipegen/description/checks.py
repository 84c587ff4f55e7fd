"""What the grammar can't say: every name that is used is defined, and the parts of a description fit
together.

Each rule is a function that yields its problems; `RULES` is all of them. Cycles are found where the graph
is, in the plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pipegen.description import declared_checks, gate_checks, output_checks, secret_values, workflow_checks
from pipegen.description.model import Pipeline
from pipegen.description.places import Stages, ci_problem, unknown
from pipegen.description.reading import nearest
from pipegen.description.stage_words import StagesFrom
from pipegen.description.stages import ResolvedStage, matches
from pipegen.description.writing import to_data
from pipegen.dvc.yaml12 import Path as At
from pipegen.errors import Problem
from pipegen.installed import entry_points

FIRST_SERVERS = ("jenkins", "gocd")
"""Servers that a description may speak of although it generates nothing for them."""
FORGES = ("github", "gitlab")
"""Forges that are always there."""
FORGE_ENTRY_POINTS = "pipegen.forges"
"""Where distributions name further ones."""


def check(pipeline: Pipeline, stages: Stages, folder: Path | None = None) -> list[Problem]:
    """Every mistake of a description that could be read.

    Args:
        pipeline: the description.
        stages: its stages, as `resolve` gives them.
        folder: the folder it lies in, if it lies in one: then outputs may leave it as far as its repository
        reaches.
    """
    problems = [problem for rule in RULES for problem in rule(pipeline, stages)]
    problems += output_checks.inside_repository(stages, folder)
    return list(dict.fromkeys(problems))


def _some_stage(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    if not stages:
        hint = "the files named under `from:` have none" if isinstance(pipeline.stages, StagesFrom) else ""
        yield pipeline.source.problem(("stages",), "there is no stage", hint)


def _agents(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    named: list[tuple[At, str | None]] = [(("defaults", "agent"), pipeline.defaults.agent)]
    named += [(("environments", name, "agent"), place.agent) for name, place in pipeline.environments.items()]
    for at, agent in named:
        if agent is not None and agent not in pipeline.agents:
            yield unknown(pipeline, at, "the agent", agent, pipeline.agents, "agents")
    for stage in stages.values():
        if stage.ci.agent is not None and stage.ci.agent not in pipeline.agents:
            hint = nearest(stage.ci.agent, pipeline.agents) if pipeline.agents else "`agents:` defines none"
            yield ci_problem(
                pipeline, stage, ("agent",), f"the agent {str(stage.ci.agent)!r} is not defined", hint
            )


def _server_words(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    servers = [*pipeline.targets, *(name for name in FIRST_SERVERS if name not in pipeline.targets)]
    for section in ("agents", "secrets", "people"):
        for name, item in getattr(pipeline, section).items():
            for server in item.servers:
                if server not in servers:
                    at = (section, name, server)
                    message = f"{str(server)!r} is neither a key here nor one of `targets`"
                    yield pipeline.source.problem(at, message, nearest(server, servers), key=True)


def _forge(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    if pipeline.forge is None or pipeline.forge.type in FORGES:
        return
    known = dict.fromkeys((*FORGES, *sorted(entry_points(FORGE_ENTRY_POINTS))))
    if pipeline.forge.type not in known:
        message = f"no forge {str(pipeline.forge.type)!r} is installed"
        yield pipeline.source.problem(("forge", "type"), message, nearest(pipeline.forge.type, known))


def _secrets(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    remote = pipeline.data.remote.secrets if pipeline.data.remote else []
    jobs: list[tuple[At, list[str]]] = [(("data", "remote", "secrets"), [*remote])]
    jobs += [
        (("environments", name, "secrets"), [*place.secrets]) for name, place in pipeline.environments.items()
    ]
    for word in ("mail", "forge", "tracking"):
        if getattr(pipeline, word):
            jobs.append(((word, "secrets"), [*getattr(pipeline, word).secrets]))
    for at, names in jobs:
        for index, name in enumerate(names):
            if name not in pipeline.secrets:
                yield unknown(pipeline, (*at, index), "the secret", name, pipeline.secrets, "secrets")
        for message in _clashes(pipeline, dict.fromkeys([*remote, *names]), pipeline.env):
            yield pipeline.source.problem(at, message, "one job can't have both")
    for stage in stages.values():
        yield from _secrets_of_stage(pipeline, stage, remote)


def _secrets_of_stage(pipeline: Pipeline, stage: ResolvedStage, remote: Iterable[str]) -> Iterator[Problem]:
    for index, name in enumerate(stage.ci.secrets):
        if name not in pipeline.secrets:
            hint = nearest(name, pipeline.secrets) if pipeline.secrets else "`secrets:` defines none"
            yield ci_problem(
                pipeline, stage, ("secrets", index), f"the secret {str(name)!r} is not defined", hint
            )
    for message in _clashes(
        pipeline, dict.fromkeys([*remote, *stage.ci.secrets]), [*pipeline.env, *stage.ci.env]
    ):
        if stage.ci.secrets or stage.ci.env:
            where = "secrets" if stage.ci.secrets else "env"
            yield ci_problem(pipeline, stage, (where,), message, "one job can't have both")


def _clashes(pipeline: Pipeline, names: Iterable[str], env: Iterable[str]) -> Iterator[str]:
    secrets = {str(name): secret for name, secret in pipeline.secrets.items()}
    holders: dict[str, list[str]] = {}
    for name in names:
        for variable in dict.fromkeys(secrets[name].env if name in secrets else ()):
            holders.setdefault(str(variable), []).append(f"the secret {str(name)!r}")
    for shared in dict.fromkeys(env):
        if shared in holders:
            holders[shared].append("`env`")
    for variable_name, found in holders.items():
        if len(found) > 1:
            yield f"the variable {variable_name!r} comes from {' and from '.join(found)}"


def _secret_variables(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    for name, secret in pipeline.secrets.items():
        for index, variable in enumerate(secret.env):
            if variable in secret.env[:index]:
                yield pipeline.source.problem(
                    ("secrets", name, "env", index), f"the variable {str(variable)!r} stands here twice"
                )


def _after(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    for stage in stages.values():
        for index, pattern in enumerate(stage.ci.after):
            if not any(matches(address, pattern) for address in stages):
                groups = dict.fromkeys([*stages, *(other.group for other in stages.values())])
                message = f"no stage has the address {pattern!r}"
                yield ci_problem(pipeline, stage, ("after", index), message, nearest(pattern, groups))


def _groups(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    """Stages of one group share a job, and a job has one agent."""
    first: dict[str, ResolvedStage] = {}
    for stage in stages.values():
        if stage.ci.group is None:
            continue
        other = first.setdefault(stage.ci.group, stage)
        one, two = (s.ci.agent or pipeline.defaults.agent for s in (other, stage))
        if one != two:
            group = str(stage.ci.group)
            message = f"{stage.address!r} and {other.address!r} share the group {group!r} but not their agent"
            agents = [str(agent or "any agent") for agent in (one, two)]
            hint = f"{other.address!r} runs on {agents[0]!r}, {stage.address!r} on {agents[1]!r}"
            yield ci_problem(pipeline, stage, ("group",), message, hint)


def _models(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    paths = [out.path for stage in stages.values() for out in stage.outs]
    for name, model in pipeline.models.items():
        if not any(output_checks.overlap(str(model.path), path) for path in paths):
            message = f"no stage writes {str(model.path)!r}"
            yield pipeline.source.problem(("models", name, "path"), message, nearest(model.path, paths))
        if name in pipeline.artifacts:
            yield pipeline.source.problem(
                ("models", name), f"{str(name)!r} stands under `artifacts:` too", key=True
            )


def _looks_like_secrets(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    """What the description's own text holds is refused as it is read; here follow the other files, and what
    was built in Python."""
    if pipeline.source.document is None:
        yield from secret_values.refuse(
            secret_values.find(to_data(pipeline)), pipeline.source, pipeline.plain
        )
    others = {
        id(stage.source): stage.source for stage in stages.values() if stage.source is not pipeline.source
    }
    within = [(source, source.document) for source in others.values()]
    for source, document in within:
        if document is not None:
            yield from secret_values.refuse(
                secret_values.find(document.value), source, pipeline.plain, within=document.file
            )


def _plain(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    if not pipeline.plain:
        return
    known = secret_values.all_paths(to_data(pipeline))
    for source in {id(stage.source): stage.source for stage in stages.values()}.values():
        if source.document is not None:
            known |= secret_values.all_paths(source.document.value)
            known |= secret_values.all_paths(source.document.value, source.document.file)
    for index, path in enumerate(pipeline.plain):
        if path not in known:
            message = f"{path!r} leads to no text in the description"
            yield pipeline.source.problem(("plain", index), message, nearest(path, sorted(known)))


def _distinct_workflows(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    seen = Counter(name.lower() for name in pipeline.workflows)
    first = {name.lower(): name for name in reversed(pipeline.workflows)}
    for name in pipeline.workflows:
        if seen[name.lower()] > 1 and first[name.lower()] != name:
            message = f"{str(name)!r} and {str(first[name.lower()])!r} differ in case only"
            yield pipeline.source.problem(
                ("workflows", name), message, "GoCD takes them for one: rename one", key=True
            )


RULES: tuple[Callable[[Pipeline, Stages], Iterable[Problem]], ...] = (
    _some_stage,
    _agents,
    _server_words,
    _forge,
    _secrets,
    _secret_variables,
    _after,
    _groups,
    _models,
    _looks_like_secrets,
    _plain,
    _distinct_workflows,
    output_checks.distinct,
    gate_checks.gates,
    declared_checks.declared,
    workflow_checks.workflows,
)
