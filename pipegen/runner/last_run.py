"""The picture of the last run here, whether it goes on or is over."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pipegen.errors import os_error
from pipegen.records import STATES, Link, RunView, StageView, State, key_metrics
from pipegen.runner.processes import log_name
from pipegen.runner.trace import FORMAT, trace_file


def last_run(
    folder: Path,
    name: str,
    measured: Callable[[str], Mapping[str, Any]] = lambda stage: {},
    wanted: Iterable[str] = (),
) -> RunView | None:
    """The last run in a workspace's folder; None where there was none.

    Args:
        folder: the workspace's folder.
        name: what the pipeline is called.
        measured: what the metrics files of a stage hold, by path; asked of stages that are done.
        wanted: metrics that are shown first, as `FILE:KEY`.

    Raises:
        FileError: its events can't be read.
    """
    path = trace_file(folder)
    try:
        with path.open("rb") as file:
            is_alive = _is_locked(file.fileno())  # asked first: what it says before it ends is read then
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise os_error(error, "read", path) from None
    events = list(_events(lines))
    if not events or events[0].get("event") != "trace" or events[0].get("format") != FORMAT:
        return None
    drawing = _Drawing(name, events[0], is_alive)
    for event in events[1:]:
        drawing.add(event)
    run = drawing.ended()
    wanted = tuple(wanted)

    def filled(stage: StageView) -> StageView:
        if stage.state != "passed":
            return stage
        metrics = key_metrics(measured(stage.name), wanted)
        return replace(stage, metrics=metrics, links=stage.links or _earlier(folder, stage))

    return replace(run, stages=tuple(map(filled, run.stages)))


def _earlier(folder: Path, stage: StageView) -> tuple[Link, ...]:
    """The log of the run that made what this one found done."""
    path = f".pipegen/logs/{log_name(stage.name)}"
    return _log(path) if (folder / path).is_file() else ()


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # a file system without locks
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _events(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The lines that are whole; the last one may not be yet."""
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


class _Drawing:
    """A picture that grows with the events."""

    def __init__(self, name: str, head: Mapping[str, Any], is_alive: bool) -> None:
        self.is_alive = is_alive
        self.run = RunView(
            pipeline=name,
            server="local",
            state="running",
            started=_iso(head["at"]),
            commit=head["commit"],
            branch=head["branch"],
        )
        self.began = self.last = float(head["at"])
        self.stages = {
            stage: StageView(name=stage, needs=tuple(needs), group=group_of(stage))
            for stage, needs in head["needs"].items()
        }
        self.began_at: dict[str, float] = {}

    def add(self, event: Mapping[str, Any]) -> None:
        self.last = event["at"]
        match event["event"]:
            case "run_started":
                self.run = replace(self.run, expected=event["expected"])
            case "notice":
                self.run = replace(self.run, message=event["message"])
            case "stage_started":
                self.began_at[event["stage"]] = event["at"]
                self._change(
                    event,
                    state="running",
                    started=_iso(event["at"]),
                    expected=event["expected"],
                    reasons=tuple(event["reasons"]),
                    links=_log(event["log"]),
                )
            case "stage_finished":
                began = self.began_at.pop(event["stage"], None)
                self._change(
                    event,
                    state=STATES[event["outcome"]],
                    outcome=event["outcome"],
                    started=_iso(began) if began else "",
                    seconds=event["seconds"] if began else None,
                    message=event["message"],
                    reasons=tuple(event["reasons"]),
                    links=_log(event["log"]),
                    tail=tuple(event["tail"]),
                )
            case "run_finished":
                outcomes = set(event["outcomes"].values())
                ended: State = "cancelled" if event["interrupted"] else "passed"
                self.run = replace(
                    self.run,
                    state="failed" if "failed" in outcomes else ended,
                    seconds=event["seconds"],
                    message="interrupted" if event["interrupted"] else "",
                )

    def _change(self, event: Mapping[str, Any], **fields: Any) -> None:
        stage = self.stages.get(event["stage"]) or StageView(name=event["stage"])
        self.stages[stage.name] = replace(stage, **fields)

    def ended(self) -> RunView:
        """The whole picture, now."""
        now = time.time()
        if self.run.is_over:
            self.began_at = {}
        elif self.is_alive:
            self.run = replace(self.run, seconds=max(0.0, round(now - self.began, 1)))
        else:
            self.run = replace(
                self.run,
                state="cancelled",
                seconds=round(self.last - self.began, 1),
                message="it ended without a word: it was killed, or the machine went down",
            )
        for name, began in self.began_at.items():
            if self.is_alive:
                self._change({"stage": name}, seconds=max(0.0, round(now - began, 1)))
            else:
                self._change({"stage": name}, state="cancelled", seconds=None)
        return replace(self.run, taken=_iso(now), stages=tuple(self.stages.values()))


def group_of(address: str) -> str:
    """The foreach or matrix that a stage is an item of, by its address: `train` of `train@lasso`."""
    file, colon, name = address.rpartition("dvc.yaml:")
    group, at, _ = name.partition("@")
    return f"{file}{colon}{group}" if at else ""


def _log(path: str) -> tuple[Link, ...]:
    return (Link("log", path),) if path else ()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
