"""The picture of a run as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from pipegen.records import RunView, State, together
from tests.views.pictures import runs


@given(run=runs())
def test_a_picture_survives_json(run: RunView) -> None:
    assert RunView.from_data(json.loads(json.dumps(run.as_data()))) == run


def test_what_is_absent_is_empty_and_what_is_unknown_is_passed_over() -> None:
    run = RunView.from_data(
        {"run_view": 1, "pipeline": "p", "colour": "red", "stages": [{"name": "a", "x": 1}]}
    )
    assert run.stages[0].state == "waiting"
    assert run.server == ""


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "no picture"),
        ({"pipeline": "p"}, "no picture"),
        ({"run_view": 2, "pipeline": "p"}, "format 2"),
        ({"run_view": 1}, "the run has no pipeline"),
        ({"run_view": 1, "pipeline": 3}, "the run.pipeline is 3"),
        ({"run_view": 1, "pipeline": "p", "state": "green"}, "none of waiting"),
        ({"run_view": 1, "pipeline": "p", "stages": {}}, "stages is no list"),
        ({"run_view": 1, "pipeline": "p", "stages": ["a"]}, r"stages\[0\] is no object"),
        (
            {"run_view": 1, "pipeline": "p", "stages": [{"name": "a", "seconds": True}]},
            r"stages\[0\].seconds",
        ),
        ({"run_view": 1, "pipeline": "p", "stages": [{"name": "a", "needs": [1]}]}, r"stages\[0\].needs"),
        ({"run_view": 1, "pipeline": "p", "stages": [{"name": "a", "links": [{"label": "x"}]}]}, "no url"),
        ({"run_view": 1, "pipeline": "p", "stages": [{"name": "a", "tests": 4}]}, "tests is no object"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_place(data: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        RunView.from_data(data)


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ([], "waiting"),
        (["passed", "skipped"], "passed"),
        (["passed", "warned"], "warned"),
        (["passed", "waiting"], "waiting"),
        (["running", "passed", "failed"], "failed"),
    ],
)
def test_many_states_are_told_as_one(states: list[State], state: State) -> None:
    assert together(states) == state


@given(run=runs())
def test_any_damage_is_an_error_of_value_and_no_other(run: RunView) -> None:
    data = run.as_data()
    for key in data:
        for wrong in (None, [], {}, [[]], [None], "x", -1):
            try:
                RunView.from_data({**data, key: wrong})
            except ValueError:
                continue
