"""Which stages share an agent: those that say so with `group`, and chains, where nothing is gained by changing the agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipegen.description.model import Ci, Pipeline
from pipegen.description.stages import ResolvedStage
from pipegen.errors import PlanError, Problem
from pipegen.plan.graph import CycleError, Graph, draw_cycle


@dataclass(frozen=True)
class Group:
    """Stages of one job, in the order in which they run."""

    name: str
    stages: tuple[str, ...]


def group_stages(
    pipeline: Pipeline, stages: Mapping[str, ResolvedStage], graph: Graph, *, chains: bool
) -> tuple[tuple[Group, ...], Graph]:
    """The groups, and the graph of their names.

    Args:
        pipeline: the description, for its defaults.
        stages: what runs, by address.
        graph: what each stage needs.
        chains: whether stages in a chain share an agent even without `group`.

    Raises:
        PlanError: a group whose members disagree about their agent, or that would need itself.
    """
    members = _named_groups(stages, graph)
    _refuse_disagreement(pipeline, stages, members)
    alone = [address for address in graph.order if not stages[address].ci.group]
    if chains:
        members += _chains(pipeline, stages, graph, alone)
    else:
        members += [(address,) for address in alone]
    groups = _named(stages, members)
    return groups, _contracted(stages, graph, groups)


def _named_groups(stages: Mapping[str, ResolvedStage], graph: Graph) -> list[tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for address in graph.order:
        name = stages[address].ci.group
        if name:
            found.setdefault(name, []).append(address)
    return [tuple(members) for members in found.values()]


def _chains(
    pipeline: Pipeline, stages: Mapping[str, ResolvedStage], graph: Graph, alone: Sequence[str]
) -> list[tuple[str, ...]]:
    """Maximal runs of stages, each the only one that needs the one before, and needing only that, with equal demands."""
    chains: dict[str, list[str]] = {}
    within = set(alone)
    for address in alone:
        needs = graph.needs(address)
        before = needs[0] if len(needs) == 1 else None
        joins = (
            before in within
            and before is not None
            and graph.dependants(before) == (address,)
            and _demands(pipeline, stages[before].ci) == _demands(pipeline, stages[address].ci)
        )
        chain = chains[before] if joins and before is not None else []
        chain.append(address)
        chains[address] = chain
    return [tuple(chain) for chain in {id(chain): chain for chain in chains.values()}.values()]


def _demands(pipeline: Pipeline, ci: Ci) -> tuple[object, ...]:
    """What two stages must have in common to share an agent unasked: a secret is given only to who asks."""
    return (ci.agent or pipeline.defaults.agent, tuple(ci.secrets), tuple(sorted(ci.env.items())), tuple(ci.mutex))


def _named(stages: Mapping[str, ResolvedStage], members: Sequence[tuple[str, ...]]) -> tuple[Group, ...]:
    taken = {m[0] for m in members if len(m) == 1 and not stages[m[0]].ci.group}
    groups = []
    for m in members:
        name = stages[m[0]].ci.group or (m[0] if len(m) == 1 else f"{m[0]}-to-{m[-1]}")
        while name in taken and len(m) > 1:
            name += "-group"
        taken.add(name)
        groups.append(Group(name, m))
    return tuple(groups)


def _contracted(stages: Mapping[str, ResolvedStage], graph: Graph, groups: Sequence[Group]) -> Graph:
    group_of = {address: group.name for group in groups for address in group.stages}
    needs: dict[str, list[str]] = {group.name: [] for group in groups}
    for group in groups:
        for address in group.stages:
            needs[group.name] += [group_of[n] for n in graph.needs(address) if group_of[n] != group.name]
    contracted = Graph(needs)
    try:
        contracted.order  # noqa: B018  (finds a cycle)
    except CycleError as error:
        name = next(n for n in error.cycle if any(g.name == n and len(g.stages) > 1 for g in groups))
        stage = stages[next(g for g in groups if g.name == name).stages[0]]
        message = f"the group {name!r} can't share one agent: a stage outside runs between its stages\n{draw_cycle(error.cycle)}"
        raise PlanError([stage.problem(("ci", "group"), message, "put that stage into the group too")]) from None
    return contracted


def _refuse_disagreement(
    pipeline: Pipeline, stages: Mapping[str, ResolvedStage], groups: Sequence[tuple[str, ...]]
) -> None:
    problems: list[Problem] = []
    for members in groups:
        first = stages[members[0]]
        for address in members[1:]:
            ci = stages[address].ci
            agents = [c.agent or pipeline.defaults.agent for c in (first.ci, ci)]
            if agents[0] != agents[1]:
                message = f"the group {ci.group!r} shares one agent, but {members[0]!r} wants {agents[0]!r} and {address!r} {agents[1]!r}"
                problems.append(stages[address].problem(("ci", "group"), message))
            clash = sorted(n for n in ci.env.keys() & first.ci.env.keys() if str(ci.env[n]) != str(first.ci.env[n]))
            if clash:
                message = f"the group {ci.group!r} is one job, but its stages want different values of {', '.join(clash)}"
                problems.append(stages[address].problem(("ci", "env"), message))
    if problems:
        raise PlanError(problems)
