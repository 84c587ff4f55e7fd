"""Which stages share an agent: those that say so with `group`, and chains, where changing it would gain nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipegen.description.model import Pipeline, env_text
from pipegen.description.stage_words import Ci
from pipegen.description.stages import ResolvedStage
from pipegen.errors import PlanError, Problem
from pipegen.plan.graph import CycleError, Graph, draw_cycle
from pipegen.plan.names import to_name

LONGEST = 200
"""Characters of a group's name on a server; a chain whose ends have long names is named otherwise."""


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
        members += _chains(pipeline, stages, graph.reduced(), alone)
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
    """Maximal runs of stages, each the only one that needs the one before, and needing only that, with equal demands.

    `graph` is reduced: a need that another implies keeps nobody waiting, so it parts no chain.
    """
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
    return agent_of(pipeline, ci), sorted(set(ci.secrets)), env_text(ci.env), sorted(set(ci.mutex))


def agent_of(pipeline: Pipeline, ci: Ci | None = None) -> str | None:
    """The kind of machine for a stage that says `ci`, or for a job that is no stage; None where none is named."""
    return (ci and ci.agent) or pipeline.defaults.agent or next(iter(pipeline.agents), None)


def _named(stages: Mapping[str, ResolvedStage], members: Sequence[tuple[str, ...]]) -> tuple[Group, ...]:
    """Groups with names of their own: a stage that is alone keeps its address; what would be called so gives way."""
    taken = {m[0] for m in members if len(m) == 1 and not stages[m[0]].ci.group}
    groups = []
    for m in members:
        named = stages[m[0]].ci.group
        if len(m) == 1 and not named:
            groups.append(Group(m[0], m))
            continue
        name = str(named or _chain_name(m))
        while name in taken:
            name += "-group"
        taken.add(name)
        groups.append(Group(name, m))
    return tuple(groups)


def _chain_name(chain: tuple[str, ...]) -> str:
    name = f"{chain[0]}-to-{chain[-1]}"
    return name if len(to_name(name)) <= LONGEST else f"{chain[0]}-and-{len(chain) - 1}-more"


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
        # a chain has nothing between its stages, so every circle goes through a group that was asked for
        group = next(g for g in groups if g.name in error.cycle and stages[g.stages[0]].ci.group)
        stage = stages[group.stages[0]]
        circle = draw_cycle(error.cycle)
        message = f"the group {group.name!r} can't share one agent: a stage outside runs between its stages\n{circle}"
        raise PlanError(
            [stage.problem(("ci", "group"), message, "put that stage into the group too")]
        ) from None
    return contracted


def _refuse_disagreement(
    pipeline: Pipeline, stages: Mapping[str, ResolvedStage], groups: Sequence[tuple[str, ...]]
) -> None:
    problems: list[Problem] = []
    for members in groups:
        wanted = agent_of(pipeline, stages[members[0]].ci)
        env: dict[str, str] = {}
        for address in members:
            stage, name = stages[address], str(stages[address].ci.group)
            agent, own = agent_of(pipeline, stage.ci), env_text(stage.ci.env)
            if agent != wanted:
                wants = f"{members[0]!r} wants {wanted!r} and {address!r} {agent!r}"
                message = f"the group {name!r} shares one agent, but {wants}"
                problems.append(stage.problem(("ci", "group"), message, "give them one agent, or two groups"))
            clash = sorted(n for n, value in own.items() if env.setdefault(n, value) != value)
            if clash:
                message = f"the group {name!r} is one job, but its stages want different values of {', '.join(clash)}"
                problems.append(
                    stage.problem(("ci", "env"), message, "set them in the command, or make two groups")
                )
    if problems:
        raise PlanError(problems)
