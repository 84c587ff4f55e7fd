"""How the parts of a report look in words, the same in every view of it. Nothing here is escaped yet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipegen.records import GateCheck, GateResult
from pipegen.records.report import Change, Direction, Group, Groups, Measure, Report
from pipegen.views.gate_table import WORDS
from pipegen.views.plain import count
from pipegen.views.states import clock, number

BARS = "▁▂▃▄▅▆▇█"
MOST_SHOWN = 12
"""Metrics, groups and changes that are shown before the rest is folded, or left to the page."""
MOST_ROWS = 300
"""Metrics that the page unfolds; more are counted."""
SIGNS = {"good": "✓", "look": "!", "bad": "✗"}
_VERDICT_SIGNS = {"passed": "✓", "failed": "✗", "warned": "!", "waived": "!", "new": "–"}


@dataclass(frozen=True)
class Compared:
    """One number beside another."""

    arrow: str
    """`▲`, `▼`, `=`; empty where there is nothing to compare with."""
    says: str
    """`+0.012 (+1.5%)`."""
    judged: str
    """`better`, `worse`, `same`, or empty where nobody says which way is better."""


NOTHING = Compared("", "", "")


def compared(value: float, base: float | None, better: Direction) -> Compared:
    """How a number moved."""
    if base is None or not (math.isfinite(value) and math.isfinite(base)):
        return NOTHING
    change = value - base
    if abs(change) <= 1e-12 * max(abs(value), abs(base)):
        return Compared("=", "no change", "same")
    up = change > 0
    share = f" ({change / abs(base) * 100:+.3g}%)" if base else ""
    judged = ("better" if (better == "up") == up else "worse") if better else ""
    sign = "+" if up else "-"
    return Compared("▲" if up else "▼", f"{sign}{figure(abs(change))}{share}", judged)


def figure(value: float) -> str:
    """A number for people."""
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    return number(int(value) if value.is_integer() and abs(value) < 1e15 else value)


@dataclass(frozen=True)
class Row:
    """One metric as it is shown."""

    measure: Measure
    key: str
    file: str
    value: str
    base: str
    change: Compared
    """Against the base."""
    since: Compared
    """Against the last report."""

    @property
    def line(self) -> tuple[float, ...]:
        """What a sparkline shows; nothing where there is no earlier run."""
        values = (*self.measure.before, self.measure.value)
        return values if len(values) > 1 and math.isfinite(self.measure.value) else ()


def rows(report: Report) -> list[Row]:
    """The metrics, those of gates first."""
    return [
        Row(
            measure=measure,
            key=measure.name.rpartition(":")[2] or measure.name,
            file=measure.name.rpartition(":")[0],
            value=figure(measure.value),
            base="" if measure.base is None else figure(measure.base),
            change=compared(measure.value, measure.base, measure.better),
            since=compared(measure.value, measure.last, measure.better),
        )
        for measure in report.measures
    ]


def sparkline(values: Sequence[float]) -> str:
    """A line of blocks."""
    low, high = min(values), max(values)
    if high <= low:
        return BARS[3] * len(values)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in values)


# ---------------------------------------------------------------------------------------------- sentences


def title(report: Report) -> str:
    """`house-prices nightly 12`."""
    return " ".join(part for part in (report.pipeline, report.workflow, report.number) if part)


def subject(report: Report) -> str:
    """The line of a letter: `✓ house-prices nightly 12: all gates passed`."""
    return f"{SIGNS[report.mood]} {title(report)}: {report.headline}"


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """What the report is of, by heading."""
    if report.commit:
        where = f" on {report.branch}" if report.branch else ""
        yield "Commit", f"{report.commit[:10]}{where}: {report.subject}".rstrip(": ")
    yield "Made", clock(report.at)
    if report.seconds is not None:
        from pipegen.views.states import duration

        yield "Took", duration(report.seconds)
    if report.owner:
        yield "Owner", report.owner


def change_words(change: Change) -> str:
    """`0.1 → 0.2`; of data without a size only that it changed."""
    if change.before == change.now:
        return "changed"
    if not change.before or not change.now:
        return (
            change.now if change.now == "not there" else "new" if change.before == "not there" else "changed"
        )
    if change.before == "not there":
        return f"new: {change.now}"
    return "gone" if change.now == "not there" else f"{change.before} → {change.now}"


def nothing_changed(report: Report) -> str:
    """A sentence where no change is known."""
    changes = report.changes
    return f"Nothing changed since {changes.since}." if changes.is_empty and not changes.why_not else ""


def checks(report: Report) -> Iterator[tuple[GateResult, GateCheck, bool, str]]:
    """Each condition of each gate: whether it is the gate's first, and its word."""
    for gate in report.gates.gates if report.gates else ():
        for index, check in enumerate(gate.checks):
            met = WORDS["passed"][0]
            word = WORDS["new" if check.state == "new" else gate.verdict][0] if check.state != "met" else met
            yield gate, check, index == 0, word


def gate_sign(gate: GateResult) -> str:
    """Of its verdict."""
    return _VERDICT_SIGNS[gate.verdict]


def gate_words(report: Report, gate: GateResult) -> str:
    """All there is to say of a gate that is not green, or was not."""
    parts = (gate.waiver, gate.message, report.reds.get(gate.gate, "") if not gate.is_green else "")
    return "; ".join(part for part in parts if part)


def gate_tally(report: Report) -> str:
    """`3 gates: 2 passed, 1 failed`."""
    gates = report.gates.gates if report.gates else ()
    said = [(sum(gate.verdict == verdict for gate in gates), word) for verdict, (word, _) in WORDS.items()]
    return f"{count(len(gates), 'gate')}: " + ", ".join(f"{many} {word}" for many, word in said if many)


def test_tally(report: Report) -> str:
    """`31 tests of 6 stages: 30 passed, 1 failed`."""
    total, failed = (sum(getattr(each, word) for each in report.tests) for word in ("total", "failed"))
    skipped = sum(each.skipped for each in report.tests)
    parts = ((total - failed - skipped, "passed"), (failed, "failed"), (skipped, "skipped"))
    said = ", ".join(f"{many} {word}" for many, word in parts if many)
    return f"{count(total, 'test')} of {count(len(report.tests), 'stage')}: {said}"


def share(group: Group, groups: Groups) -> float:
    """The length of a group's bar, from 0 to 1."""
    most = max((abs(each.value) for each in groups.groups if math.isfinite(each.value)), default=0.0)
    return abs(group.value) / most if most and math.isfinite(group.value) else 0.0
