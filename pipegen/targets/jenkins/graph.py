"""The layout `graph`: a scripted Jenkinsfile whose jobs are rows of a table, run by a scheduler of fixed text."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from pipegen.plan.model import Job, Plan
from pipegen.targets.jenkins.declarative import FILTERS, concurrency, cron_text, parameters, run_environment
from pipegen.targets.jenkins.groovy import LONGEST_LITERAL, command_line, literal
from pipegen.targets.jenkins.view import Mapper, branch_regex, minutes
from pipegen.targets.templates import environment, render

_ESCAPES = {"%": "%25", "|": "%7C", ",": "%2C", "\n": "%0A", "\r": "%0D"}
"""What a cell of the table can't hold; the scheduler's `plain` takes it back."""


def scripted(mapper: Mapper) -> str:
    """The Jenkinsfile of a plan, without its header."""
    plan = mapper.plan
    later = [job for job in plan.jobs if job.approval or job.deploys]
    return render(
        "jenkins",
        "graph.Jenkinsfile.j2",
        FILTERS,
        scheduler=scheduler(),
        held=[job.name for job in later],
        agents=[(name, mapper.words.agents[name]) for name in _agents(plan) if name in mapper.words.agents],
        properties=_properties(mapper),
        workflows=_workflows(mapper),
        tables=_tables(mapper),
        minutes=minutes(plan.timeout),
        environment=[f"{name}={value}" for name, value in run_environment(plan).items()],
        pin=None if mapper.multibranch else {"agent": plan.jobs[0].agent or ""},
        later=[
            {"name": j.name, "approval": _approval(mapper, j), "milestone": mapper.milestone_of(j)}
            for j in later
        ],
        **mapper.shared(),
    )


def scheduler() -> str:
    """The fixed text."""
    made = environment("jenkins", tuple(FILTERS.items()))
    assert made.loader is not None
    return made.loader.get_source(made, "scheduler.groovy")[0]


def _agents(plan: Plan) -> dict[str, None]:
    return dict.fromkeys(job.agent for job in plan.jobs if job.agent)


def _properties(mapper: Mapper) -> list[str]:
    lines = [f"buildDiscarder(logRotator(numToKeepStr: '{mapper.words.options.keep}'))", concurrency(mapper)]
    crons = [t for t in mapper.plan.triggers.values() if t.schedule]
    if crons:
        texts = ", ".join(f"cron({literal(cron_text(t.schedule or '', t.timezone))})" for t in crons)
        lines.append(f"pipelineTriggers([{texts}])")
    if mapper.plan.inputs:
        lines.append(f"parameters([{', '.join(parameters(mapper.plan))}])")
    return lines


def _workflows(mapper: Mapper) -> list[tuple[str, str]]:
    """For each workflow of a multibranch file the Groovy condition of its branches."""
    if not mapper.multibranch:
        return []
    found = []
    for name, trigger in mapper.plan.triggers.items():
        if trigger.kind == "pull_request":
            found.append(("env.CHANGE_ID", name))
        else:
            pattern = "|".join(branch_regex(branch) for branch in trigger.branches)
            found.append((f"!env.CHANGE_ID && env.BRANCH_NAME ==~ {literal(pattern)}", name))
    return found


def _tables(mapper: Mapper) -> list[str]:
    """The rows, in as few literals as hold them."""
    tables: list[list[str]] = [[]]
    size = 0
    for line in (_row(mapper, job) for job in mapper.plan.jobs):
        escaped = line.replace("\\", "\\\\").replace("'", "\\'")
        size += len(escaped.encode("utf-8", "surrogatepass")) + 1
        if size > LONGEST_LITERAL and tables[-1]:
            tables.append([])
            size = len(escaped.encode("utf-8", "surrogatepass"))
        tables[-1].append(escaped)
    return ["\n".join(lines) for lines in tables]


def _row(mapper: Mapper, job: Job) -> str:
    ordinary = [step for step in job.steps if not step.always]
    always = [step for step in job.steps if step.always]
    cells = [
        _cell(job.name),
        _cell(job.agent or ""),
        str(minutes(job.timeout)),
        str(job.retry + 2),
        _items(job.needs),
        _items(job.workflows),
        _items(mapper.locks(job)),
        _items(job.secrets),
        _items(f"{name}={value}" for name, value in job.env.items()),
        _items(map(posixpath.basename, job.reads)),
        _items(map(posixpath.basename, job.writes)),
        _items(step.name for step in ordinary),
        _items(command_line(step.command) for step in ordinary),
        _items(command_line(step.command) for step in always),
    ]
    return " | ".join(cells)


def _items(values: Iterable[str]) -> str:
    return ",".join(map(_cell, values)) or "-"


def _cell(value: str) -> str:
    """One value of a row. A lone `-` means an empty list, so a value that is one is written otherwise."""
    text = "".join(_ESCAPES.get(ch, ch) for ch in value)
    return "%2D" if text == "-" else text


def _approval(mapper: Mapper, job: Job) -> list[str]:
    if job.approval is None:
        return []
    words = ", ".join(
        f"{key}: {value}" for key, value in (line.split(" ", 1) for line in mapper.approval(job))
    )
    asked = f"env.APPROVER = input({words})"
    if job.approval.timeout is None:
        return [asked]
    return [f"timeout(time: {minutes(job.approval.timeout)}, unit: 'MINUTES') {{", f"  {asked}", "}"]
