"""The same work on many items, on all processors; what it prints comes in the order of the items."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Generic, TextIO, TypeVar

T = TypeVar("T")
R = TypeVar("R")

WORTH_IT = 16
"""Fewer items than this are done before other processes have started."""


def side_by_side(work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """What `work` returns for each item, in order.

    Args:
        work: may print; must not rely on changing anything in this process.
        items: what it is called with, one after the other where there are few.
    """
    processes = min(len(os.sched_getaffinity(0)), len(items) // (WORTH_IT // 2)) if _can_fork() else 1
    if processes < 2 or len(items) < WORTH_IT:
        yield from map(work, items)
        return
    import multiprocessing

    yield work(items[0])  # imports what the others need, so that the processes share it
    rest = items[1:]
    chunk = max(1, len(rest) // (processes * 8))
    with multiprocessing.get_context("fork").Pool(processes, _leave_interrupts_to_us) as pool:
        for result, out, err in pool.imap(_Held(work), rest, chunk):
            sys.stdout.write(out)
            sys.stderr.write(err)
            yield result


def _can_fork() -> bool:
    return sys.platform == "linux"


def _leave_interrupts_to_us() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Held(Generic[T, R]):
    """`work` whose output is handed over with its result."""

    def __init__(self, work: Callable[[T], R]) -> None:
        self._work = work

    def __call__(self, item: T) -> tuple[R, str, str]:
        out, err = _Like(sys.stdout), _Like(sys.stderr)
        with redirect_stdout(out), redirect_stderr(err):
            result = self._work(item)
        return result, out.getvalue(), err.getvalue()


class _Like(io.StringIO):
    """Text in memory that is coloured if the stream it is meant for would be."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._terminal = stream.isatty()

    def isatty(self) -> bool:
        return self._terminal
