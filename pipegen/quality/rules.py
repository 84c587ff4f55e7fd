"""The rules of gates. Pure: metrics and baselines come in as values, a judgement comes out.

Every comparison is exact on the decimals as they are written, and a value that equals its limit meets it. A percentage
is one of the absolute value that it is compared with; of zero it is zero, so that only "no change" meets it. Whatever
can't be judged (no number, NaN, nothing there) counts as missed; only a baseline that does not exist yet does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from pipegen.description.model import Gate
from pipegen.description.reading import shorten
from pipegen.description.text import Metric, Percent
from pipegen.quality.metrics import File, Unusable, exact, select, shown
from pipegen.records import GateCheck

_BOUNDS: dict[str, tuple[str, str, int]] = {
    "min": ("at least", "below", 1),
    "max": ("at most", "above", -1),
    "worst_min": ("at least", "below", 1),
    "worst_max": ("at most", "above", -1),
}
"""For each rule the words of its limit and of a miss, and the sign by which what is good is positive."""
_CHANGES = {"max_increase": ("above", 1), "max_decrease": ("below", -1)}


@dataclass(frozen=True)
class Baseline:
    """What a gate compares with."""

    name: str
    """For people: `production (house-price v1.2.0, 1a2b3c4d5e)`."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """By metric, `FILE:PATH`."""
    missing: str = ""
    """Why there is none yet: a sentence."""
    broken: str = ""
    """Why there is one that can't be had: a sentence."""


@dataclass(frozen=True)
class Judged:
    """A gate's conditions, and the numbers that were looked at, by `FILE:PATH` without `*`."""

    checks: tuple[GateCheck, ...]
    values: Mapping[str, float]


@dataclass(frozen=True)
class _Group:
    name: str
    """What stands for `*`."""
    key: str
    number: Fraction


class _Unknown(Exception):
    """A condition can't be judged; the message is the whole sentence."""


def judge(gate: Gate, files: Mapping[str, File], baseline: Baseline | None = None) -> Judged:
    """Judge all conditions of a gate.

    Args:
        gate: the gate.
        files: the metrics files that it names, by path.
        baseline: what `against` means, where the gate has that.
    """
    judging = _Judging(gate, files, baseline)
    return Judged(tuple(judging.checks()), judging.values)


