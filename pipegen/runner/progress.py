"""How a run looks: live lines on a terminal, plain lines elsewhere, JSON lines for programs."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TextIO

from pipegen.records import (
    Event,
    Notice,
    Outcome,
    RunFinished,
    RunStarted,
    StageFinished,
    StageStarted,
    as_json,
)

_PHRASES: dict[Outcome, str] = {
    "ran": "ran",
    "restored": "restored from the run cache",
    "verified": "verified",
    "unchanged": "unchanged",
    "failed": "failed",
    "skipped": "skipped",
    "stopped": "stopped",
}
_WORDS = {**_PHRASES, "restored": "restored"}
_STYLES: dict[Outcome, tuple[str, str, str]] = {
    "ran": ("✓", "+", "green"),
    "restored": ("✓", "+", "cyan"),
    "verified": ("✓", "+", "cyan"),
    "unchanged": ("=", "=", "dim"),
    "failed": ("✗", "x", "bold red"),
    "skipped": ("-", "-", "dim"),
    "stopped": ("✗", "x", "yellow"),
}
"""For each outcome its sign, the sign in ASCII, and its style."""


class Reporter(AbstractContextManager["Reporter"]):
    """Told the events of one run, in order."""

    def __call__(self, event: Event) -> None:
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def duration(seconds: float) -> str:
    """A length of time as people say it: `0.4s`, `12s`, `3m 05s`, `2h 10m`."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def count(number: int, word: str) -> str:
    """`1 stage`, `3 stages`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def heading(event: RunStarted) -> str:
    """The first line of a run."""
    expected = f", about {duration(event.expected)}" if event.expected and event.expected >= 1 else ""
    return f"{count(len(event.stages), 'stage')}, {count(event.jobs, 'job')} at a time{expected}"


def closing(event: RunFinished) -> str:
    """The last line of a run."""
    numbers = Counter(event.outcomes.values())
    parts = [f"{numbers[outcome]} {_PHRASES[outcome]}" for outcome in _PHRASES if numbers[outcome]]
    if set(numbers) <= {"unchanged"}:
        return f"nothing to do: {count(len(event.outcomes), 'stage')} up to date ({duration(event.seconds)})"
    text = f"{count(len(event.outcomes), 'stage')} in {duration(event.seconds)}: {', '.join(parts)}"
    if event.worked >= 1 and numbers["ran"] > 1:
        text += f"; commands took {duration(event.worked)}, the longest way through them {duration(event.critical)}"
    return text


class _Lines(Reporter):
    """Lines to a stream. If its reader goes away, as `| head` does, the run goes on unseen to its own end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._is_read = True

    def __call__(self, event: Event) -> None:
        for line in self._lines(event):
            self._write(line)

    def _lines(self, event: Event) -> Iterable[str]:
        raise NotImplementedError

    def _write(self, line: str) -> None:
        if not self._is_read:
            return
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except BrokenPipeError:
            self._is_read = False
            with contextlib.suppress(
                OSError, ValueError
            ):  # what is still buffered would be tried again at exit
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


class PlainReporter(_Lines):
    """One line when a stage starts and one when it ends."""

    def _lines(self, event: Event) -> Iterable[str]:
        match event:
            case RunStarted():
                yield heading(event)
            case StageStarted():
                yield f"{event.stage}: started (log: {event.log})"
            case StageFinished(outcome="unchanged"):
                return
            case StageFinished():
                time_taken = f" in {duration(event.seconds)}" if event.seconds else ""
                message = f": {event.message}" if event.message else ""
                yield f"{event.stage}: {_PHRASES[event.outcome]}{time_taken}{message}"
                yield from failure_lines(event)
            case Notice():
                yield event.message
            case RunFinished():
                yield closing(event)


def failure_lines(event: StageFinished) -> Iterable[str]:
    """The last lines of a failed stage's log, and where the rest is."""
    if event.outcome == "failed":
        yield from (f"    | {line}" for line in event.tail)
        if event.log:
            yield f"    log: {event.log}"


class JsonReporter(_Lines):
    """One JSON object per event and line."""

    def _lines(self, event: Event) -> Iterable[str]:
        yield json.dumps(as_json(event), ensure_ascii=False)


