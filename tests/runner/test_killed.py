"""A run that is killed at any moment loses nothing but the stages that ran: the next one takes up what was finished."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.runner.conftest import Make
from tests.support.repositories import pipegen_run

GRAPH = "stages:\n" + "".join(
    f"  s{i}: {{cmd: 'sleep 0.0{1 + i % 7}; cat in {' '.join(deps)} > out{i}; echo {i} >> out{i}', "
    f"deps: [{', '.join(['in', *deps])}], outs: [out{i}]}}\n"
    for i, deps in enumerate(
        [[]] * 3
        + [["out0"], ["out0", "out1"], ["out2"], ["out3", "out4"], ["out5"], ["out6"], ["out6", "out7"]]
        + [["out8"]] * 20
    )
)


def _start(folder: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    code = "from pipegen.cli import main; main()"
    command = [sys.executable, "-c", code, "run", "-j", "3", "--json"]
    return subprocess.Popen(
        command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, start_new_session=True
    )


def _killed_after(folder: Path, seconds: float) -> tuple[list[str], list[str], int]:
    """What was started, what was finished, and how the process ended."""
    process = _start(folder)
    time.sleep(seconds)
    process.kill()
    output, _ = process.communicate()
    started, finished = [], []
    for line in output.splitlines():
        if not line.endswith("}"):
            continue  # cut off by the kill
        event = json.loads(line)
        if event["event"] == "stage_started":
            started.append(event["stage"])
        elif event["event"] == "stage_finished":
            assert event["outcome"] in ("ran", "unchanged", "restored"), event["message"]
            if event["outcome"] == "ran":
                finished.append(event["stage"])
    return started, finished, process.returncode


def _kill_and_compare(repository: Make, tmp_path: Path, kills: int, seed: int) -> None:
    moments = random.Random(seed)
    folder = repository(GRAPH, **{"in": "1\n"})
    (folder / ".gitignore").write_text("")
    done: set[str] = set()
    version = 1
    for _ in range(kills):
        started, finished, code = _killed_after(folder, moments.uniform(0.1, 1.0))
        assert not done & set(started), "a finished stage ran again"
        done |= set(finished)
        if code == 0:  # it was through before it could be killed: go on with another input
            done.clear()
            version += 1
            (folder / "in").write_text(f"{version}\n")
    summary, _ = pipegen_run(folder)
    assert summary.ok
    undisturbed = tmp_path / "undisturbed"
    subprocess.run(["git", "clone", "-q", str(folder), str(undisturbed)], check=True)
    (undisturbed / "in").write_text((folder / "in").read_text())
    assert pipegen_run(undisturbed)[0].ok
    assert (undisturbed / "dvc.lock").read_text().splitlines() == (
        folder / "dvc.lock"
    ).read_text().splitlines()
    assert not list((folder / ".dvc/tmp/pipegen").glob("*"))


def test_kills(repository: Make, tmp_path: Path) -> None:
    _kill_and_compare(repository, tmp_path, kills=12, seed=1)


@pytest.mark.slow
def test_fifty_kills(repository: Make, tmp_path: Path) -> None:
    _kill_and_compare(repository, tmp_path, kills=50, seed=int(time.time()))
