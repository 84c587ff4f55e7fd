"""Tracked runs on a terminal: never wider than a hundred columns, and nothing that a terminal would obey."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from pipegen.records import StageRecord
from pipegen.records.tracked import TrackedRun, tracked
from pipegen.registry.differences import differences
from pipegen.views.run_differences import comparison
from pipegen.views.run_tables import run_list, run_page
from tests.registry.test_runs_compare import RUNS


def hostile(run: TrackedRun) -> TrackedRun:
    """The same, named and described by somebody who means no good."""
    bad = "\x1b[2J\n" + "w" * 120
    words = {"message": bad, "hypothesis": bad, "commit": bad, "branch": bad, "user": bad, "tags": {bad: bad}}
    more = {"params": {bad: {bad: bad}}, "metrics": {bad: {"x": 1e300}, "m": {"x": 10**400, "w" * 80: 1}}}
    stages = [replace(each, **words, params={**each.params, **more["params"]}) for each in run.stages]
    extra = StageRecord(
        stage=bad, outcome="ran", lock={"cmd": bad, "outs": [{"path": bad, "md5": bad}]}, **more
    )
    return tracked(run.id, bad, [*stages, extra])


@settings(max_examples=40)
@given(RUNS, RUNS)
def test_width_and_harmlessness(one: TrackedRun, other: TrackedRun) -> None:
    bad = hostile(other)
    pages = [
        run_list([one, other, bad], ["m:x"]),
        run_page(one),
        run_page(bad),
        comparison(one, other, differences(one, other)),
        comparison(one, bad, differences(one, bad)),
    ]
    for line in (line for page in pages for line in page.split("\n")):
        assert len(line) <= 100
        assert line.isprintable()


def test_a_number_with_its_change() -> None:
    one, other = (
        tracked(id * 12, "small", [StageRecord(stage="a", outcome="ran", metrics={"m": values})])
        for id, values in (("0", {"rmse": 200, "r2": 0.5}), ("1", {"rmse": 150, "r2": 0.50001}))
    )
    assert comparison(one, other, differences(one, other)).splitlines()[3:] == [
        "metrics",
        "  m:r2    0.5  0.50001  +1e-05",
        "  m:rmse  200  150      -50 (-25.0%)",
    ]