class LiveReporter(Reporter):
    """A line for each running stage, refreshed in place; what is through stands above."""

    def __init__(self, console: Any = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = console or Console(highlight=False)
        self._running: dict[str, tuple[StageStarted, float]] = {}
        self._through: Counter[str] = Counter()
        self._total = 0
        self._width = 10
        self._began = time.monotonic()
        self._expected: float | None = None
        self._ascii = "utf" not in self._console.encoding.lower()
        self._live = Live(
            get_renderable=self._picture, console=self._console, refresh_per_second=8, transient=True
        )

    def __enter__(self) -> LiveReporter:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._total, self._expected, self._began = len(event.stages), event.expected, time.monotonic()
                longest = max((len(stage) for stage in event.stages), default=10)
                self._width = max(10, min(longest, self._console.width * 2 // 5))
                self._print((heading(event), "dim"))
            case StageStarted():
                self._running[event.stage] = (event, time.monotonic())
            case StageFinished():
                self._running.pop(event.stage, None)
                self._through[event.outcome] += 1
                self._print_finished(event)
            case Notice():
                self._print((event.message, "yellow"))
            case RunFinished():
                self._live.stop()
                self._print((closing(event), "bold" if event.ok else "bold red"))

    def _print(self, *parts: tuple[str, str]) -> None:
        self._console.print(self._text(*parts))

    def _text(self, *parts: tuple[str, str]) -> Any:
        from rich.text import Text

        text = Text(no_wrap=False)
        for words, style in parts:
            text.append(words, style)
        return text

    def _print_finished(self, event: StageFinished) -> None:
        if event.outcome == "unchanged" or (event.outcome == "skipped" and not event.message):
            return
        sign, plain, style = _STYLES[event.outcome]
        taken = duration(event.seconds) if event.seconds else ""
        word = _WORDS[event.outcome]
        parts = [
            (f" {plain if self._ascii else sign} ", style),
            (self._name(event.stage), ""),
            (f"  {taken:>7}", "dim"),
        ]
        if event.outcome != "ran":
            parts.append((f"  {word}", style))
        if event.message:
            parts.append((f": {event.message}", ""))
        self._print(*parts)
        for line in failure_lines(event):
            self._print((line, "dim" if line.startswith("    |") else ""))

    def _name(self, stage: str) -> str:
        shown = stage if len(stage) <= self._width else "…" + stage[1 - self._width :]
        return f"{shown:<{self._width}}"

    def _picture(self) -> Any:
        from rich.console import Group

        now = time.monotonic()
        frames = "|/-\\" if self._ascii else "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
        frame = frames[int(now * 8) % len(frames)]
        most = max(1, self._console.height - 3)
        lines = [
            self._running_line(frame, event, now - began) for event, began in [*self._running.values()][:most]
        ]
        return Group(*lines, self._foot(now))

    def _running_line(self, frame: str, event: StageStarted, seconds: float) -> Any:
        parts = [(f" {frame} ", "cyan"), (self._name(event.stage), ""), (f"  {duration(seconds):>7}", "")]
        if event.expected:
            room = self._console.width - self._width - 24
            parts.append((f" of {duration(event.expected):<7}", "dim"))
            if room >= 10:
                parts += self._bar(min(1.0, seconds / event.expected), min(30, room))
        return self._text(*parts)

    def _bar(self, done: float, width: int) -> list[tuple[str, str]]:
        full = round(done * width)
        done_sign, rest_sign = ("=", "-") if self._ascii else ("━", "─")
        return [(done_sign * full, "cyan"), (rest_sign * (width - full), "dim")]

    def _foot(self, now: float) -> Any:
        through = sum(self._through.values())
        parts = [f"{through} of {self._total} done", duration(now - self._began)]
        if self._expected and self._expected >= 1:
            parts[1] += f" of about {duration(self._expected)}"
        if self._through["failed"]:
            parts.append(f"{self._through['failed']} failed")
        return self._text(("   " + " · ".join(parts) if not self._ascii else "   " + ", ".join(parts), "dim"))


def reporter(*, as_json: bool) -> Reporter:
    """The one that fits where standard output goes."""
    if as_json:
        return JsonReporter()
    if sys.stdout.isatty():
        return LiveReporter()
    return PlainReporter()
