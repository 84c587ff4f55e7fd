"""A run in the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipegen.records import Approval, Metric, RunView, StageView
from pipegen.views.stage_table import text
from pipegen.views.states import number
from tests.views.pictures import forecasts, house_prices, runs

DRAWN = """\
house-prices nightly 12 on Jenkins: ▶ running for 3m 12s of about 8m 00s
4f2c1e09aa on main · started by timer · 2026-11-23 07:56 UTC
https://ci.example.com/job/house-prices/12/

✓      ingest             12s  ran        12 tests                linux-1
✓      clean             4.0s  restored   5 tests                 linux-1
✓      features                unchanged                          linux-1
├─┬─╮
✓ │ │  train@lasso        23s  ran        r2 0.8112; rmse 23,457  linux-1
│ ✗ │  train@forest       44s  failed
│ │ ▶  train@boosting  1m 40s  running                            gpu-1
├─┴─╯
○      select                  waiting
○      evaluate                waiting
○      report                  waiting

train@forest failed: its command ended with exit code 1
    | Traceback (most recent call last):
    | ValueError: <b>n_estimators</b> must be > 0
    log: .pipegen/logs/train@forest.log

4 of 9 done, 1 failed, 1 running, 3 waiting
"""


def test_stages_are_drawn_as_a_graph_with_state_time_tests_metrics_and_agent() -> None:
    assert text(house_prices(), columns=100) == DRAWN


def test_terminals_without_signs_and_narrow_ones_get_what_they_can_show() -> None:
    drawn = text(house_prices(), columns=80, ascii_only=True)
    assert drawn.isascii()
    assert max(map(len, drawn.splitlines())) <= 80
    assert "| x |  train@forest" in drawn


def test_three_hundred_stages_fold_and_what_failed_is_still_named() -> None:
    drawn = text(forecasts(), columns=100)
    assert len(drawn.splitlines()) < 20
    assert "✗    train@* (60)" in drawn
    assert "train@region-06 failed: its command ended with exit code 1" in drawn
    assert len(text(forecasts(), columns=100, folded=False).splitlines()) > 300


def test_metrics_give_way_where_the_terminal_is_narrow() -> None:
    metrics = tuple(Metric(f"a_rather_long_name_{i}", i / 7) for i in range(3))
    stages = (
        StageView(
            name="validate", state="passed", outcome="ran", seconds=12, metrics=metrics, agent="linux-1"
        ),
        StageView(name="later", needs=("validate",), state="passed", outcome="unchanged", seconds=99),
    )
    for columns in (80, 100):
        line = text(RunView(pipeline="p", stages=stages), columns=columns).splitlines()[2]
        assert line.startswith("✓  validate     12s  ran        a_rather_long_name_0 0; a_rather")
        assert len(line) <= columns
        assert "…" in line
        assert text(RunView(pipeline="p", stages=stages), columns=columns, ascii_only=True).isascii()


def test_an_approval_says_who_is_waited_for_and_where_to_answer() -> None:
    run = RunView(
        pipeline="p",
        state="approval",
        approval=Approval(by="leads", message="promote?", url="https://ci.example.com/input"),
    )
    assert "waits for leads: promote?\nhttps://ci.example.com/input" in text(run)


def test_a_stage_that_finds_no_agent_says_so() -> None:
    stage = StageView(name="a", state="queued", message="no agent has the label gpu")
    assert "a waits for an agent: no agent has the label gpu" in text(RunView(pipeline="p", stages=(stage,)))


@settings(max_examples=40)
@given(run=runs(), columns=st.integers(80, 120), ascii_only=st.booleans())
def test_nothing_that_a_terminal_would_obey_comes_through(
    run: RunView, columns: int, ascii_only: bool
) -> None:
    drawn = text(run, columns=columns, ascii_only=ascii_only)
    assert "\x1b" not in drawn
    for stage in run.stages:
        assert stage.state in ("failed", "cancelled") or drawn.count("\n") >= len(run.stages)


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_colours_change_nothing_but_colours(columns: int) -> None:
    import re

    coloured = text(house_prices(), columns=columns, colour=True)
    assert "\x1b[" in coloured
    plain = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines())
    assert plain + "\n" == text(house_prices(), columns=columns)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0.81123, "0.8112"),
        (23456.7, "23,457"),
        (5913, "5913"),
        (1234567, "1,234,567"),
        (1e-7, "1e-07"),
        (1e15, "1e+15"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (True, "true"),
        (None, "none"),
        ("boosting", "boosting"),
    ],
)
def test_numbers_are_short(value: object, says: str) -> None:
    assert number(value) == says
