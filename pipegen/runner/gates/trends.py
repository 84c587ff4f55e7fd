"""Gates over their runs: what each is now, the commit that made it red, and how long until it was green."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pipegen.records import GateRun, Verdict

RED: frozenset[Verdict] = frozenset(("failed", "warned", "waived"))
"""Also what was let through: its condition is missed."""


@dataclass(frozen=True)
class Red:
    """The last time that a gate was red."""

    commit: str
    """The first that was red."""
    since: str
    """When that was judged: ISO 8601, UTC."""
    runs: int
    """How many runs were red, one after the other."""
    seconds: float | None
    """Until it was green again; None while it is red."""


@dataclass(frozen=True)
class GateTrend:
    """One gate of one workflow."""

    gate: str
    workflow: str
    """Empty for what people asked for."""
    verdicts: tuple[Verdict, ...]
    """Of each run, oldest first."""
    red: Red | None
    """None where it never was."""

    @property
    def now(self) -> Verdict:
        """What became of it in the last run."""
        return self.verdicts[-1]


def gate_trends(runs: Iterable[GateRun]) -> list[GateTrend]:
    """All gates of all workflows, those that are red now first."""
    judged: dict[tuple[str, str], list[tuple[GateRun, Verdict]]] = {}
    for run in sorted(runs, key=lambda run: run.at):
        for gate in run.gates:
            judged.setdefault((run.workflow, gate.gate), []).append((run, gate.verdict))
    found = [
        GateTrend(gate, workflow, tuple(verdict for _, verdict in rows), _last_red(rows))
        for (workflow, gate), rows in judged.items()
    ]
    return sorted(found, key=lambda trend: (trend.now not in RED, trend.workflow, trend.gate))


def _last_red(rows: list[tuple[GateRun, Verdict]]) -> Red | None:
    """A run in which there was nothing to compare with is neither red nor green."""
    first: GateRun | None = None
    count, ended = 0, ""
    for run, verdict in rows:
        if verdict in RED:
            if first is None or ended:
                first, count, ended = run, 0, ""
            count += 1
        elif verdict == "passed" and first is not None and not ended:
            ended = run.at
    if first is None:
        return None
    return Red(first.commit, first.at, count, _seconds(first.at, ended) if ended else None)


def _seconds(began: str, ended: str) -> float:
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
