"""How a run behaves: parallel, exclusive, failing, interrupted, and what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from pipegen.records import Event, StageFinished, StageStarted
from tests.runner.conftest import Make
from tests.support.processes import runs
from tests.support.repositories import pipegen_run, sh

FAN = """\
stages:
  source: {cmd: echo 1 > source, outs: [source]}
  part:
    foreach: [a, b, c, d]
    do: {cmd: 'sleep 0.5; cp source ${item}', deps: [source], outs: ["${item}"]}
  join: {cmd: cat a b c d > join, deps: [a, b, c, d], outs: [join]}
"""


def _hear_interrupts() -> None:
    """A shell that starts these tests in the background has them ignore interrupts; what they start shall not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """`pipegen run` as a process of its own."""
    code = "from pipegen.cli import main; main()"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-c", code, "run", *arguments],
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_hear_interrupts,
    )


def finished(events: list[Event], stage: str) -> StageFinished:
    return next(event for event in events if isinstance(event, StageFinished) and event.stage == stage)


def test_stages_run_at_once_and_in_order(repository: Make) -> None:
    summary, events = pipegen_run(repository(FAN), jobs=4)
    assert summary.ok
    assert summary.worked > 2 > summary.seconds
    started = [event.stage for event in events if isinstance(event, StageStarted)]
    assert started[0] == "source"
    assert started[-1] == "join"


def test_mutexes_exclude(repository: Make) -> None:
    text = """\
stages:
  one:
    foreach: [a, b, c]
    do:
      cmd: test ! -e busy && touch busy && sleep 0.2 && rm busy && echo ${item} > ${item}
      outs: ["${item}"]
      meta: {pipegen: {mutex: [gpu]}}
"""
    summary, _ = pipegen_run(repository(text), jobs=3)
    assert summary.ok, "two ran at once"


def test_after_and_env_of_meta(repository: Make) -> None:
    text = """\
stages:
  second:
    cmd: cat first > second; echo $WORD >> second
    outs: [second]
    meta: {pipegen: {after: first, env: {WORD: hello}}}
  first: {cmd: sleep 0.3; echo 1 > first, outs: [first]}
"""
    folder = repository(text)
    summary, _ = pipegen_run(folder, jobs=2)
    assert summary.ok
    assert (folder / "second").read_text() == "1\nhello\n"


FAILING = """\
stages:
  good: {cmd: sleep 0.3; echo 1 > good, outs: [good]}
  bad: {cmd: 'echo some words; echo the cause >&2; exit 7', outs: [bad]}
  after_bad: {cmd: cp bad x, deps: [bad], outs: [x]}
  after_good: {cmd: cp good y, deps: [good], outs: [y]}
"""


def test_a_failure_lets_the_others_finish(repository: Make) -> None:
    folder = repository(FAILING)
    summary, events = pipegen_run(folder)
    assert not summary.ok
    assert summary.outcomes == {
        "good": "ran",
        "bad": "failed",
        "after_bad": "skipped",
        "after_good": "skipped",
    }
    failure = finished(events, "bad")
    assert "exited with 7" in failure.message
    assert failure.tail[-2:] == ("some words", "the cause")
    assert (folder / failure.log).read_text().endswith("the cause\n")
    assert "good:" in (folder / "dvc.lock").read_text()


def test_keep_going(repository: Make) -> None:
    summary, _ = pipegen_run(repository(FAILING), keep_going=True)
    assert summary.outcomes == {"good": "ran", "bad": "failed", "after_bad": "skipped", "after_good": "ran"}


@pytest.mark.parametrize(
    ("cmd", "outs", "said"),
    [
        ("echo 1 > other", "[made]", "output 'made' does not exist"),
        ("echo 1 > made; kill -9 $$", "[made]", "SIGKILL"),
        ("exit 0", "[made]", "output 'made' does not exist"),
    ],
)
def test_what_goes_wrong_is_said(repository: Make, cmd: str, outs: str, said: str) -> None:
    _, events = pipegen_run(repository(f"stages: {{s: {{cmd: '{cmd}', outs: {outs}}}}}"))
    assert said in finished(events, "s").message


def test_a_missing_dependency(repository: Make) -> None:
    folder = repository("stages: {s: {cmd: cp no made, deps: [no], outs: [made]}}")
    summary, events = pipegen_run(folder)
    assert not summary.ok
    assert finished(events, "s").message == "it reads no, which does not exist"


def test_a_stage_that_deletes_its_input(repository: Make) -> None:
    folder = repository("stages: {s: {cmd: cp in out; rm in, deps: [in], outs: [out]}}", **{"in": "1"})
    summary, events = pipegen_run(folder)
    assert summary.outcomes == {"s": "failed"}
    assert "in" in finished(events, "s").message


