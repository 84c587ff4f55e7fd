"""A job's console log: tagged, timed, masked lines, and how long it has been silent."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timezone

# The tags of [F 3] and [R 184, 260, 280, 291].
INFO, PREPARE, PREPARE_ERROR, TASK, OUT, ERR = "##", "pr", "pe", "!!", "&1", "&2"
PASSED, FAILED, JOB_PASSED, JOB_FAILED = "?0", "?1", "j0", "j1"
UPLOAD, UPLOAD_ERROR, END, CANCEL, CANCEL_DONE, CANCELLED = "ar", "ae", "ex", "!x", "x0", "^C"


class Console:
    """The log of one job."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._text = ""
        self._masked: tuple[str, ...] = ()
        self._last = time.monotonic()

    def mask(self, values: Iterable[str]) -> None:
        """Values that no line shows from now on; an empty one can't be masked."""
        self._masked = tuple(sorted({value for value in values if value}, key=len, reverse=True))

    def line(self, tag: str, text: str = "") -> None:
        """A line for each line of `text`, all with the tag [R 508]."""
        now = datetime.now(timezone.utc).strftime("%H:%M:%S.%f")[:-3]
        for value in self._masked:
            text = text.replace(value, "******")  # [R 184]: in output six stars
        with self._lock:
            self._text += "".join(f"{tag}|{now} {part}\n" for part in text.split("\n"))
            self._last = time.monotonic()

    def go(self, tag: str, text: str) -> None:
        """A line of the agent's own."""
        self.line(tag, f"[go] {text}")

    def raw(self, text: str) -> None:
        """What the server itself appends, without tag, time or line end [R 294, 518]."""
        with self._lock:
            self._text += text

    @property
    def silence(self) -> float:
        """Seconds since the last line."""
        with self._lock:
            return time.monotonic() - self._last

    @property
    def text(self) -> str:
        """The whole log."""
        with self._lock:
            return self._text

    def output(self, *tags: str) -> list[str]:
        """The lines of these tags, without tag and time; by default what commands wrote."""
        wanted = tags or (OUT, ERR)
        lines = [re.match(r"(..)\|[\d:.]{12} (.*)", line) for line in self.text.split("\n")]
        return [line[2] for line in lines if line and line[1] in wanted]


def shown(words: Iterable[str]) -> str:
    """A command as the log shows it: words with spaces or quotes stand in double quotes [R 505, 506, 508]."""
    return " ".join(
        '"' + word.replace('"', '\\"') + '"' if re.search(r"[\s\"']", word) else word for word in words
    )
