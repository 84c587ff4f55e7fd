"""What a run prints: on a terminal, elsewhere, and as JSON."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import sys
from pathlib import Path

import pytest

from pipegen.records import Event, Notice, RunFinished, RunStarted, StageFinished, StageStarted
from pipegen.runner.progress import JsonReporter, LiveReporter, PlainReporter, Reporter, closing, duration
from tests.runner.conftest import Make

LONG = "a_stage_with_a_name_that_is_much_longer_than_its_column@item"
EVENTS: list[Event] = [
    RunStarted(("one", "two", LONG), 2, 65.0),
    StageStarted("one", ("it never ran",), ("make one",), ".pipegen/logs/one.log", 60.0),
    StageStarted(LONG, ("it never ran",), ("make [bold]two[/bold]",), ".pipegen/logs/long.log"),
    Notice("two waits: in is in use by PID 1"),
    StageFinished("one", "ran", 61.4, log=".pipegen/logs/one.log"),
    StageFinished(
        LONG,
        "failed",
        2.0,
        (),
        "its command exited with 1",
        ".pipegen/logs/long.log",
        ("> make", "[red]no[/red]"),
    ),
    StageFinished("two", "skipped", message=f"needs {LONG}, which failed"),
    RunFinished(63.5, {"one": "ran", LONG: "failed", "two": "skipped"}, 63.4, 61.4),
]


def told(reporter: Reporter) -> None:
    with reporter as report:
        for event in EVENTS:
            report(event)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_live_lines_fit_and_show_text_as_it_is(width: int) -> None:
    from rich.console import Console

    stream = io.StringIO()
    told(LiveReporter(Console(file=stream, force_terminal=True, width=width, height=20, highlight=False)))
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue()).replace("\r", "\n")
    assert max(len(line) for line in plain.splitlines()) <= width
    assert "[red]no[/red]" in plain
    assert "61s" not in plain
    assert "1m 01s" in plain
    assert "its command exited with 1" in " ".join(plain.split())


def test_plain_lines() -> None:
    stream = io.StringIO()
    told(PlainReporter(stream))
    assert stream.getvalue().splitlines() == [
        "3 stages, 2 jobs at a time, about 1m 05s",
        "one: started (log: .pipegen/logs/one.log)",
        f"{LONG}: started (log: .pipegen/logs/long.log)",
        "two waits: in is in use by PID 1",
        "one: ran in 1m 01s",
        f"{LONG}: failed in 2.0s: its command exited with 1",
        "    | > make",
        "    | [red]no[/red]",
        "    log: .pipegen/logs/long.log",
        f"two: skipped: needs {LONG}, which failed",
        "3 stages in 1m 04s: 1 ran, 1 failed, 1 skipped",
    ]


def test_json_lines() -> None:
    stream = io.StringIO()
    told(JsonReporter(stream))
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(events) == len(EVENTS)
    assert events[0] == {"event": "run_started", "stages": ["one", "two", LONG], "jobs": 2, "expected": 65.0}
    assert events[5]["event"] == "stage_finished"
    assert events[5]["tail"] == ["> make", "[red]no[/red]"]


@pytest.mark.parametrize("kind", [PlainReporter, JsonReporter])
def test_a_reader_that_goes_away_ends_nothing(kind: type[PlainReporter] | type[JsonReporter]) -> None:
    """As `pipegen run | head -1` does."""
    reading, writing = os.pipe()
    with open(writing, "w") as stream:
        reporter = kind(stream)
        reporter(EVENTS[0])
        assert os.read(reading, 100)
        os.close(reading)
        told(reporter)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0.0s"), (9.94, "9.9s"), (9.96, "10s"), (59.6, "1m 00s"), (3605, "1h 00m"), (7500, "2h 05m")],
)
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_closing_lines() -> None:
    assert (
        closing(RunFinished(0.21, {"a": "unchanged", "b": "unchanged"}))
        == "nothing to do: 2 stages up to date (0.2s)"
    )
    done = RunFinished(5.0, {"a": "ran", "b": "ran", "c": "restored"}, 8.0, 5.0)
    assert closing(done) == (
        "3 stages in 5.0s: 2 ran, 1 restored from the run cache; "
        "commands took 8.0s, the longest way through them 5.0s"
    )


@pytest.mark.parametrize("colour", [True, False])
def test_on_a_terminal(repository: Make, colour: bool) -> None:
    """The whole command in a pseudo-terminal of 80 columns, with colours and under NO_COLOR."""
    folder = repository(
        "stages: {one: {cmd: 'sleep 0.5; echo 1 > one', outs: [one]}, bad: {cmd: exit 3, deps: [one]}}"
    )
    output = _in_terminal(folder, {} if colour else {"NO_COLOR": "1"})
    assert "2 stages" in output
    assert "✓ one" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output)
    assert "its command exited with 3" in output
    assert bool(re.search(r"\x1b\[(?:[0-9;]*;)?3[0-7]m", output)) is colour


def _in_terminal(folder: Path, variables: dict[str, str]) -> str:
    env = {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "COLUMNS": "80",
        "LINES": "24",
        "TERM": "xterm",
        "LANG": "C.UTF-8",
    }
    process, terminal = pty.fork()
    if not process:
        os.chdir(folder)
        code = "from pipegen.cli import main; main()"
        keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        os.execve(sys.executable, [sys.executable, "-c", code, "run"], {**keep, **env, **variables})
    output = b""
    while True:
        try:
            block = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other side is closed
            break
        if not block:
            break
        output += block
    os.waitpid(process, 0)
    return output.decode()
