"""The rules of gates: hand-computed cases for each rule and edge, and a plain reference for random ones."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipegen.description.load import loads
from pipegen.description.model import Gate
from pipegen.quality.metrics import File
from pipegen.quality.rules import Baseline, judge

NAN, INF = float("nan"), float("inf")
M = "m.json:x"
PRODUCTION = "production"


def states(
    gate: Gate, content: Any, baseline: Baseline | None = None, **others: Any
) -> tuple[list[str], str]:
    """The state of each condition, and all messages together."""
    files = {"m.json": File(content), **{f"{name}.json": File(value) for name, value in others.items()}}
    checks = judge(gate, files, baseline).checks
    return [check.state for check in checks], "; ".join(check.message for check in checks)


def state(gate: Gate, content: Any, baseline: Baseline | None = None, **others: Any) -> str:
    (found,), _ = states(gate, content, baseline, **others)
    return found


def before(value: Any) -> Baseline:
    return Baseline("production (m v1)", {M: value})


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ({"min": 0.75}, 0.75, "met"),
        ({"min": 0.75}, 0.7499999999, "missed"),
        ({"min": 0.75}, 3, "met"),
        ({"max": 10}, 10, "met"),
        ({"max": 10}, 10.000000001, "missed"),
        ({"max": -1}, -1.5, "met"),
        ({"min": 0.3}, 0.1 + 0.2, "met"),  # 0.30000000000000004 is above 0.3, as written
        ({"max": 0.3}, 0.1 + 0.2, "missed"),
        ({"min": 1e-300}, 1e-301, "missed"),
    ],
)
def test_bounds(rule: dict[str, float], value: float, expected: str) -> None:
    assert state(Gate(metric=M, **rule), {"x": value}) == expected


@pytest.mark.parametrize(
    ("rule", "was", "value", "expected"),
    [
        ({"max_increase": "2%"}, 100, 102, "met"),
        ({"max_increase": "2%"}, 100, 102.01, "missed"),
        ({"max_increase": "2%"}, 100, 5, "met"),
        ({"max_increase": 0.1}, 0.7, 0.8, "met"),  # 0.7 + 0.1 is 0.7999999999999999 to a processor
        ({"max_increase": "10%"}, 0.1, 0.11, "met"),
        ({"max_increase": "0%"}, 3, 3, "met"),
        ({"max_increase": "0%"}, 3, 3.0001, "missed"),
        ({"max_decrease": 0.05}, 0.9, 0.85, "met"),
        ({"max_decrease": 0.05}, 0.9, 0.849, "missed"),
        ({"max_decrease": 0.05}, 0.9, 2, "met"),
        ({"max_increase": "50%"}, -10, -5, "met"),  # a share of what it is without its sign
        ({"max_increase": "50%"}, -10, -4, "missed"),
        ({"max_decrease": "50%"}, -10, -15, "met"),
        ({"max_decrease": "50%"}, -10, -15.1, "missed"),
        ({"max_increase": "10%"}, 0, 0, "met"),  # a share of zero is zero
        ({"max_increase": "10%"}, 0, 1e-9, "missed"),
        ({"max_increase": "10%"}, 0, -1, "met"),
        ({"max_decrease": "10%"}, 0, -1e-9, "missed"),
        ({"max_increase": 0.5}, 0, 0.5, "met"),
    ],
)
def test_changes(rule: dict[str, Any], was: float, value: float, expected: str) -> None:
    gate = Gate(metric=M, against=PRODUCTION, **rule)
    assert state(gate, {"x": value}, before(was)) == expected


def test_a_miss_by_a_hair_shows_the_hair() -> None:
    assert (
        states(Gate(metric=M, min=0.75), {"x": 0.74999999999999})[1]
        == "m.json:x is 0.74999999999999, below 0.75"
    )


def test_a_share_of_zero_says_so() -> None:
    gate = Gate(metric=M, against=PRODUCTION, max_increase="10%")
    assert "10% of zero is zero: an absolute limit may be meant" in states(gate, {"x": 1}, before(0))[1]


@pytest.mark.parametrize(
    ("limit", "value", "other", "expected"),
    [
        (0.1, 0.8, 0.9, "met"),
        (0.1, 0.9, 0.8, "met"),  # whichever is larger
        (0.1, 0.8, 0.901, "missed"),
        ("10%", 90, 100, "met"),  # a share of the second
        ("10%", 100, 90, "missed"),
        ("10%", 0, 0, "met"),
        ("10%", 0.001, 0, "missed"),
    ],
)
def test_gap(limit: Any, value: float, other: float, expected: str) -> None:
    gate = Gate(metric=M, compare="train.json:x", max_gap=limit)
    assert state(gate, {"x": value}, train={"x": other}) == expected


@pytest.mark.parametrize(
    ("rule", "groups", "expected"),
    [
        ({"max_spread": 10}, [10, 20, 15], "met"),
        ({"max_spread": 10}, [10, 20.5], "missed"),
        ({"max_spread": "25%"}, [87.5, 112.5], "met"),  # 25 of the mean, 100
        ({"max_spread": "25%"}, [87, 112.5], "missed"),
        ({"max_spread": "25%"}, [-1, 1], "missed"),  # a share of the mean, which is zero
        ({"max_spread": 0}, [3, 3, 3], "met"),
        ({"max_spread": 5}, [3], "unknown"),  # one group alone is like all others: nothing was compared
        ({"worst_min": 0.6}, [0.9, 0.6, 0.7], "met"),
        ({"worst_min": 0.6}, [0.9, 0.59, 0.7], "missed"),
        ({"worst_max": 3}, [1, 2, 3], "met"),
        ({"worst_max": 3}, [1, 3.5, 2], "missed"),
        ({"worst_max": 3}, [1], "met"),
    ],
)
def test_groups(rule: dict[str, Any], groups: list[float], expected: str) -> None:
    content = {f"group {index}": {"x": value} for index, value in enumerate(groups)}
    assert state(Gate(metric="m.json:*.x", **rule), content) == expected


def test_the_worst_group_is_named() -> None:
    gate = Gate(metric="m.json:by.*.x", worst_min=0.5)
    _, said = states(gate, {"by": {"north": {"x": 0.4}, "south": {"x": 0.9}}})
    assert said == "m.json:by.north.x is 0.4, below 0.5"
    (check,) = judge(gate, {"m.json": File({"by": {"north": {"x": 0.4}, "south": {"x": 0.9}}})}).checks
    assert (check.value, check.limit) == ("0.4 (north)", "at least 0.5")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (NAN, "is not a number (NaN)"),
        (INF, "is infinite"),
        (-INF, "is minus infinite"),
        (True, "is true, which is no number"),
        ("0.9", "is the text '0.9', which is no number"),
        ("a\x1b[31m" + "b" * 99, "is the text 'a\N{REPLACEMENT CHARACTER}[31m"),
        (None, "is empty, which is no number"),
        ([1], "is a list of several values, which is no number"),
        ({"y": 1}, "is a mapping of several values, which is no number"),
        (10**400, "is too large a number"),
    ],
)
def test_what_is_no_number_never_passes(value: Any, reason: str) -> None:
    for gate, baseline in [
        (Gate(metric=M, max=1e9), None),
        (Gate(metric=M, min=-1e9), None),
        (Gate(metric=M, max_increase=1e9, against="last"), before(1)),
    ]:
        (found,), said = states(gate, {"x": value}, baseline)
        assert found == "unknown"
        assert f"m.json:x {reason}" in said
    assert state(Gate(metric="m.json:*.x", worst_max=1e9), {"a": {"x": 1}, "b": {"x": value}}) == "unknown"
    assert state(Gate(metric="m.json:*.x", max_spread=1e9), {"a": {"x": 1}, "b": {"x": value}}) == "unknown"
    assert state(Gate(metric=M, compare="o.json:x", max_gap=1e9), {"x": 1}, o={"x": value}) == "unknown"
    (found,), said = states(Gate(metric=M, max_increase=1e9, against="last"), {"x": 1}, before(value))
    assert found == "unknown"
    assert f"m.json:x of production (m v1) {reason}" in said


def test_what_is_not_there_never_passes() -> None:
    gate = Gate(metric="m.json:score", min=-1e9)
    assert states(gate, {"scores": 1}) == (["unknown"], "m.json has no score; did you mean 'scores'?")
    (check,) = judge(gate, {}).checks
    assert (check.state, check.message) == ("unknown", "m.json is not there")
    (check,) = judge(gate, {"m.json": File(problem="is 50 MiB")}).checks
    assert (check.state, check.message) == ("unknown", "m.json is 50 MiB")
    assert states(Gate(metric="m.json:*.x", max_spread=1), {})[0] == ["unknown"]


def test_no_baseline_yet_is_neither_green_nor_red() -> None:
    gate = Gate(metric=M, max_increase="2%", against=PRODUCTION, max=5)
    first = Baseline(PRODUCTION, missing="no version of m is in production yet")
    assert states(gate, {"x": 1}, first)[0] == ["met", "new"]
    assert states(gate, {"x": 9}, first)[0] == ["missed", "new"]
    found, said = states(Gate(metric=M, max_increase="2%", against=PRODUCTION), {"x": 1}, before(1))
    assert found == ["met"]
    assert "equal to 1 of production (m v1)" in said
    new_metric = Baseline("production (m v1)", {})
    assert state(Gate(metric=M, max_increase="2%", against=PRODUCTION), {"x": 1}, new_metric) == "new"


def test_a_baseline_that_can_t_be_had_is_red() -> None:
    broken = Baseline(PRODUCTION, broken="the remote is away")
    found, said = states(Gate(metric=M, max_increase="2%", against=PRODUCTION), {"x": 1}, broken)
    assert (found, said) == (["unknown"], "can't compare with production: the remote is away")


def test_this_run_s_own_value_is_asked_for_before_the_baseline() -> None:
    first = Baseline(PRODUCTION, missing="none")
    assert state(Gate(metric=M, max_increase="2%", against=PRODUCTION), {"x": NAN}, first) == "unknown"


# ------------------------------------------------------------------------------------------------- a plain reference

NUMBERS = st.integers(-1000, 1000) | st.decimals(-1000, 1000, places=3).map(float)
LIMITS = st.integers(0, 500).map(float) | st.decimals(0, 500, places=2).map(float)
SHARES = st.integers(0, 300).map(lambda n: f"{n}%") | st.sampled_from(["0.5%", "33.3%", "2.25%"])


def allowed(limit: float | str, of: Decimal) -> Decimal:
    if isinstance(limit, str):
        return Decimal(limit[:-1]) / 100 * abs(of)
    return Decimal(repr(limit))


def dec(value: float) -> Decimal:
    return Decimal(repr(value))


@given(NUMBERS, NUMBERS, LIMITS | SHARES)
@example(0.7, 0.8, 0.1)
@example(0, 0, "0%")
def test_changes_and_gaps_are_as_the_reference_says(was: float, value: float, limit: float | str) -> None:
    room = allowed(limit, dec(was))
    increase = Gate(metric=M, max_increase=limit, against="last")
    decrease = Gate(metric=M, max_decrease=limit, against="last")
    gap = Gate(metric=M, compare="o.json:x", max_gap=limit)
    assert (state(increase, {"x": value}, before(was)) == "met") is (dec(value) <= dec(was) + room)
    assert (state(decrease, {"x": value}, before(was)) == "met") is (dec(value) >= dec(was) - room)
    assert (state(gap, {"x": value}, o={"x": was}) == "met") is (abs(dec(value) - dec(was)) <= room)


@given(st.lists(NUMBERS, min_size=2, max_size=6), LIMITS | SHARES)
def test_groups_are_as_the_reference_says(values: list[float], limit: float | str) -> None:
    content = {f"g{index}": {"x": value} for index, value in enumerate(values)}
    numbers = [dec(value) for value in values]
    # compared times the count, so that the reference has no rounding either
    mean_times_count = sum(numbers, Decimal(0))
    spread = max(numbers) - min(numbers)
    room = (
        allowed(limit, mean_times_count)
        if isinstance(limit, str)
        else allowed(limit, Decimal(0)) * len(numbers)
    )
    gate = Gate(metric="m.json:*.x", max_spread=limit)
    assert (state(gate, content) == "met") is (spread * len(numbers) <= room)
    if not isinstance(limit, str):
        assert (state(Gate(metric="m.json:*.x", worst_min=limit), content) == "met") is (min(values) >= limit)
        assert (state(Gate(metric="m.json:*.x", worst_max=limit), content) == "met") is (max(values) <= limit)


@given(st.floats() | st.text() | st.none() | st.booleans() | st.lists(st.integers()))
def test_whatever_stands_there_has_an_answer(value: Any) -> None:
    found = state(Gate(metric=M, min=0.0), {"x": value})
    is_number = isinstance(value, float) and value - value == 0
    assert found == ("unknown" if not is_number else "met" if value >= 0 else "missed")


# ------------------------------------------------------------------------------------------------- the description


def problems(gate: str) -> str:
    from pipegen.description.gate_checks import gates

    text = 'name: a\nstages: {a: {cmd: "true"}}\nmodels: {m: {path: x}, n: {path: y}}\n'
    text += f"gates: {{g: {gate}}}\n"
    return "\n".join(map(str, gates(loads(text), {})))


def test_the_model_of_a_gate() -> None:
    right = "{metric: 'm.json:x', max_increase: 1, against: production, model: n}"
    assert problems(right) == ""
    assert "pipegen.yaml:4:" in problems(right.replace("model: n", "model: o"))
    assert "the model 'o' is not defined" in problems(right.replace("model: n", "model: o"))
    assert "'model' goes with" in problems(right.replace("production", "last"))
