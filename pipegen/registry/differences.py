"""What two runs have not alike: parameters, commands, data, metrics, packages; and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from pipegen.records import GOOD
from pipegen.records.tracked import Data, TrackedRun, as_text

Kind = Literal["parameters", "commands", "data", "metrics", "packages"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that two runs have not alike."""

    kind: Kind
    name: str
    """`FILE:KEY`, a stage's address, a path, or a package."""
    one: Any = None
    """What the first run has; None where it has none. Plain data, as JSON has it."""
    other: Any = None
    is_made: bool = False
    """Whether it is data that a run made, so that it follows from something else."""

    @property
    def change(self) -> float | None:
        """By how much a number changed; None for all else."""
        if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in (self.one, self.other)):
            return None
        try:
            return float(self.other) - float(self.one)
        except OverflowError:
            return None


def differences(one: TrackedRun, other: TrackedRun) -> tuple[Difference, ...]:
    """All that two runs have not alike, by kind and name; swapped runs give the same with both sides swapped.

    A stage that came to no result in one of them is left out: what it would have read and made is not known.
    """
    left_out = set(without_result(one, other))
    two = [_Compared(run, _without(run, left_out)) for run in (one, other)]
    return tuple(
        difference
        for kind in get_args(Kind)
        for difference in _of_kind(kind, *(_PARTS[kind](each) for each in two))
    )


def without_result(one: TrackedRun, other: TrackedRun) -> tuple[str, ...]:
    """The addresses of stages that failed, were stopped or skipped in one of two runs, or in both; sorted."""
    stages = (*one.stages, *other.stages)
    return tuple(sorted({each.stage for each in stages if each.outcome not in GOOD}))


@dataclass(frozen=True)
class _Compared:
    whole: TrackedRun
    known: TrackedRun
    """Only the stages that came to a result in both."""


def _without(run: TrackedRun, stages: Collection[str]) -> TrackedRun:
    return replace(run, stages=tuple(each for each in run.stages if each.stage not in stages))


_PARTS: Mapping[Kind, Callable[[_Compared], Mapping[str, Any]]] = {
    "parameters": lambda each: {**each.whole.values, **each.known.params},
    "commands": lambda each: each.known.commands,
    "data": lambda each: each.known.data,
    "metrics": lambda each: each.known.metrics,
    "packages": lambda each: each.whole.packages,
}


def _of_kind(kind: Kind, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted({*one, *other}):
        there = [_plain(each[name]) if name in each else None for each in (one, other)]
        if (name in one) != (name in other) or as_text(there[0]) != as_text(there[1]):
            is_made = any(isinstance(e.get(name), Data) and e[name].role == "made" for e in (one, other))
            yield Difference(kind=kind, name=name, one=there[0], other=there[1], is_made=is_made)


def _plain(value: Any) -> Any:
    """Data is its hash: where the same bytes lie, and what made them, is told elsewhere."""
    return {"hash": value.hash, "size": value.size} if isinstance(value, Data) else value
