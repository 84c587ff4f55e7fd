"""The report as plain text: the page's twin for a terminal, a mail without HTML, and whoever reads with a program."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from pipegen.records.report import Change, Report
from pipegen.views.gate_table import gate_table
from pipegen.views.plain import count, plain
from pipegen.views.report import look
from pipegen.views.states import LOOKS, duration, result

WIDTH = 100
_LONGEST = 44


def text(report: Report) -> str:
    """All of it, in lines of at most about 100 characters."""
    parts = (
        _head(report),
        _changes(report),
        _metrics(report),
        _gates(report),
        _groups(report),
        _tests(report),
        _stages(report),
        _plots(report),
        _listing("Out of date", report.stale),
        _listing("Notes", report.notes),
    )
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part))) + "\n"


def _head(report: Report) -> Iterator[str]:
    yield from _wrapped(look.subject(report))
    yield ""
    yield from _wrapped(f"Next: {report.next_step}")
    yield ""
    for word, said in look.facts(report):
        yield from _wrapped(f"{word:<7} {said}", "        ")
    if report.url:
        yield f"Build   {plain(report.url)}"


def _changes(report: Report) -> Iterator[str]:
    changes = report.changes
    yield from _heading(f"What changed since {changes.since}" if changes.since else "What changed")
    for sentence in (changes.why_not, look.nothing_changed(report)):
        if sentence:
            yield from _wrapped(sentence)
    for commit in changes.commits:
        yield from _wrapped(f"  {commit.id[:10]} {commit.author}: {commit.subject}", "             ")
    if changes.more_commits:
        yield f"  and {count(changes.more_commits, 'older commit')}"
    for word, found in (("data", changes.data), ("parameter", changes.params), ("command", changes.commands)):
        yield from _listed(word, found)


def _listed(word: str, found: Sequence[Change]) -> Iterator[str]:
    for change in found[: look.MOST_SHOWN]:
        yield from _wrapped(f"  {word} {change.name}: {look.change_words(change)}", "    ")
    if len(found) > look.MOST_SHOWN:
        yield f"  and {len(found) - look.MOST_SHOWN} more like this"


def _metrics(report: Report) -> Iterator[str]:
    rows = look.rows(report)
    yield from _heading("Metrics" + (f" against {report.base}" if report.base else ""))
    if report.no_base:
        yield from _wrapped(report.no_base)
    if not rows:
        yield "No metrics are known."
        return
    table = [
        ("metric", "value", "was" if report.base else "", "", "since last report" if report.last else "", "")
    ]
    shown = [row for row in rows if row.measure.is_gated] or rows[: look.MOST_SHOWN]
    for row in shown:
        change = f"{row.change.arrow} {row.change.says} {row.change.judged}".strip()
        since = f"{row.since.arrow} {row.since.says}".strip()
        spark = look.sparkline(row.line) if row.line else ""
        table.append((_short(row.measure.name), row.value, row.base, change, since, spark))
    yield from _table(table, right=(1, 2))
    if len(rows) > len(shown):
        yield f"and {count(len(rows) - len(shown), 'other metric')}, on the page"


def _gates(report: Report) -> Iterator[str]:
    if report.no_gates:
        yield from _heading("Gates")
        yield from _wrapped(report.no_gates)
    elif report.gates is not None and report.gates.gates:
        yield from _heading("Gates")
        yield gate_table(report.gates)
        for name in (gate.gate for gate in report.gates.gates if gate.gate in report.reds):
            yield from _wrapped(f"{name}: {report.reds[name]}")


def _groups(report: Report) -> Iterator[str]:
    for groups in report.groups:
        yield from _heading(f"{groups.metric} by group, {groups.order} (gate {groups.gate})")
        table = []
        for group in groups.groups[: look.MOST_SHOWN]:
            change = look.compared(group.value, group.base, "")
            bar = "█" * round(look.share(group, groups) * 20)
            table.append(
                (_short(group.name), look.figure(group.value), f"{change.arrow} {change.says}".strip(), bar)
            )
        yield from _table(table, right=(1,))
        if len(groups.groups) > look.MOST_SHOWN:
            yield f"and {count(len(groups.groups) - look.MOST_SHOWN, 'more group')}"


def _tests(report: Report) -> Iterator[str]:
    if not report.tests:
        return
    yield from _heading("Tests")
    yield look.test_tally(report)
    for each in report.tests:
        for name in each.names:
            yield from _wrapped(f"  failed in {each.stage}: {name}", "    ")
        if each.failed and not each.names:
            yield from _wrapped(f"  {count(each.failed, 'failed test')} in {each.stage}", "    ")


def _stages(report: Report) -> Iterator[str]:
    if not report.stages:
        return
    yield from _heading("Stages")
    yield from _table(
        [
            (
                f"{LOOKS[stage.state].sign} {_short(stage.name)}",
                result(stage),
                "" if stage.seconds is None else duration(stage.seconds),
            )
            for stage in report.stages
        ],
        right=(2,),
    )
    for stage in report.stages:
        if stage.message and stage.state in ("failed", "cancelled"):
            yield from _wrapped(f"{stage.name}: {stage.message}", "  ")


def _plots(report: Report) -> Iterator[str]:
    if report.plots:
        yield from _heading("Plots")
        for plot in report.plots:
            yield from _wrapped(f"  {plot.title}: {plot.says or 'on the page'}", "    ")


def _listing(words: str, sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield from _heading(words)
        for sentence in sentences:
            yield from _wrapped(f"- {sentence}", "  ")


# ---------------------------------------------------------------------------------------------- lines


def _heading(words: str) -> Iterator[str]:
    line = plain(words)
    yield line
    yield "-" * min(len(line), WIDTH)


def _wrapped(words: str, indent: str = "") -> list[str]:
    return textwrap.wrap(plain(words), WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _short(words: str) -> str:
    """A name in a table: its end tells more than its beginning."""
    words = plain(words)
    return words if len(words) <= _LONGEST else f"…{words[-_LONGEST + 1 :]}"


def _table(rows: Iterable[tuple[str, ...]], right: Sequence[int] = ()) -> Iterator[str]:
    rows = list(rows)
    if not rows:
        return
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        cells = [
            f"{cell:>{width}}" if index in right else f"{cell:<{width}}"
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            if width
        ]
        yield "  ".join(cells).rstrip()
