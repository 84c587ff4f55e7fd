"""What `pipegen exec` says in a build's log: `##pipegen` and a JSON object in one line, among all else that is printed.

Servers put things before it (Jenkins' timestamps, GoCD's tags), so the mark is looked for anywhere in a line. What is
no such object is output of a command and passed over: a log is no place to fail at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

PREFIX = "##pipegen "


def events(text: str) -> Iterator[dict[str, Any]]:
    """The events in whole lines of a log, in order; each has at least `event`, a text."""
    if PREFIX not in text:
        return
    for line in text.splitlines():
        found = event(line)
        if found is not None:
            yield found


def event(line: str) -> dict[str, Any] | None:
    """The event that a line holds, if it holds one."""
    _, mark, rest = line.partition(PREFIX)
    if not mark or not rest.startswith("{"):
        return None
    try:
        data = json.loads(rest)
    except ValueError:
        return None
    return data if isinstance(data, dict) and isinstance(data.get("event"), str) else None


class Said:
    """What was said of each stage so far; fed with pieces of logs as they come."""

    def __init__(self) -> None:
        self._stages: dict[str, dict[str, Any]] = {}
        self._rests: dict[str, str] = {}

    def feed(self, text: str, log: str = "", *, last: bool = False) -> list[dict[str, Any]]:
        """Take the next piece of a log; the events in it, each given once and only when its line is whole.

        Args:
            text: the piece.
            log: which log, where there are several.
            last: whether nothing comes behind it.
        """
        whole, newline, rest = (self._rests.get(log, "") + text).rpartition("\n")
        self._rests[log] = "" if last else rest
        found = list(events(whole + newline + (rest if last else "")))
        for each in found:
            self._note(each)
        return found

    def _note(self, event: Mapping[str, Any]) -> None:
        stage = event.get("stage")
        if not isinstance(stage, str):
            return
        known = self._stages.setdefault(stage, {})
        if event["event"] == "stage_started":
            known.clear()  # another attempt of the server's, on another agent: it begins anew
        known[event["event"]] = event

    @property
    def stages(self) -> Iterable[str]:
        """The addresses of the stages that something was said of."""
        return self._stages

    def last(self, stage: str, event: str) -> Mapping[str, Any]:
        """The last event of a kind about a stage; empty where there was none."""
        found: Mapping[str, Any] = self._stages.get(stage, {}).get(event, {})
        return found
