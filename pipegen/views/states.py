"""How states look: a sign, a word and a colour each, the same on a terminal and on a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipegen.records import RunView, StageView, State
from pipegen.runner.progress import duration

__all__ = [
    "DONE",
    "LOOKS",
    "PROGRESS",
    "Look",
    "clock",
    "counts",
    "duration",
    "heading",
    "number",
    "result",
    "server_of",
    "taken",
    "tally",
]


@dataclass(frozen=True)
class Look:
    """How one state looks."""

    sign: str
    ascii: str
    """The sign for a terminal that has no others."""
    word: str
    style: str
    """Rich's, for a terminal; pages have the state as a class."""


LOOKS: Mapping[State, Look] = {
    "failed": Look("✗", "x", "failed", "bold red"),
    "cancelled": Look("■", "#", "cancelled", "yellow"),
    "approval": Look("?", "?", "waits for approval", "magenta"),
    "running": Look("▶", ">", "running", "blue"),
    "queued": Look("…", ":", "waits for an agent", ""),
    "waiting": Look("○", ".", "waiting", "dim"),
    "warned": Look("!", "!", "warned", "yellow"),
    "passed": Look("✓", "+", "passed", "green"),
    "skipped": Look("–", "-", "skipped", "dim"),
}
"""In the order in which people want to hear of them."""

PROGRESS: tuple[State, ...] = (
    "passed", "warned", "failed", "cancelled", "running", "approval", "queued", "waiting", "skipped",
)  # fmt: skip
"""In the order in which a bar fills."""

DONE: frozenset[State] = frozenset(("passed", "warned"))
_SERVERS = {"jenkins": "Jenkins", "gocd": "GoCD", "local": "this machine"}


def counts(stages: Iterable[StageView]) -> dict[State, int]:
    """How many stages there are of each state, in the order of `LOOKS`."""
    found = Counter(stage.state for stage in stages)
    return {state: found[state] for state in LOOKS if found[state]}


def tally(stages: Iterable[StageView]) -> str:
    """The same in words: `1 failed, 2 running, 9 passed`."""
    return ", ".join(f"{number} {LOOKS[state].word}" for state, number in counts(stages).items())


def server_of(run: RunView) -> str:
    """The server's name as it writes itself."""
    return _SERVERS.get(run.server, run.server)


def heading(run: RunView) -> str:
    """What runs, and where: `house-prices nightly 12 on Jenkins`."""
    where = server_of(run)
    parts = (run.pipeline, run.workflow, run.number, f"on {where}" if where else "")
    return " ".join(part for part in parts if part)


def taken(seconds: float | None, expected: float | None, state: State) -> str:
    """How long: `12s`, and while it goes on `12s of about 40s`."""
    if seconds is None:
        return ""
    if state == "running" and expected and expected >= 1:
        return f"{duration(seconds)} of about {duration(expected)}"
    return duration(seconds)


def result(stage: StageView) -> str:
    """What became of a stage, in a word: `restored`, `unchanged`, `failed` …"""
    if stage.state in DONE and stage.outcome:
        return stage.outcome if stage.state == "passed" else f"{LOOKS[stage.state].word}, {stage.outcome}"
    return LOOKS[stage.state].word


def number(value: object) -> str:
    """A metric's value, short: four digits that count, thousands apart where there are tens of them."""
    if isinstance(value, bool) or value is None:
        return "none" if value is None else str(value).lower()
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float) and 10_000 <= abs(value) < 1e12:
        return f"{value:,.0f}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def clock(time: str) -> str:
    """`2026-11-23 07:56 UTC`."""
    return f"{time[:10]} {time[11:16]} UTC" if time else ""
