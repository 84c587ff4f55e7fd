"""What `pipegen plan` knows: which stage becomes which job on which server, and what each layout would cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipegen.description.reading import nearest
from pipegen.errors import DescriptionError, PlanError, Problem
from pipegen.plan.build import workflow_of
from pipegen.plan.layouts import Durations, Timing, critical_path, durations, estimate
from pipegen.plan.model import Plan
from pipegen.targets import Request, Target, load_target


@dataclass(frozen=True)
class Cost:
    """What a workflow would take in one layout of one server."""

    target: str
    layout: str
    timing: Timing
    seconds: float
    chosen: bool
    """Whether it is the layout that the files have."""
    notes: tuple[str, ...]
    """Why the layout would not be generated as it is, in the target's own words."""


@dataclass(frozen=True)
class Advice:
    """A layout in which a run would end clearly sooner than in the one that the files have."""

    target: str
    layout: str
    sooner: float
    """Seconds."""


@dataclass(frozen=True)
class Part:
    """A workflow on the servers that get the same jobs."""

    workflow: str
    targets: tuple[str, ...]
    plan: Plan
    names: Mapping[str, Mapping[str, str]]
    """For each server the names that it has for jobs, where they aren't the plan's."""
    durations: Durations
    critical: tuple[str, ...]
    """The stages of the critical path."""
    costs: tuple[Cost, ...]

    @property
    def advice(self) -> tuple[Advice, ...]:
        """For each server at most one; none where no stage was ever timed.

        A difference of less than one wait between two jobs is nothing to go by: so much do servers vary. A layout that
        would not be generated as it is, is not advised.
        """
        if not self.durations.recorded:
            return ()
        found = (_advice([cost for cost in self.costs if cost.target == target]) for target in self.targets)
        return tuple(advice for advice in found if advice)


@dataclass(frozen=True)
class Overview:
    """All of it."""

    pipeline: str
    stages: int
    layouts: Mapping[str, str]
    """For each server the layout of its files."""
    agents: Mapping[str, Mapping[str, str]]
    """For each kind of machine what each server calls it."""
    parts: tuple[Part, ...]
    warnings: tuple[Problem, ...]

    def as_data(self) -> dict[str, Any]:
        """Plain data, for `--json`."""
        return {
            "pipeline": self.pipeline,
            "stages": self.stages,
            "layouts": dict(self.layouts),
            "agents": {kind: dict(called) for kind, called in self.agents.items()},
            "workflows": [_part_data(part) for part in self.parts],
            "warnings": [str(warning) for warning in self.warnings],
        }


def _part_data(part: Part) -> dict[str, Any]:
    return {
        "workflow": part.workflow,
        "servers": list(part.targets),
        "levels": [[job.name for job in level] for level in part.plan.levels],
        "names": {target: dict(names) for target, names in part.names.items()},
        "critical_path": list(part.critical),
        "durations": {
            "recorded": part.durations.recorded,
            "guess": part.durations.guess,
            "seconds": dict(part.durations.seconds),
        },
        "costs": [
            {
                "server": cost.target,
                "layout": cost.layout,
                "seconds": round(cost.seconds, 1),
                "overhead": cost.timing.overhead,
                "chosen": cost.chosen,
                "notes": list(cost.notes),
            }
            for cost in part.costs
        ],
        "advice": [
            {"server": one.target, "layout": one.layout, "sooner": round(one.sooner, 1)}
            for one in part.advice
        ],
        "plan": part.plan.as_data(),
    }


def _advice(costs: Sequence[Cost]) -> Advice | None:
    """What to say of one server's layouts."""
    chosen = next((cost for cost in costs if cost.chosen and not cost.notes), None)
    if chosen is None:
        return None
    first = min((cost for cost in costs if not cost.notes), key=lambda cost: cost.seconds)
    sooner = chosen.seconds - first.seconds
    return Advice(first.target, first.layout, sooner) if sooner > chosen.timing.overhead else None


def overview(
    request: Request, recorded: Mapping[str, float], *, workflow: str | None = None, layout: str | None = None
) -> Overview:
    """Plan every workflow, or one, for every server.

    Args:
        request: the description and its stages.
        recorded: seconds that stages took before, by address.
        workflow: only this one.
        layout: as if every server that knows this layout had it.

    Raises:
        PlanError: there is no such workflow or layout, or a server can't express the description.
    """
    targets = [target for target in map(load_target, request.pipeline.targets) if target.layouts]
    if layout is not None:
        request = _with_layout(request, targets, layout)
    names = [str(name) for name in request.pipeline.workflows]
    if workflow is not None:
        workflow_of(request.pipeline, workflow)
        names = [workflow]
    return Overview(
        pipeline=str(request.pipeline.name),
        stages=len(request.stages),
        layouts={target.name: _layout(request, target) for target in targets},
        agents=_agents(request, targets),
        parts=tuple(part for name in names for part in _parts(request, targets, name, recorded)),
        warnings=tuple(
            dict.fromkeys(_warnings(request if workflow is None else _alone(request, workflow), targets))
        ),
    )


