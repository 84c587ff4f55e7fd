"""Ctrl-C and the signals that end a run, as words in the scheduler's inbox instead of exceptions anywhere."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_WORDS = {signal.SIGINT: "finish", signal.SIGTERM: "now", signal.SIGHUP: "now"}


class Interrupts:
    """While open, SIGINT says `finish`, SIGTERM and SIGHUP say `now`; outside the main thread it does nothing.

    Args:
        tell: given ("", word); must be safe to call from a signal handler.
    """

    def __init__(self, tell: Callable[[tuple[str, str]], None]) -> None:
        self._tell = tell
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in _WORDS:
                if signal.getsignal(number) is signal.SIG_IGN:
                    continue  # as under nohup: who started us does not want us to be ended by it
                self._before[number] = signal.signal(number, self._received)
        return self

    def _received(self, number: int, frame: FrameType | None) -> None:
        self._tell(("", _WORDS[signal.Signals(number)]))

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
