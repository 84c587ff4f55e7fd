"""Durations are kept over runs, and say which stages got slower."""

from __future__ import annotations

from pathlib import Path

from pipegen.runner.history import History, PastRun
from pipegen.runner.trends import Trend, trends


def test_the_median_of_recent_runs_is_expected(tmp_path: Path) -> None:
    history = History(tmp_path)
    for seconds in (100, 100, 1, 2, 3, 4, 50):
        history.add(seconds + 1, {"a": seconds})
    history.add(1, {"b": 0.5})
    assert history.expected() == {"a": 3, "b": 0.5}
    assert (tmp_path / ".pipegen/.gitignore").read_text() == "*\n"


def test_a_run_of_nothing_is_not_kept(tmp_path: Path) -> None:
    History(tmp_path).add(1, {})
    assert not (tmp_path / ".pipegen").exists()


def test_lines_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.add(2, {"a": 1})
    with (tmp_path / ".pipegen/history.jsonl").open("a") as file:
        file.write('not json\n{"stages": 3}\n{"started": "x", "seconds": 1, "stages": {"a": "y"}}\n')
    assert [run.stages for run in history.runs()] == [{"a": 1}]


def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.add(1, {"a": 1})
    path = tmp_path / ".pipegen/history.jsonl"
    path.write_text(path.read_text() * 1000)
    history.add(1, {"a": 2})
    assert len(path.read_text().splitlines()) == 501


def test_slower_stages() -> None:
    runs = [PastRun("", 1, {"a": seconds, "b": 0.1 * seconds}) for seconds in (10, 11, 9, 20)]
    found = {trend.stage: trend for trend in trends(runs)}
    assert list(found) == ["a", "b"]
    assert found["a"].usual == 10
    assert found["a"].factor == 2
    assert found["b"].factor == 1, "less than a second more"
    assert Trend("c", (1, 5)).factor == 1, "two runs say nothing"
