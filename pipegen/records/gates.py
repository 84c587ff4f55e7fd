"""What became of gates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["passed", "failed", "warned", "waived", "new"]
"""What became of a gate.

`failed`: a condition is missed, or can't be judged. `warned`: the same of a soft gate. `waived`: the same, but a waiver
lets it through. `new`: there is nothing yet to compare with; every other condition is met.
"""


@dataclass(frozen=True, kw_only=True)
class GateCheck:
    """One condition of a gate."""

    rule: str
    """The word of the description: `min`, `max_increase` …"""
    state: Literal["met", "missed", "unknown", "new"]
    """`unknown`: it can't be judged, which counts as missed. `new`: there is nothing yet to compare with."""
    value: str
    """What was found, for people."""
    limit: str
    """What is allowed, for people: `at least 0.75`."""
    message: str
    """One sentence with both."""


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """One gate, judged."""

    gate: str
    verdict: Verdict
    metric: str
    """As the description has it: `FILE:PATH`."""
    checks: tuple[GateCheck, ...] = ()
    baseline: str = ""
    """What it was compared with, for people: `production (house-price v1.2.0, 1a2b3c4d5e)`."""
    waiver: str = ""
    """Who waived it, until when and why; or who did until it expired."""

    @property
    def is_green(self) -> bool:
        """Whether every condition is met."""
        return self.verdict == "passed"

    @property
    def message(self) -> str:
        """All that is not met, in sentences."""
        return "; ".join(check.message for check in self.checks if check.state != "met")


@dataclass(frozen=True, kw_only=True)
class GateRun:
    """The gates of one run, judged: the evidence that a promotion asks for."""

    at: str
    """ISO 8601, UTC."""
    passed: bool
    """Whether no hard gate failed without a waiver."""
    gates: tuple[GateResult, ...]
    values: dict[str, float] = field(default_factory=dict)
    """Every metric that a gate looked at, by `FILE:PATH` without `*`; finite numbers only."""
    workflow: str = ""
    """Empty for one that a person asked for."""
    commit: str = ""
    tree: str = ""
    stamp: str = ""
    """What the metrics were made of, as in the lock fragments: the tree, and the values that the run fixed. Empty where
    they were simply there."""
    agent: str = ""
    url: str = ""
    """Of the build on its server."""
