"""A run in the terminal: its stages as a graph with state, time, tests and metrics. `status` and `watch` show it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipegen.plan.graph import Graph
from pipegen.records import RunView, StageView, together
from pipegen.views.lanes import ASCII, NODE, lanes, width
from pipegen.views.picture import FOLD_ABOVE, Picture, picture
from pipegen.views.plain import plain
from pipegen.views.states import DONE, LOOKS, clock, heading, number, result, taken, tally

if TYPE_CHECKING:
    from rich.console import OverflowMethod, RenderableType
    from rich.text import Text

_NARROW = 100
"""Columns below which the agent is left out."""
_METRICS = 3
_NAME, _TOOK, _RESULT, _MEASURED, _ON = range(5)
_GAP, _AGENT, _LEAST = 2, 16, 8
"""Columns between cells, for an agent, and for a cell that gives way."""


def text(
    run: RunView,
    *,
    columns: int = 80,
    colour: bool = False,
    ascii_only: bool = False,
    folded: bool | None = None,
) -> str:
    """The picture as lines of text.

    Args:
        run: what is shown.
        columns: the terminal's width.
        colour: whether to print colours.
        ascii_only: draw with signs that every terminal has.
        folded: show each foreach and matrix as one row; None does so above 40 stages.
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
    console.print(block(run, columns=columns, ascii_only=ascii_only, folded=folded))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in printed.splitlines()) + "\n"


def block(
    run: RunView, *, columns: int = 80, ascii_only: bool = False, folded: bool | None = None
) -> RenderableType:
    """The same for rich, which may redraw it in place."""
    from rich.console import Group

    fold = len(run.stages) > FOLD_ABOVE if folded is None else folded
    shown = picture(run, folded=fold)
    parts = [*_head(run, ascii_only), "", _table(shown, columns, ascii_only)]
    return Group(*parts, *_failures(run), "", *_foot(run))


def _line(*parts: tuple[str, str]) -> Text:
    from rich.text import Text

    return Text.assemble(*((plain(words), style) for words, style in parts))


def _sign(state_of: Sequence[StageView], ascii_only: bool) -> tuple[str, str]:
    look = LOOKS[together(stage.state for stage in state_of)]
    return (look.ascii if ascii_only else look.sign), look.style


def _head(run: RunView, ascii_only: bool) -> Iterator[RenderableType]:
    look = LOOKS[run.state]
    time = taken(run.seconds, run.expected, run.state)
    yield _line(
        (f"{heading(run)}: ", "bold"),
        (f"{look.ascii if ascii_only else look.sign} {look.word}", look.style),
        (f" {'for' if run.state == 'running' else 'in'} {time}" if time else "", ""),
    )
    of = " ".join(part for part in (run.commit[:10], f"on {run.branch}" if run.branch else "") if part)
    details = [part for part in (of, run.cause, clock(run.started)) if part]
    if details:
        yield _line(((", " if ascii_only else " · ").join(details), "dim"))
    if run.url:
        yield _line((run.url, "dim"))
    if run.message:
        yield _line((run.message, look.style))


def _table(shown: Picture, columns: int, ascii_only: bool) -> RenderableType:
    """Rows that are never broken: what is too long is cut."""
    from rich.text import Text

    rows = list(_table_rows(shown, columns, ascii_only))
    _fit(rows, columns, "crop" if ascii_only else "ellipsis")
    widths = _widths(rows)
    lines = []
    for row in rows:
        line = Text(no_wrap=True)
        for at, cell in enumerate(row):
            if widths[at]:
                cell.align("right" if at == _TOOK else "left", widths[at])
                line += cell + Text(" " * _GAP)
        line.rstrip()
        lines.append(line)
    return Text("\n", no_wrap=True).join(lines)