class _Judging:
    def __init__(self, gate: Gate, files: Mapping[str, File], baseline: Baseline | None) -> None:
        self.gate, self.files, self.baseline = gate, files, baseline
        self.values: dict[str, float] = {}

    def checks(self) -> Iterator[GateCheck]:
        gate = self.gate
        for rule in _BOUNDS:
            if getattr(gate, rule) is not None:
                yield self._judged(rule, lambda rule=rule: self._bound(rule))
        for rule in _CHANGES:
            if getattr(gate, rule) is not None:
                yield self._judged(rule, lambda rule=rule: self._change(rule))
        if gate.max_gap is not None:
            yield self._judged("max_gap", self._gap)
        if gate.max_spread is not None:
            yield self._judged("max_spread", self._spread)

    def _judged(self, rule: str, judged: Any) -> GateCheck:
        try:
            check: GateCheck = judged()
        except _Unknown as unknown:
            return GateCheck(
                rule=rule, state="unknown", value="?", limit=self._limit(rule), message=str(unknown)
            )
        return check

    def _limit(self, rule: str) -> str:
        allowed = getattr(self.gate, rule)
        text = str(allowed) if isinstance(allowed, str) else shown(allowed)
        if rule in _BOUNDS:
            return f"{_BOUNDS[rule][0]} {text}"
        if rule in _CHANGES:
            return f"at most {text} {_CHANGES[rule][0]} {self.gate.against}"
        return f"{'gap' if rule == 'max_gap' else 'spread'} at most {text}"

    # ------------------------------------------------------------------------------------------ the rules

    def _bound(self, rule: str) -> GateCheck:
        """`min` and `max` of one value, `worst_min` and `worst_max` of the worst group."""
        _, miss, sign = _BOUNDS[rule]
        limit = _limit_of(getattr(self.gate, rule))
        if rule.startswith("worst_"):
            worst = min(self._groups(), key=lambda group: (sign * group.number, group.key))
            name, number, which = shorten(f"{self._file}:{worst.key}"), worst.number, f" ({worst.name})"
        else:
            name, number, which = str(self.gate.metric), self._one(self.gate.metric), ""
        met = sign * number >= sign * limit
        value = shown(number) if met or shown(number) != shown(limit) else repr(float(number))
        relation = f"{self._limit(rule)} is asked" if met else f"{miss} {shown(limit)}"
        return self._check(rule, met, f"{value}{which}", f"{name} is {value}, {relation}")

    def _change(self, rule: str) -> GateCheck:
        """`max_increase` and `max_decrease`: one value against the same one of the baseline."""
        word, sign = _CHANGES[rule]
        number = self._one(self.gate.metric)
        baseline = self.baseline
        assert baseline is not None, "the description asks for `against` beside it"
        if baseline.broken:
            raise _Unknown(f"can't compare with {baseline.name}: {baseline.broken}")
        metric = str(self.gate.metric)
        if baseline.missing or metric not in baseline.values:
            reason = baseline.missing or f"{baseline.name} has no {metric}"
            return GateCheck(
                rule=rule,
                state="new",
                value=shown(number),
                limit=self._limit(rule),
                message=f"not compared: {reason}",
            )
        before = self._number(baseline.values[metric], f"{metric} of {baseline.name}")
        change = sign * (number - before)
        allowed = _allowed(getattr(self.gate, rule), before)
        said = (
            f"{metric} is {shown(number)}, {_told(change, word, before)} {shown(before)} of {baseline.name}"
        )
        return self._check(
            rule, change <= allowed, shown(number), said + _zero(getattr(self.gate, rule), before)
        )

    def _gap(self) -> GateCheck:
        """`max_gap`: how far two metrics of this run are apart, whichever is larger."""
        compare, limit = self.gate.compare, self.gate.max_gap
        assert compare is not None, "the description asks for `compare` beside it"
        number, other = self._one(self.gate.metric), self._one(compare)
        gap = abs(number - other)
        size = _size(gap, other)
        said = f"{self.gate.metric} is {shown(number)} and {compare} is {shown(other)}: a gap of {size}"
        return self._check(
            "max_gap", gap <= _allowed(limit, other), f"gap {size}", said + _zero(limit, other)
        )

    def _spread(self) -> GateCheck:
        """`max_spread`: from the lowest group to the highest; a percentage is one of the groups' mean."""
        groups, limit = self._groups(), self.gate.max_spread
        if len(groups) < 2:
            only = f"{self.gate.metric} has one group only, {groups[0].name}"
            raise _Unknown(f"{only}: there is nothing to compare")
        low, high = min(groups, key=lambda g: g.number), max(groups, key=lambda g: g.number)
        mean = sum((group.number for group in groups), Fraction(0)) / len(groups)
        spread = high.number - low.number
        size = _size(spread, mean)
        said = (
            f"{len(groups)} groups of {self.gate.metric} reach from {shown(low.number)} ({low.name}) "
            f"to {shown(high.number)} ({high.name}): a spread of {size}"
        )
        met = spread <= _allowed(limit, mean)
        return self._check("max_spread", met, f"spread {size}", said + _zero(limit, mean))

    def _check(self, rule: str, met: bool, value: str, said: str) -> GateCheck:
        state: Literal["met", "missed"] = "met" if met else "missed"
        limit = self._limit(rule)
        allowed = limit.removeprefix("gap ").removeprefix("spread ")
        message = said if rule in _BOUNDS else f"{said}; {allowed} is allowed"
        return GateCheck(rule=rule, state=state, value=value, limit=limit, message=message)

    # ------------------------------------------------------------------------------------------ the values

    @property
    def _file(self) -> str:
        return Metric(self.gate.metric).file

    def _one(self, metric: str) -> Fraction:
        """The value of a metric without `*`."""
        found = self._found(metric)
        return self._looked_at(metric, next(iter(found.values())))

    def _groups(self) -> list[_Group]:
        """The values of a metric with `*`, all of them numbers."""
        metric = str(self.gate.metric)
        found = self._found(metric)
        path = Metric(metric).path
        return [
            _Group(_group_in(key, path), key, self._looked_at(f"{self._file}:{key}", value))
            for key, value in found.items()
        ]

    def _found(self, metric: str) -> dict[str, Any]:
        where = Metric(metric)
        file = self.files.get(where.file) or File(problem="is not there")
        if file.problem:
            raise _Unknown(f"{where.file} {file.problem}")
        try:
            found = select(file.content, where.path)
        except Unusable as reason:
            raise _Unknown(f"{metric} {reason}") from None
        if not found:
            raise _Unknown(f"{where.file} has no {where.path}{_nearest(file.content, where.path)}")
        return found

    def _looked_at(self, name: str, value: Any) -> Fraction:
        number = self._number(value, shorten(name))
        self.values[name] = float(number)
        return number

    @staticmethod
    def _number(value: Any, name: str) -> Fraction:
        try:
            return exact(value)
        except Unusable as reason:
            raise _Unknown(f"{name} {reason}") from None


def _group_in(key: str, path: str) -> str:
    """What stands for `*` in a key that was found; the whole key where several do."""
    before, _, behind = path.partition("*")
    return shorten(key if "*" in behind else key[len(before) : len(key) - len(behind)])


def _limit_of(value: float) -> Fraction:
    return Fraction(repr(float(value)))


def _allowed(limit: float | str | None, of: Fraction) -> Fraction:
    """How much a limit allows: an absolute number, or a share of what it is compared with."""
    assert limit is not None
    if isinstance(limit, str):
        return Fraction(Percent(limit)[:-1]) / 100 * abs(of)
    return _limit_of(limit)


def _told(change: Fraction, word: str, before: Fraction) -> str:
    if not change:
        return "equal to"
    word = word if change > 0 else {"above": "below", "below": "above"}[word]
    return f"{_size(abs(change), before)} {word}"


def _size(change: Fraction, of: Fraction) -> str:
    """A difference for people, with its share where that means something."""
    share = f" ({float(change / abs(of) * 100):.4g}%)" if of and change else ""
    return f"{shown(change)}{share}"


def _zero(limit: float | str | None, of: Fraction) -> str:
    return (
        f" ({limit} of zero is zero: an absolute limit may be meant)"
        if isinstance(limit, str) and not of
        else ""
    )


def _nearest(content: Any, path: str) -> str:
    """The nearest key of the same depth, for one that was misspelled."""
    import difflib

    known = list(content)[:1000] if isinstance(content, Mapping) else []
    near = difflib.get_close_matches(path, [str(key) for key in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