def _with_layout(request: Request, targets: Iterable[Target], layout: str) -> Request:
    known = [target for target in targets if layout in target.layouts]
    if not known:
        hint = nearest(layout, dict.fromkeys(name for target in targets for name in target.layouts))
        raise PlanError(f"no server here knows the layout {layout!r}; {hint}")
    for target in known:
        request = _in_layout(request, target, layout)
    return request


def _in_layout(request: Request, target: Target, layout: str) -> Request:
    words = {name: dict(own) for name, own in request.pipeline.targets.items()}
    words[_key(words, target)]["layout"] = layout
    return Request(request.pipeline.replace(targets=words), request.stages, request.folder)


def _key(words: Mapping[Any, Any], target: Target) -> Any:
    return next(name for name in words if name == target.name)


def _layout(request: Request, target: Target) -> str:
    own = request.pipeline.targets[_key(request.pipeline.targets, target)]
    return str(own.get("layout") or next(iter(target.layouts)))


def _agents(request: Request, targets: Iterable[Target]) -> dict[str, dict[str, str]]:
    names = [target.name for target in targets]
    return {
        str(kind): {str(name): _called(own) for name, own in agent.servers.items() if name in names}
        for kind, agent in request.pipeline.agents.items()
    }


def _called(words: Mapping[str, Any]) -> str:
    """A server's words for an agent on one line: `label gpu`."""
    values = {
        key: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in words.items()
    }
    return "; ".join(f"{key} {value}" for key, value in values.items() if value) or "any"


def _parts(
    request: Request, targets: Iterable[Target], workflow: str, recorded: Mapping[str, float]
) -> list[Part]:
    """One part for servers whose layouts let chains share a job, and one for the others."""
    here = [target for target in targets if workflow in request.workflows(target.name)]
    together: dict[bool, list[Target]] = {}
    for target in here:
        together.setdefault(target.layouts[_layout(request, target)].chains, []).append(target)
    return [
        _part(request, workflow, request.plan(workflow, chains=chains), sharing, recorded)
        for chains, sharing in together.items()
    ]


def _part(
    request: Request, workflow: str, plan: Plan, targets: Iterable[Target], recorded: Mapping[str, float]
) -> Part:
    taken = durations(plan, recorded)
    called = {target.name: {job.name: target.job_name(job) for job in plan.jobs} for target in targets}
    return Part(
        workflow=workflow,
        targets=tuple(target.name for target in targets),
        plan=plan,
        names={t: {job: name for job, name in names.items() if job != name} for t, names in called.items()},
        durations=taken,
        critical=critical_path(plan, taken),
        costs=tuple(cost for target in targets for cost in _costs(request, target, workflow, taken)),
    )


def _costs(request: Request, target: Target, workflow: str, taken: Durations) -> list[Cost]:
    chosen = _layout(request, target)
    said = {layout: _said(request, target, workflow, layout) for layout in target.layouts}
    everywhere = set.intersection(*map(set, said.values()))
    return [
        Cost(
            target=target.name,
            layout=layout,
            timing=timing,
            seconds=estimate(request.plan(workflow, chains=timing.chains), timing, taken),
            chosen=layout == chosen,
            notes=tuple(note for note in said[layout] if note not in everywhere),
        )
        for layout, timing in target.layouts.items()
    ]


def _said(request: Request, target: Target, workflow: str, layout: str) -> tuple[str, ...]:
    """What the target has to say about one workflow alone in a layout: its own judgement, by trying."""
    try:
        warnings = target.files(_alone(_in_layout(request, target, layout), workflow)).warnings
        return tuple(warning.message for warning in warnings)
    except DescriptionError as error:
        return tuple(problem.message for problem in error.problems)


def _alone(request: Request, workflow: str) -> Request:
    """The same request with one workflow."""
    own = {name: each for name, each in request.pipeline.workflows.items() if name == workflow}
    return Request(request.pipeline.replace(workflows=own), request.stages, request.folder)


def _warnings(request: Request, targets: Iterable[Target]) -> Iterator[Problem]:
    for target in targets:
        yield from target.files(request).warnings