def _table_rows(shown: Picture, columns: int, ascii_only: bool) -> Iterator[list[Text]]:
    """Lanes and name, time, result, tests and metrics, agent; lanes alone between them."""
    for signs, node in _rows(shown.graph, columns):
        if node is None:
            yield [_line((signs.translate(ASCII) if ascii_only else signs, "cyan"))]
            continue
        stages = shown.nodes[node]
        before, _, after = signs.partition(NODE)
        left, right = ((part.translate(ASCII) if ascii_only else part, "cyan") for part in (before, after))
        name = f"{shown.titles[node]} ({len(stages)})" if len(stages) > 1 else shown.titles[node]
        first = _line(left, _sign(stages, ascii_only), right, (f"  {name}", ""))
        cells = _of_group(stages) if len(stages) > 1 else _of_stage(stages[0])
        yield [first, *cells[: 4 if columns >= _NARROW else 3]]


def _fit(rows: Sequence[list[Text]], columns: int, overflow: OverflowMethod) -> None:
    """Cut names and agents at their limits; what was measured, then results, give way to the rest."""
    _cut(rows, _NAME, max(24, columns // 2), overflow)
    _cut(rows, _ON, _AGENT, overflow)
    for index in (_MEASURED, _RESULT):
        others = sum(width + _GAP for at, width in enumerate(_widths(rows)) if width and at != index)
        _cut(rows, index, max(columns - others, _LEAST), overflow)


def _widths(rows: Sequence[list[Text]]) -> list[int]:
    return [max((row[at].cell_len for row in rows if at < len(row)), default=0) for at in range(_ON + 1)]


def _cut(rows: Iterable[list[Text]], index: int, width: int, overflow: OverflowMethod) -> None:
    for row in rows:
        if index < len(row):
            row[index].truncate(width, overflow=overflow)


def _rows(graph: Graph, columns: int) -> Iterator[tuple[str, str | None]]:
    """Lanes, of equal width before the names; only signs where lanes would be too wide."""
    rows = lanes(graph)
    room = width(rows)
    if room > columns // 4:
        yield from ((NODE, node) for node in graph.order)
        return
    for row in rows:
        yield (f"{row.signs:<{room}}" if row.name is not None else row.signs), row.name


def _of_stage(stage: StageView) -> list[Text]:
    style = LOOKS[stage.state].style
    return [
        _line((taken(stage.seconds, None, stage.state), "")),
        _line((result(stage), style if stage.state not in DONE else "dim")),
        _line((_measured(stage), "")),
        _line((stage.agent, "dim")),
    ]


def _of_group(stages: Sequence[StageView]) -> list[Text]:
    seconds = [stage.seconds for stage in stages if stage.seconds is not None]
    agents = {stage.agent for stage in stages if stage.agent}
    return [
        _line((taken(max(seconds), None, "passed") if seconds else "", "")),
        _line((tally(stages), "dim")),
        _line(),
        _line((f"{len(agents)} agents" if len(agents) > 1 else "".join(agents), "dim")),
    ]


def _measured(stage: StageView) -> str:
    parts = []
    if stage.tests:
        failed = f", {stage.tests.failed} failed" if stage.tests.failed else ""
        parts.append(f"{stage.tests.total} tests{failed}" if stage.tests.total != 1 else f"1 test{failed}")
    parts += [f"{metric.name} {number(metric.value)}" for metric in stage.metrics[:_METRICS]]
    return "; ".join(parts)


def _failures(run: RunView) -> Iterator[RenderableType]:
    for stage in run.stages:
        if stage.state not in ("failed", "cancelled") and not (stage.state == "queued" and stage.message):
            continue
        yield ""
        look = LOOKS[stage.state]
        yield _line((stage.name, "bold"), (f" {look.word}: ", look.style), (stage.message or "no reason", ""))
        for line in stage.tail:
            yield _line((f"    | {line}", "dim"))
        for link in stage.links:
            if link.label == "log":
                yield _line((f"    log: {link.url}", "dim"))


def _foot(run: RunView) -> Iterator[RenderableType]:
    done = sum(stage.state in DONE for stage in run.stages)
    rest = [stage for stage in run.stages if stage.state not in DONE]
    yield _line(
        (", ".join(part for part in (f"{done} of {len(run.stages)} done", tally(rest)) if part), "dim")
    )
    if run.approval:
        by = f" {run.approval.by}" if run.approval.by else " a person"
        message = f": {run.approval.message}" if run.approval.message else ""
        yield _line((f"waits for{by}{message}", LOOKS["approval"].style))
        if run.approval.url:
            yield _line((run.approval.url, "dim"))
