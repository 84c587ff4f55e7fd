"""From a description and a workflow's name to a plan. The main way through this room is `build`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipegen.description.model import Input as AskedInput
from pipegen.description.model import On, Pipeline, Workflow, env_text
from pipegen.description.reading import nearest
from pipegen.description.stages import ResolvedStage, matches
from pipegen.description.text import Duration, Name, seconds
from pipegen.errors import PlanError
from pipegen.plan import after_stages, files
from pipegen.plan.after_stages import Lock
from pipegen.plan.before_stages import with_first_job
from pipegen.plan.context import Context
from pipegen.plan.graph import Graph
from pipegen.plan.grouping import Group, group_stages
from pipegen.plan.model import Input, Job, Plan, Step, Trigger
from pipegen.plan.names import names_for
from pipegen.plan.needs import stage_graph

WHOLE_RUN = Duration("1d")
"""The longest a run may take where its workflow says nothing."""


def build(
    pipeline: Pipeline,
    stages: Mapping[str, ResolvedStage],
    workflow_name: str,
    *,
    folder: str = ".",
    chains: bool = True,
    graph: Graph | None = None,
) -> Plan:
    """What must happen for one workflow.

    Args:
        pipeline: the description.
        stages: all its stages, by address.
        workflow_name: a name in `workflows`.
        folder: the description's folder relative to the repository's root.
        chains: whether the stages of a chain share an agent.
        graph: what each of `stages` needs, where that is known already.

    Raises:
        PlanError, DescriptionError: it can't be planned; the message says why.
    """
    workflow = workflow_of(pipeline, workflow_name)
    context = Context(pipeline, workflow_name, workflow, env_text({**pipeline.env, **workflow.env}))
    trigger = trigger_of(workflow)
    jobs: list[Job] = []
    results: tuple[str, ...] = ()
    lock = Lock()
    if runs_stages(workflow):
        everything = graph or stage_graph(stages)
        chosen = _chosen(workflow, stages, everything)
        graph, names = everything.subgraph(chosen), names_for(chosen)
        ends = [address for address in graph if not graph.dependants(address)]
        lock = Lock.of(context, trigger, ends)
        jobs = _stage_jobs(
            context, {a: stages[a] for a in chosen}, graph, names, publishing=lock.stage, chains=chains
        )
        results = tuple(files.fragment(names[address]) for address in ends)
        jobs, results = with_first_job(context, trigger, folder, jobs, results)
    jobs += after_stages.jobs(context, jobs, results, lock)
    _refuse_equal_names(jobs)
    return Plan(
        pipeline=pipeline.name,
        workflows=(workflow_name,),
        triggers={workflow_name: trigger},
        folder=folder,
        install=pipeline.install,
        inputs=tuple(_input(name, asked) for name, asked in workflow.inputs.items()),
        timeout=seconds(workflow.timeout or WHOLE_RUN),
        jobs=tuple(jobs),
        outside=files.outside(folder, stages),
        locks=files.inside(folder, dict.fromkeys(map(files.lock_file, stages))) if lock.commits else (),
    )


def workflow_of(pipeline: Pipeline, name: str) -> Workflow:
    """The workflow of that name. Raises PlanError with the nearest name."""
    if name not in pipeline.workflows:
        known = nearest(name, pipeline.workflows) or "the description has none"
        raise PlanError(f"there is no workflow {name!r}; {known}")
    return pipeline.workflows[Name(name)]


def runs_stages(workflow: Workflow) -> bool:
    """Whether it runs stages: one that moves an existing version (`promote` with `from`) runs none."""
    return not (workflow.promote and workflow.promote.from_)


def trigger_of(workflow: Workflow) -> Trigger:
    """What starts it, with its branches."""
    branch = (str(workflow.branch or "main"),)
    if isinstance(workflow.on, On) and workflow.on.push:
        return Trigger(kind="push", branches=tuple(map(str, workflow.on.push.branches)))
    if isinstance(workflow.on, On):
        return Trigger(
            kind="schedule", branches=branch, schedule=workflow.on.schedule, timezone=workflow.on.timezone
        )
    if workflow.on == "pull_request":
        return Trigger(kind="pull_request")
    return Trigger(kind="manual", branches=branch)


def _input(name: str, asked: AskedInput) -> Input:
    return Input(
        name=name,
        default=str(asked.default),
        choices=tuple(map(str, asked.choices)),
        description=asked.description or f"sets {asked.sets}",
    )


def _chosen(workflow: Workflow, stages: Mapping[str, ResolvedStage], graph: Graph) -> list[str]:
    if workflow.stages is None:
        return list(stages)
    named = {a for a in stages for pattern in workflow.stages if matches(a, pattern)}
    wanted = named | graph.ancestors(*named)
    return [address for address in stages if address in wanted]


def _stage_jobs(
    context: Context,
    stages: Mapping[str, ResolvedStage],
    graph: Graph,
    names: Mapping[str, str],
    *,
    publishing: str | None,
    chains: bool,
) -> list[Job]:
    groups, group_graph = group_stages(context.pipeline, stages, graph, chains=chains)
    reduced_stages, reduced_groups = graph.reduced(), group_graph.reduced()
    by_name = {group.name: group for group in groups}
    return [
        _stage_job(
            context, by_name[name], stages, reduced_stages, names, reduced_groups.needs(name), publishing
        )
        for name in group_graph.order
    ]


def _stage_job(
    context: Context,
    group: Group,
    stages: Mapping[str, ResolvedStage],
    graph: Graph,
    names: Mapping[str, str],
    needs: tuple[str, ...],
    publishing: str | None,
) -> Job:
    members = [stages[address] for address in group.stages]
    defaults = context.pipeline.defaults
    outside = dict.fromkeys(
        n for address in group.stages for n in graph.needs(address) if n not in group.stages
    )
    return context.job(
        group.name,
        tuple(
            _stage_step(context, stage, names[stage.address], publishes=stage.address == publishing)
            for stage in members
        ),
        needs,
        agent=members[0].ci.agent,
        reads=tuple(files.fragment(names[address]) for address in outside),
        writes=tuple(files.fragment(names[address]) for address in group.stages),
        artifacts=(
            *(path for address in group.stages for path in files.kept(names[address])),
            *([f"{files.LOCK}/**"] if publishing in group.stages else []),
        ),
        page=files.page(names[group.stages[-1]]),
        env={name: value for stage in members for name, value in env_text(stage.ci.env).items()},
        secrets=[name for stage in members for name in stage.ci.secrets],
        timeout=sum(
            _attempts(context, stage) * seconds(stage.ci.timeout or defaults.timeout) for stage in members
        ),
        retry=max(_attempts(context, stage) - 1 for stage in members),
        mutexes=tuple(dict.fromkeys(name for stage in members for name in stage.ci.mutex)),
    )


def _attempts(context: Context, stage: ResolvedStage) -> int:
    retry = stage.ci.retry
    return 1 + (context.pipeline.defaults.retry if retry is None else retry)


def _stage_step(context: Context, stage: ResolvedStage, name: str, *, publishes: bool) -> Step:
    return Step(
        name=stage.address,
        command=context.command("exec", stage.address, *(["--lock"] if publishes else [])),
        stage=stage.address,
        junit=files.junit(name) if stage.ci.tests else None,
    )


def _refuse_equal_names(jobs: Sequence[Job]) -> None:
    """No two jobs may have one name to a server that ignores case."""
    seen: dict[str, str] = {}
    for job in jobs:
        other = seen.setdefault(job.name.lower(), job.name)
        if other is not job.name:
            also = "" if other == job.name else f", or {other!r} to a server that minds case"
            message = f"two jobs would be called {job.name!r}{also}; rename the stage or group of that name"
            raise PlanError(message)