def test_selection(repository: Make) -> None:
    folder = repository(FAN)
    assert set(pipegen_run(folder, "part@a")[0].outcomes) == {"source", "part@a"}
    assert set(pipegen_run(folder, "part")[0].outcomes) == {"source", *(f"part@{item}" for item in "abcd")}
    assert set(pipegen_run(folder, "part@[bc]")[0].outcomes) == {"source", "part@b", "part@c"}
    assert set(pipegen_run(folder, "part@b", downstream=True)[0].outcomes) == {"part@b", "join"}


def test_a_daemon_does_not_hold_the_run_up_and_is_ended(repository: Make) -> None:
    text = "stages: {s: {cmd: 'sleep 60 & echo $! > pid; echo 1 > made', outs: [made]}}"
    folder = repository(text)
    began = time.monotonic()
    summary, _ = pipegen_run(folder)
    assert summary.ok
    assert time.monotonic() - began < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)


def test_ten_megabytes_of_output(repository: Make) -> None:
    folder = repository("stages: {s: {cmd: 'yes | head -c 10000000; echo end; echo 1 > made', outs: [made]}}")
    summary, _ = pipegen_run(folder)
    assert summary.ok
    assert (folder / ".pipegen/logs/s.log").stat().st_size > 10_000_000


def test_command_line(repository: Make) -> None:
    """Plain lines, JSON lines, what would run, and the exit codes."""
    folder = repository(FAILING)
    process = command(folder, "-j", "2")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "    | the cause\n    log: .pipegen/logs/bad.log\n" in output
    assert "1 failed" in output.splitlines()[-1]
    process = command(folder, "--json", "good")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    events = [json.loads(line) for line in output.splitlines()]
    assert [event["event"] for event in events] == ["run_started", "stage_finished", "run_finished"]
    assert events[1]["outcome"] == "unchanged"
    process = command(folder, "nope")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors == "error: no stage is called 'nope'\n"
    process = command(folder, "--dry")
    output, _ = process.communicate(timeout=60)
    assert "good" not in [line.partition(":")[0] for line in output.splitlines()]
    assert "bad: it never ran" in output


def _interrupted(folder: Path, number: signal.Signals, *, twice: bool = False) -> tuple[int, str]:
    process = command(folder, "-j", "2")
    assert process.stdout
    said = _read_until(process.stdout, "started")
    process.send_signal(number)
    if twice:
        said += _read_until(process.stdout, "will be finished")
        process.send_signal(number)
    rest, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors
    return process.returncode, said + rest


def _read_until(stream: IO[str], word: str) -> str:
    lines = [""]
    while word not in lines[-1]:
        lines.append(stream.readline())
        assert lines[-1], lines
    return "".join(lines)


SLOW = """\
stages:
  slow: {cmd: sleep 2; echo 1 > slow, outs: [slow]}
  next: {cmd: cp slow next, deps: [slow], outs: [next]}
"""


def test_one_interrupt_finishes_what_runs(repository: Make) -> None:
    folder = repository(SLOW)
    code, output = _interrupted(folder, signal.SIGINT)
    assert code == 130
    assert "slow will be finished" in output
    assert "slow: ran" in output
    assert "slow:" in (folder / "dvc.lock").read_text()
    assert not (folder / "next").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_two_interrupts_or_a_term_stop_it(repository: Make, number: signal.Signals) -> None:
    folder = repository(SLOW.replace("sleep 2;", "sleep 62.5;"))
    code, output = _interrupted(folder, number, twice=number is signal.SIGINT)
    assert code == 130
    assert "slow: stopped" in output
    assert not runs("sleep 62.5")


def test_killed_it_leaves_no_child(repository: Make) -> None:
    folder = repository(SLOW.replace("sleep 2;", "sleep 63.5;"))
    process = command(folder)
    assert process.stdout
    while "started" not in process.stdout.readline():
        pass
    process.kill()
    process.communicate()
    ends = time.monotonic() + 10
    while runs("sleep 63.5"):
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_no_dvc_no_git(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(FAN)
    process = command(tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "run `git init` and `dvc init`" in errors
    sh(tmp_path, "git", "init", "-q")
    process = command(tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "run `dvc init` here first" in errors


def test_a_broken_lock_file_is_an_error_of_the_run(repository: Make) -> None:
    folder = repository(FAN)
    (folder / "dvc.lock").write_text("stages: [\n")
    process = command(folder)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "dvc.lock: is not valid YAML" in errors
    assert (folder / "dvc.lock").read_text() == "stages: [\n"


def test_no_stages(repository: Make) -> None:
    process = command(repository("stages: {}"))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "has no stages" in errors
