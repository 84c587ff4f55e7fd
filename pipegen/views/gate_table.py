"""The gates of a run, and of many runs, as one table for a terminal of 100 columns, or for a mail."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from pipegen.records import GateCheck, GateResult, GateRun, Verdict
from pipegen.runner.gates.trends import GateTrend, Red
from pipegen.views.plain import count, plain

WIDTH = 100
WORDS: dict[Verdict, tuple[str, str]] = {
    "passed": ("passed", "green"),
    "failed": ("failed", "red"),
    "warned": ("warning", "yellow"),
    "waived": ("waived", "yellow"),
    "new": ("not compared", "yellow"),
}
"""For each verdict its word, and the colour of that."""
_MOST = 30
"""Characters of a gate's name, of a value, and of a limit."""

Style = Callable[[str, str], str]
"""Gives a text a colour."""


def gate_table(run: GateRun, style: Style = lambda text, _: text) -> str:
    """One line for each condition, then a sentence for each gate that is not green.

    Args:
        run: the gates, judged.
        style: colours a text, where colour is wanted.
    """
    if not run.gates:
        return "no gates"
    rows = [(gate, check, index) for gate in run.gates for index, check in enumerate(gate.checks)]
    widths = [max(len(head), *(len(cell(gate, check)) for gate, check, _ in rows)) for head, cell in _COLUMNS]
    head = "  ".join(f"{head:<{width}}" for (head, _), width in zip(_COLUMNS, widths, strict=True))
    lines = [style(f"{head}  result", "bright_black")]
    for gate, check, index in rows:
        cells = [cell(gate, check) for _, cell in _COLUMNS]
        if index:
            cells[0] = ""
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        lines.append(f"{line}  {style(*_word(gate, check))}")
    lines += [line for gate in run.gates if not gate.is_green for line in _sentence(gate)]
    return "\n".join([*lines, "", _summary(run)])


def trend_table(trends: Sequence[GateTrend], style: Style = lambda text, _: text) -> str:
    """One line for each gate of each workflow: what it is now, and when it was red.

    Args:
        trends: the gates.
        style: colours a text, where colour is wanted.
    """
    names = [(_short(trend.gate), _short(trend.workflow or "here")) for trend in trends]
    wide = [
        max(len(head), *(len(row[index]) for row in names)) for index, head in enumerate(("gate", "workflow"))
    ]
    lines = [
        style(f"{'gate':<{wide[0]}}  {'workflow':<{wide[1]}}  runs  now           last red", "bright_black")
    ]
    for trend, (gate, workflow) in zip(trends, names, strict=True):
        word, colour = WORDS[trend.now]
        now = style(f"{word:<12}", colour)
        line = f"{gate:<{wide[0]}}  {workflow:<{wide[1]}}  {len(trend.verdicts):>4}  {now}  {_red(trend.red)}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def _red(red: Red | None) -> str:
    if red is None:
        return ""
    since = f"{red.commit[:10] or 'no commit'}, {red.since[:16].replace('T', ' ')}"
    if red.seconds is None:
        return f"since {since}: {count(red.runs, 'run')}"
    return f"{since}; green after {_span(red.seconds)}"


def _span(seconds: float) -> str:
    """A span of time as people say it of fixing something: `12 min`, `3.5 h`, `2.1 days`."""
    if seconds < 3600:
        return f"{max(1, round(seconds / 60))} min"
    return f"{seconds / 3600:.3g} h" if seconds < 2 * 86400 else f"{seconds / 86400:.3g} days"


def _word(gate: GateResult, check: GateCheck) -> tuple[str, str]:
    if check.state == "met":
        return WORDS["passed"]
    return WORDS["new" if check.state == "new" else gate.verdict]


def _sentence(gate: GateResult) -> list[str]:
    said = "; ".join(part for part in (gate.waiver, gate.message) if part)
    wrapped = textwrap.wrap(
        plain(f"{gate.gate}: {said}"), WIDTH, subsequent_indent="  ", break_on_hyphens=False
    )
    return ["", *wrapped[:12], *(["  …"] if len(wrapped) > 12 else [])]


def _summary(run: GateRun) -> str:
    """`4 gates: 2 passed, 1 failed, 1 waived`."""
    tally = [
        (sum(gate.verdict == verdict for gate in run.gates), word) for verdict, (word, _) in WORDS.items()
    ]
    return f"{count(len(run.gates), 'gate')}: " + ", ".join(
        f"{number} {word}" for number, word in tally if number
    )


def _short(text: str) -> str:
    text = plain(text)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


_COLUMNS: tuple[tuple[str, Callable[[GateResult, GateCheck], str]], ...] = (
    ("gate", lambda gate, _: _short(gate.gate)),
    ("value", lambda _, check: _short(check.value)),
    ("limit", lambda _, check: _short(check.limit)),
)
