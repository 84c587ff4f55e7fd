"""The overview of a plan as a page for a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipegen.plan.model import Job, Trigger
from pipegen.runner.progress import duration
from pipegen.views.overview import Cost, Overview, Part
from pipegen.views.plain import count, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

ON_PATH = "•"


def page(overview: Overview, *, columns: int = 80, colour: bool = False) -> str:
    """The page.

    Args:
        overview: what it shows.
        columns: the terminal's width.
        colour: whether to print colours.
    """
    from rich.console import Console

    console = Console(
        file=io.StringIO(),
        width=columns,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        emoji=False,
        markup=False,
    )
    for block in _blocks(overview):
        console.print(block)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in printed.splitlines()) + "\n"


def _blocks(overview: Overview) -> Iterator[RenderableType]:
    layouts = ", ".join(f"{target} in {layout}" for target, layout in overview.layouts.items())
    yield _line(
        (plain(overview.pipeline), "bold"),
        (f": {count(overview.stages, 'stage')}; {layouts or 'no server'}", ""),
    )
    if overview.agents:
        yield ""
        yield _agents(overview)
    before: dict[tuple[object, ...], str] = {}
    for part in overview.parts:
        yield ""
        yield from _part(part, before)
    if not overview.parts:
        yield "The description has no workflows: nothing is generated for a server."
    yield from _foot(overview)


def _line(*parts: tuple[str, str]) -> RenderableType:
    from rich.text import Text

    return Text.assemble(*parts)


def _agents(overview: Overview) -> RenderableType:
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for kind, called in overview.agents.items():
        table.add_row(
            _line(("agent ", "dim"), (plain(kind), "")),
            *(_line((f"{target} ", "dim"), (plain(name), "")) for target, name in called.items()),
        )
    return table


def _part(part: Part, before: dict[tuple[object, ...], str]) -> Iterator[RenderableType]:
    on = _starts(part.plan.triggers[part.workflow])
    yield _line((plain(part.workflow), "bold"), (f" {on}: {', '.join(part.targets) or 'no server'}", ""))
    everywhere = _common_secrets(part)
    if everywhere:
        yield _line((f"  every job gets {', '.join(everywhere)}", "dim"))
    yield _jobs(part, everywhere, before)
    if part.critical:
        seconds = sum(part.durations.seconds[address] for address in part.critical)
        all_ = sum(part.durations.seconds.values())
        path = f"  {ON_PATH} the critical path takes {duration(seconds)} of {duration(all_)} work"
        yield _line((f"{path}; a run would take about", ""))
        yield _costs(part)


def _starts(trigger: Trigger) -> str:
    branches = ", ".join(trigger.branches)
    match trigger.kind:
        case "push":
            return f"on a push to {branches}"
        case "pull_request":
            return "on a pull request"
        case "schedule":
            zone = f" {trigger.timezone}" if trigger.timezone else ""
            return f"at {trigger.schedule}{zone} on {branches}"
    return f"by hand on {branches}"


def _common_secrets(part: Part) -> list[str]:
    jobs = part.plan.jobs
    return [name for name in jobs[0].secrets if all(name in job.secrets for job in jobs)] if jobs else []


def _jobs(part: Part, everywhere: Iterable[str], before: dict[tuple[object, ...], str]) -> RenderableType:
    from rich.table import Table

    table = Table(box=None, show_header=True, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("level", no_wrap=True)
    table.add_column("job", overflow="fold", max_width=34)
    table.add_column("agent", overflow="fold", max_width=14)
    table.add_column("limit", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    same, said = _seen(part, before), False
    for number, level in enumerate(part.plan.levels, 1):
        shown = [job for job in level if not (same and job.stages)]
        if same and len(shown) < len(level) and not said:
            jobs = count(sum(bool(job.stages) for job in part.plan.jobs), "job")
            table.add_row("", _line((f"{jobs} as in {plain(same)}", "dim")))
            said = True
        for job in shown:
            mark = ON_PATH if set(job.stages) & set(part.critical) else " "
            table.add_row(
                f"{mark} {number if job is shown[0] else ''}".rstrip(),
                plain(job.name),
                plain(job.agent or "any"),
                span(job.timeout),
                _line(("; ".join(_notes(job, part, everywhere)), "dim")),
            )
    return table


def _seen(part: Part, before: dict[tuple[object, ...], str]) -> str | None:
    """The workflow shown before whose stages run in the same jobs, if there is one."""
    own = tuple(
        (j.name, j.stages, j.agent, j.timeout, j.secrets, j.mutexes, j.retry)
        for j in part.plan.jobs
        if j.stages
    )
    if not own:
        return None
    first = before.setdefault(own, part.workflow)
    return first if first != part.workflow else None


def _notes(job: Job, part: Part, everywhere: Iterable[str]) -> Iterator[str]:
    if len(job.stages) > 1:
        yield ", ".join(map(plain, job.stages))
    for step in job.steps:
        if step.stage is None and not step.draws:
            words = [word for word in step.command[1:] if word not in ("--workflow", part.workflow)]
            yield plain(" ".join(words))
    for target, names in part.names.items():
        if job.name in names:
            yield f"{target} {names[job.name]}"
    if job.approval:
        longest = f", {span(job.approval.timeout)} at most" if job.approval.timeout else ""
        yield f"waits for {plain(job.approval.by)}{longest}"
    own = [name for name in job.secrets if name not in everywhere]
    if own:
        yield f"secret {', '.join(own)}"
    if job.mutexes:
        yield f"mutex {', '.join(job.mutexes)}"
    if job.retry:
        yield f"retry {job.retry}"


def span(seconds: int) -> str:
    """A limit of time, without the parts that are nothing: `40m`, `1h 30m`, `1d`."""
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size:
            parts.append(f"{seconds // size}{unit}")
            seconds %= size
    return " ".join(parts) or "0s"


def _costs(part: Part) -> RenderableType:
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column()
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    advised = {(one.target, one.layout): one.sooner for one in part.advice}
    target = ""
    for cost in part.costs:
        table.add_row(
            f"  {cost.target}" if cost.target != target else "",
            cost.layout,
            duration(cost.seconds),
            _line(("; ".join(_judgement(cost, advised.get((cost.target, cost.layout)))), "dim")),
        )
        target = cost.target
    return table


def _judgement(cost: Cost, sooner: float | None) -> Iterator[str]:
    if cost.chosen:
        yield "chosen"
    if sooner:
        yield f"advised: ends {duration(sooner)} sooner"
    yield from map(plain, cost.notes)


def _foot(overview: Overview) -> Iterator[RenderableType]:
    parts = [part for part in overview.parts if part.critical]
    if not parts:
        return
    yield ""
    taken = max((part.durations for part in parts), key=lambda d: len(d.seconds))
    stages = len(taken.seconds)
    if not taken.recorded:
        says = f"No run is recorded here yet: every stage counts as {span(int(taken.guess))}."
    elif taken.recorded < stages:
        guess = duration(taken.guess)
        timed = f"{taken.recorded} of {count(stages, 'stage')}"
        says = f"Earlier runs here timed {timed}; each other one counts as {guess}, their median."
    else:
        says = "Durations are those of earlier runs here."
    waits = "; ".join(_waits([cost for part in parts for cost in part.costs]))
    yield _line(
        (f"{says} Between jobs: {waits}. Checkout and set-up come on top; free agents are assumed.", "dim")
    )


def _waits(costs: Iterable[Cost]) -> Iterator[str]:
    """For each server the seconds between two jobs, by layout where it matters."""
    found: dict[str, dict[float, dict[str, None]]] = {}
    for cost in costs:
        found.setdefault(cost.target, {}).setdefault(cost.timing.overhead, {})[cost.layout] = None
    for target, by_overhead in found.items():
        several = len(by_overhead) > 1
        each = (f"{s:g} s" + f" in {', '.join(layouts)}" * several for s, layouts in by_overhead.items())
        yield f"{target} {', '.join(each)}"
