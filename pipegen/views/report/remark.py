"""The report as a comment on a pull request: what a reviewer wants to know, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from pipegen.records.report import Report
from pipegen.views.plain import count
from pipegen.views.report import look
from pipegen.views.report.markdown import md

MOST_ROWS = 20
_MOST_WHY = 10


def remark(report: Report) -> str:
    """The comment's text."""
    parts = (_head(report), _metrics(report), _gates(report), _groups(report), _foot(report))
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part))) + "\n"


def _head(report: Report) -> Iterator[str]:
    yield f"### {look.SIGNS[report.mood]} {md(look.title(report))}: {md(report.headline)}"
    yield ""
    yield md(report.next_step)


def _metrics(report: Report) -> Iterator[str]:
    rows = look.rows(report)
    shown = [row for row in rows if row.measure.is_gated][:MOST_ROWS] or rows[: look.MOST_SHOWN]
    moved = [row for row in rows if row not in shown and row.change.arrow in ("▲", "▼")]
    if report.no_base:
        yield md(report.no_base)
        yield ""
    if not shown:
        yield "No metrics are known."
        return
    yield from _table(report, shown)
    if moved:
        yield ""
        yield f"<details><summary>{count(len(moved), 'other metric')} changed</summary>"
        yield ""
        yield from _table(report, moved[:MOST_ROWS])
        yield ""
        yield "The rest is in the report.</details>" if len(moved) > MOST_ROWS else "</details>"


def _table(report: Report, rows: Iterable[look.Row]) -> Iterator[str]:
    yield f"| metric | {md(report.base)} | now | change |" if report.base else "| metric | now |"
    yield "|---|--:|--:|---|" if report.base else "|---|--:|"
    for row in rows:
        name = f"{md(row.key)} <sub>{md(row.file)}</sub>" if row.file else md(row.key)
        if report.base:
            change = f"{row.change.arrow} {row.change.says}".strip()
            judged = f" {row.change.judged}" if row.change.judged in ("better", "worse") else ""
            yield f"| {name} | {md(row.base)} | **{md(row.value)}** | {md(change)}{judged} |"
        else:
            yield f"| {name} | **{md(row.value)}** |"


def _gates(report: Report) -> Iterator[str]:
    if report.no_gates:
        yield md(report.no_gates)
        return
    if report.gates is None or not report.gates.gates:
        return
    yield "| gate | value | limit | result |"
    yield "|---|---|---|---|"
    lines = [
        f"| {md(gate.gate) if first else ''} | {md(check.value)} | {md(check.limit)} | "
        f"{'✓' if check.state == 'met' else look.gate_sign(gate)} {word} |"
        for gate, check, first, word in look.checks(report)
    ]
    yield from lines[: 2 * MOST_ROWS]
    if len(lines) > 2 * MOST_ROWS:
        yield ""
        yield f"{look.gate_tally(report)}; all of them are in the report"
    red = [gate for gate in report.gates.gates if not gate.is_green and look.gate_words(report, gate)]
    if red:
        yield ""
    for gate in red[:_MOST_WHY]:
        yield f"- {md(gate.gate)}: {md(look.gate_words(report, gate))}"


def _groups(report: Report) -> Iterator[str]:
    for groups in report.groups[:3]:
        worst = "; ".join(f"{md(each.name)}: {look.figure(each.value)}" for each in groups.groups[:3])
        yield f"{md(groups.metric)} by group, {groups.order}: {worst}"


def _foot(report: Report) -> Iterator[str]:
    if report.tests:
        yield look.test_tally(report)
        yield ""
    of = f" of {report.commit[:10]}" if report.commit.isalnum() else ""
    if report.url.lower().startswith(("http://", "https://")):
        yield f"[The build with the whole report]({quote(report.url, safe=':/?&=%#@+,;~')}){of}"
    elif of:
        yield f"The report{of}"
