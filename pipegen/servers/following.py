"""Following a run to its end: its picture whenever that changes, or a log as it grows.

A connection that breaks is taken up where it was: what was read stays read, and nothing is shown twice. Whoever stops
looking stops looking; the run goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from pipegen.errors import ServerUnavailable
from pipegen.plan.model import Plan
from pipegen.records.run_view import RunView
from pipegen.records.said import Said
from pipegen.servers import Server
from pipegen.servers.model import Run, RunRef
from pipegen.servers.picture import picture

T = TypeVar("T")

SOONEST, LATEST = 1.0, 5.0
"""Seconds between two looks: after something happened, and after a while of nothing."""
GIVE_UP = 900.0
"""Seconds without any answer after which following ends with the error."""


class Follower:
    """Looks at one run again and again.

    Args:
        server: where it runs.
        ref: which run.
        plan: its workflow's plan.
        sleep: waits some seconds.
    """

    def __init__(
        self, server: Server, ref: RunRef, plan: Plan, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.server, self.ref, self.plan = server, ref, plan
        self.run: Run | None = None
        self._sleep = sleep
        self._said = Said()
        self._positions: dict[str, str] = {}
        self._read: set[str] = set()

    def look(self) -> RunView:
        """The picture as it is now."""
        run = self.server.run(self.ref)
        self.run, self.ref = run, run.ref
        names = [name for name in self.server.logs(run) if name not in self._read]
        with ThreadPoolExecutor(self.server.connection.at_once) as pool:
            for _ in pool.map(lambda name: self._read_log(run, name), names):
                pass
        return picture(self.server.name, run, self.plan, self._said)

    def _read_log(self, run: Run, name: str) -> None:
        """What is new in one log."""
        while True:
            before = self._positions.get(name, "")
            chunk = self.server.log(run.ref, name, before)
            last = not chunk.more
            self._said.feed(chunk.text, name, last=last and run.over)
            self._positions[name] = chunk.position
            if last and run.over:
                self._read.add(name)
            if last or chunk.position == before or not run.over:
                return

    def pictures(self, *, every: bool = False) -> Iterator[RunView]:
        """Each picture that differs from the one before, until the run is over.

        Args:
            every: also those in which only time went on.
        """
        before: RunView | None = None
        pause = SOONEST
        while True:
            view = _patiently(self.look, self.server, self._sleep)
            assert self.run is not None
            changed = before is None or _still(view) != _still(before)
            if changed or every:
                yield view
            before = view
            if self.run.over:
                return
            pause = SOONEST if changed else min(pause * 1.5, LATEST)
            self._sleep(pause)


def _still(view: RunView) -> RunView:
    """A picture without what changes by the mere passing of time."""
    stages = tuple(
        replace(stage, seconds=None) if stage.state not in ("passed", "failed") else stage
        for stage in view.stages
    )
    return replace(view, taken="", seconds=None, stages=stages)


def log(
    server: Server,
    ref: RunRef,
    name: str,
    *,
    follow: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """The pieces of a log; with `follow` until it is complete.

    Args:
        server: where it is.
        ref: which run; one that is still queued is waited for.
        name: one of `Server.logs`, or of a part.
        follow: whether to wait for what is still to come.
        sleep: waits some seconds.
    """
    position, pause = "", SOONEST
    while True:
        at = position
        chunk = _patiently(lambda at=at: server.log(ref, name, at), server, sleep)  # type: ignore[misc]
        if chunk.text:
            yield chunk.text
        moved = chunk.position != position
        position = chunk.position
        if not chunk.more or (not follow and not moved):
            return
        if follow:
            pause = SOONEST if moved else min(pause * 1.5, LATEST)
            sleep(pause)


def numbered(
    server: Server,
    ref: RunRef,
    *,
    most: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Run:
    """The run once the server gave it a number, or is done with it; it may wait in a queue for long.

    Args:
        server: where it is.
        ref: which run.
        most: seconds after which it is returned as it is; None waits on.
        sleep: waits some seconds.
    """
    pause, reason = SOONEST / 2, ""
    until = None if most is None else time.monotonic() + most
    while True:
        run = _patiently(lambda: server.run(ref), server, sleep)
        if run.ref.number is not None or run.over or (until is not None and time.monotonic() > until):
            return run
        if run.reason != reason:
            reason = run.reason
            server.connection.say(f"waiting: {reason}")
        sleep(pause)
        pause = min(pause * 1.5, LATEST)


def _patiently(look: Callable[[], T], server: Server, sleep: Callable[[float], None]) -> T:
    """Look, however long the server is away, but for `GIVE_UP` seconds."""
    until = time.monotonic() + GIVE_UP
    while True:
        try:
            return look()
        except ServerUnavailable as error:
            if time.monotonic() > until or server.connection.patience <= 0:
                raise
            server.connection.say(f"{error.message}; the run goes on, still trying")
            sleep(LATEST)
