"""The same work on many items, on all processors; what it prints comes in the order of the items."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple, TextIO, TypeVar

T = TypeVar("T")
R = TypeVar("R")

WORTH_IT = 16
"""Fewer items than this are done before other processes have started."""


def side_by_side(work: Callable[[T], R], items: Sequence[T], *, at_once: int = 1) -> Iterator[R]:
    """What `work` returns for each item, in order.

    Args:
        work: may print; must not rely on changing anything in this process. What it returns is pickled.
        items: what it is called with.
        at_once: for work that waits, such as for a server: items begun at a time by threads, those of all processes
            together; 1 for work that computes, which each process does one after the other.
    """
    processes = _processes(len(items), at_once)
    if processes < 2:
        yield from _done(work, items, at_once)
        return
    import multiprocessing

    yield work(items[0])  # imports what the others need, so that the processes share it
    rest = items[1:]
    chunk = max(1, len(rest) // (processes * 8))
    chunks = [rest[start : start + chunk] for start in range(0, len(rest), chunk)]
    # handed over by the split and not with each item, so that it needs no pickling
    held = _Held(work, at_once // processes)
    with multiprocessing.get_context("fork").Pool(processes, _begin, (held,)) as pool:
        for results, out, err in pool.imap(_held_chunk, chunks):
            sys.stdout.write(out)
            sys.stderr.write(err)
            yield from results


def _processes(items: int, at_once: int) -> int:
    """How many it is worth; 1 for none but this one."""
    if sys.platform != "linux" or items < WORTH_IT:
        return 1
    wanted = min(len(os.sched_getaffinity(0)), items // (WORTH_IT // 2))
    return min(wanted, at_once) if at_once > 1 else wanted


def _done(work: Callable[[T], R], items: Iterable[T], at_once: int) -> Iterator[R]:
    """In this process."""
    if at_once < 2:
        yield from map(work, items)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(work, items)


class _Held(NamedTuple):
    """What a process does with each item."""

    work: Callable[[Any], Any]
    at_once: int

    def chunk(self, items: Sequence[Any]) -> tuple[list[Any], str, str]:
        """The results for some items, and what was printed, to be handed over with them."""
        out, err = _Like(sys.stdout), _Like(sys.stderr)
        with redirect_stdout(out), redirect_stderr(err):
            results = list(_done(self.work, items, self.at_once))
        return results, out.getvalue(), err.getvalue()


_held: _Held
"""Of this process, where `side_by_side` split it off."""


def _begin(held: _Held) -> None:
    import signal

    global _held
    _held = held
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # interrupts are left to the process that began it


def _held_chunk(items: Sequence[Any]) -> tuple[list[Any], str, str]:
    return _held.chunk(items)


class _Like(io.StringIO):
    """Text in memory that is coloured if the stream it is meant for would be."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._terminal = stream.isatty()

    def isatty(self) -> bool:
        return self._terminal
