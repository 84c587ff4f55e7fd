"""Work on all processors gives what work in one process gives: results, output and its order."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from pipegen.cli.side_by_side import WORTH_IT, side_by_side
from tests.support.cli import pipegen


@pytest.fixture(autouse=True)
def three_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2})


def work(number: int) -> tuple[int, int]:
    print(f"out {number}")
    print(f"err {number}", file=sys.stderr)
    return number, os.getpid()


@pytest.mark.parametrize(("count", "processes"), [(3, 1), (WORTH_IT, 3), (5 * WORTH_IT, 4)])
def test_output_and_results_come_in_order(
    capsys: pytest.CaptureFixture[str], count: int, processes: int
) -> None:
    results = list(side_by_side(work, range(count)))
    assert [number for number, _ in results] == list(range(count))
    assert 1 <= len({process for _, process in results}) <= processes
    assert (len({process for _, process in results}) > 1) == (processes > 1)
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [f"out {number}" for number in range(count)]
    assert captured.err.splitlines() == [f"err {number}" for number in range(count)]


@pytest.mark.parametrize(
    ("count", "at_once", "processes"), [(5 * WORTH_IT, 6, 3), (5 * WORTH_IT, 2, 2), (4, 3, 1)]
)
def test_work_that_waits_is_begun_several_at_a_time_over_all_processes(
    tmp_path: Path, count: int, at_once: int, processes: int
) -> None:
    def waits(number: int) -> tuple[int, int, int]:
        mark = tmp_path / str(number)
        mark.touch()
        time.sleep(0.01)
        begun = len(os.listdir(tmp_path))
        mark.unlink()
        return number, begun, os.getpid()

    results = list(side_by_side(waits, range(count), at_once=at_once))
    assert [number for number, _, _ in results] == list(range(count))
    assert 2 <= max(begun for _, begun, _ in results) <= at_once
    others = {process for _, _, process in results} - {os.getpid()}
    assert len(others) == (processes if processes > 1 else 0)


def test_an_error_ends_it_here_as_it_would_in_one_process() -> None:
    def fail(number: int) -> None:
        raise OSError(28, "No space left on device", "file")

    with pytest.raises(OSError, match="No space left"):
        list(side_by_side(fail, range(WORTH_IT)))


def test_many_descriptions_of_which_some_are_wrong(tmp_path: Path) -> None:
    text = (
        "name: {}\nrepository: https://git.example.com/a/b.git\nstages: {{one: {{cmd: 'true', outs: [a]}}}}\n"
    )
    for number in range(WORTH_IT + 4):
        folder = tmp_path / f"p{number:02}"
        folder.mkdir()
        wrong = "wrong: 1\n" if number in (3, 17) else ""
        (folder / "pipegen.yaml").write_text(text.format(f"p{number:02}") + wrong)
    done = pipegen("generate", "--all", "--target", "dvc", cwd=tmp_path)
    wrote = [line.split()[1] for line in done.out.splitlines()]
    assert wrote == [f"p{number:02}/dvc.yaml" for number in range(WORTH_IT + 4) if number not in (3, 17)]
    assert done.err.count("'wrong' is not a key here") == 2
    assert f"2 of {WORTH_IT + 4} descriptions failed" in done.err
    assert done.code == 1
