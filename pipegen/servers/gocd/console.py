"""A job's console log as GoCD keeps it: a tag of two signs, `|`, the time of day, the text.

Text that the server itself adds (why a job was not given to an agent, that it was silent for too long) has no tag, and
the line after it may begin in the same line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TAGS = ("##", "pr", "pe", "!!", "&1", "&2", "?0", "?1", "j0", "j1", "ar", "ae", "!x", "x0", "x1", "^C", "ex")
"""Information, preparation and its errors, a task begins, its output and errors, it passed or failed, so did the job,
artifacts and their errors, cancelling, the end."""
OUTPUT, ERRORS = "&1", "&2"
TASK = "!!"
_TAGGED = re.compile(rf"({'|'.join(map(re.escape, TAGS))})\|(\d\d:\d\d:\d\d\.\d{{3}}) ?")


@dataclass(frozen=True)
class Line:
    """One line of a console log."""

    text: str
    """Without tag and time."""
    tag: str = ""
    """One of `TAGS`; empty for what the server itself added."""
    time: str = ""
    """Of the day, on the agent: `02:43:02.657`."""

    @property
    def from_command(self) -> bool:
        """Whether a command wrote it, and not GoCD about it."""
        return self.tag in (OUTPUT, ERRORS)


def read(text: str) -> Iterator[Line]:
    """The lines of a log or of a part of it."""
    for raw in text.split("\n")[: -1 if text.endswith("\n") or not text else None]:
        yield from _read_line(raw)


def _read_line(raw: str) -> Iterator[Line]:
    found = _TAGGED.match(raw)
    if found:
        yield Line(raw[found.end() :], found[1], found[2])
        return
    later = _TAGGED.search(raw)
    if later:
        yield Line(raw[: later.start()])
        yield Line(raw[later.end() :], later[1], later[2])
    else:
        yield Line(raw)


class Console:
    """A log that is read while it grows; a line is given once, and only when it is whole.

    Args:
        lines: how many were read before.
    """

    def __init__(self, lines: int = 0) -> None:
        self.lines = lines
        """How many whole lines of the server's log were read: where the next request begins."""
        self._rest = ""

    def feed(self, text: str) -> list[Line]:
        """The whole lines of what the server has from line `lines` on."""
        whole, newline, self._rest = text.rpartition("\n")
        if not newline:
            return []
        self.lines += whole.count("\n") + 1
        return list(read(whole + newline))

    def end(self) -> list[Line]:
        """The last line, if no line end stands behind it: the job is done, so none will come."""
        rest, self._rest = self._rest, ""
        return list(read(rest))
