"""Runs commands with their output streamed, a sign of life in long silence, and a time-out by the wall clock."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

from pipegen.dvc.shell import Command
from pipegen.errors import PipegenError
from pipegen.runner.agent.console import Console
from pipegen.runner.processes import GRACE, Child, Guard

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TICK = 0.1
_CHUNK = 1024 * 1024


class Stopped(PipegenError):
    """The server or a person ended this process."""

    exit_code = 130


@dataclass(frozen=True)
class Ended:
    """A command is through."""

    message: str
    """Empty if it succeeded."""
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return not self.message


class Commands:
    """Runs commands one after the other. Use `commands()`.

    Args:
        console: where output goes.
        scratch: a folder for files that are needed while a command runs.
        guard: ends what is running if this process is killed.
    """

    def __init__(self, console: Console, scratch: Path, guard: Guard) -> None:
        self._console, self._scratch, self._guard = console, scratch, guard
        self._inbox: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._runs = False

    def signalled(self, number: int, frame: FrameType | None) -> None:
        """A signal asks this process to end: first the command that runs, else whatever is being done.

        Raises:
            Stopped: no command runs.
        """
        if self._runs:
            self._inbox.put(("signal", ""))
        else:
            raise Stopped(f"stopped by {signal.Signals(number).name}")

    def run(
        self, name: str, command: Command, deadline: float, tee: Callable[[bytes], None] | None = None
    ) -> Ended:
        """Run a command to its end.

        Args:
            name: what signs of life call it.
            command: what to run.
            deadline: when it is ended, by `time.monotonic()`.
            tee: gets the output too, as it was printed by the command.

        Raises:
            Stopped: the process was asked to end, which ended the command.
            FileError: its output can't be kept.
        """
        raw = self._scratch / f"output-{os.getpid()}"
        began = time.monotonic()
        self._runs = True
        child = Child(command, raw, self._guard, lambda message: self._inbox.put(("ended", message)))
        ended_for, kill_at = "", 0.0
        try:
            with raw.open("rb") as output:
                while True:
                    word, message = self._next()
                    self._print(output, tee, last=word == "ended")
                    now = time.monotonic()
                    if word == "ended":
                        break
                    if not ended_for and (word == "signal" or now > deadline):
                        ended_for = "signal" if word == "signal" else "time"
                        child.stop()
                        kill_at = now + GRACE
                    if ended_for and now > kill_at:
                        child.stop(kill=True)
        finally:
            self._runs = False
            raw.unlink(missing_ok=True)
        if ended_for == "signal":
            raise Stopped(f"{name} was stopped: this process was asked to end")
        if ended_for == "time":
            message = f"its command took longer than its time-out, {deadline - began:.0f} s, and was ended"
        return Ended(message, round(child.seconds, 3))

    def _next(self) -> tuple[str, str]:
        try:
            return self._inbox.get(timeout=_TICK)
        except queue.Empty:
            return "", ""

    def _print(self, output: BinaryIO, tee: Callable[[bytes], None] | None, *, last: bool) -> None:
        while piece := output.read(_CHUNK):
            self._console.output(piece)
            if tee:
                tee(piece)
        if last:
            self._console.output(b"", last=True)


@contextmanager
def commands(console: Console, scratch: Path) -> Iterator[Commands]:
    """What runs commands; while it is open, signals end what it does and not this process."""
    scratch.mkdir(parents=True, exist_ok=True)
    before: dict[signal.Signals, Any] = {}
    try:
        with Guard() as guard:
            runner = Commands(console, scratch, guard)
            if threading.current_thread() is threading.main_thread():
                before = {number: signal.signal(number, runner.signalled) for number in _SIGNALS}
            yield runner
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        with contextlib.suppress(OSError):
            scratch.rmdir()
