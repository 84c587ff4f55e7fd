"""What can interrupt a step: the build's abort, time-outs, branches that fail fast, a lost agent."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Interruption(Exception):
    """Why a step ended before its end; Jenkins' FlowInterruptedException."""

    message: str
    result: str = "ABORTED"
    actual: bool = True
    """Whether somebody wants the build to end; a `retry` without conditions then doesn't try again."""
    agent_lost: bool = False
    scope: str | None = None
    told: bool = False
    """Whether the log says it already, and not once more at its end (contracts/jenkins/57b)."""

    def as_reply(self) -> dict[str, Any]:
        return {
            "kind": "interrupted",
            "message": self.message,
            "result": self.result,
            "actual": self.actual,
            "agent_lost": self.agent_lost,
            "scope": self.scope,
            "told": self.told,
        }


class Abort(Exception):
    """A step failed; its message is what Jenkins says. Jenkins' AbortException."""


class Refused(Exception):
    """The file asks for something of which no recording and no manual says how Jenkins does it."""


@dataclass(eq=False)
class Operation:
    """A step under way in one place."""

    name: str
    scopes: tuple[str, ...]
    allocation: str | None
    _interrupted: threading.Event = field(default_factory=threading.Event)
    _why: Interruption | None = None

    def interrupt(self, why: Interruption) -> None:
        self._why = self._why or why
        self._interrupted.set()

    def wait(self, seconds: float) -> bool:
        """Waits; whether the step is to end."""
        return self._interrupted.wait(seconds)

    def check(self) -> None:
        """Raises the Interruption that has come, if any."""
        if self._why:
            raise self._why

    def sleep(self, seconds: float) -> None:
        """Waits, and raises the Interruption that comes meanwhile."""
        self.wait(seconds)
        self.check()


class Scopes:
    """All operations of one build that are under way, and what is to interrupt them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Operation] = set()
        self._pending: dict[str, Interruption] = {}
        self._timers: dict[str, threading.Timer] = {}
        self._numbers = itertools.count(1)

    @contextmanager
    def operation(self, name: str, place: dict[str, Any]) -> Iterator[Operation]:
        """A step under way. Raises an Interruption that found no step under way before."""
        one = Operation(name, tuple(place["scopes"]), place["allocation"])
        with self._lock:
            for scope in one.scopes:
                if scope in self._pending:
                    raise self._pending.pop(scope)
            self._running.add(one)
        try:
            yield one
        finally:
            with self._lock:
                self._running.discard(one)

    def open(self, seconds: float | None, expired: Any) -> str:
        """A new scope; after that time it is cancelled, once `expired` was called."""
        scope = f"scope-{next(self._numbers)}"
        if seconds is not None:
            late = Interruption("Timeout has been exceeded", scope=scope)

            def expire() -> None:
                expired()
                self.cancel(scope, late)

            timer = threading.Timer(seconds, expire)
            timer.daemon = True
            self._timers[scope] = timer
            timer.start()
        return scope

    def close(self, scope: str) -> None:
        """What comes after it can't be interrupted by it any more."""
        timer = self._timers.pop(scope, None)
        if timer:
            timer.cancel()
        with self._lock:
            self._pending.pop(scope, None)

    def cancel(self, scope: str, why: Interruption) -> None:
        """Ends the steps under way in a scope; where there is none, the next one."""
        with self._lock:
            found = [one for one in self._running if scope in one.scopes]
            if not found:
                self._pending[scope] = why
        for one in found:
            one.interrupt(why)

    def lose(self, allocations: set[str], why: Interruption) -> None:
        """Ends the steps under way on agents that are gone."""
        with self._lock:
            found = [one for one in self._running if one.allocation in allocations]
        for one in found:
            one.interrupt(why)

    def under_way(self) -> list[str]:
        with self._lock:
            return sorted(one.name for one in self._running)

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
