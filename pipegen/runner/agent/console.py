"""What an agent prints: the output of commands as it comes, and one line for each thing that happens.

Such a line is `##pipegen` and a JSON object, in which `event` says what happened and `says` says it for people.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from pipegen.errors import os_error
from pipegen.records.said import PREFIX
from pipegen.runner.agent.masking import Masker

HEAD, TAIL = 4 * 1024 * 1024, 1024 * 1024
"""Bytes of the kept log: so many of its beginning, and of its end where it is longer. The server's console has all."""


HEARTBEAT = 60.0
"""Seconds of silence after which a line says that work goes on: GoCD takes silence for death."""


class Console:
    """Standard output, and the log file that is kept.

    Args:
        stream: where everything goes.
        log: the file for the output of commands; None keeps none.
        masker: knows what must not be seen.
        events: where the lines of events go instead, as bare JSON.
    """

    def __init__(
        self,
        stream: TextIO,
        log: Path | None = None,
        masker: Masker | None = None,
        events: TextIO | None = None,
    ) -> None:
        self._stream, self._events = stream, events
        self.masker = masker or Masker()
        self._log = _KeptLog(log) if log else None
        self._at_line_start = True
        self._quiet_since = time.monotonic()
        self._mutex = threading.RLock()

    def event(self, event: str, says: str, **fields: Any) -> None:
        """Print one line about something that happened."""
        data = self.masker.data({"event": event, "says": says, **fields})
        line = json.dumps(data, ensure_ascii=False)
        with self._mutex:
            if self._events is not None:
                print(line, file=self._events, flush=True)
                return
            if not self._at_line_start:
                self._write(b"\n")
            self._write(f"{PREFIX}{line}\n".encode(errors="replace"))

    def notice(self, message: str) -> None:
        """Something a reader of the log should know."""
        self.event("notice", message)

    def output(self, piece: bytes, *, last: bool = False) -> None:
        """Print a piece of a command's output, and keep it. Raises FileError if it can't be kept."""
        with self._mutex:
            shown = self.masker.feed(piece) + (self.masker.flush() if last else b"")
            if shown:
                self._write(shown)
                if self._log:
                    self._log.write(shown)

    @contextmanager
    def heartbeat(self, name: str) -> Iterator[None]:
        """While open, say each minute of silence that `name` is still being worked on."""
        over = threading.Event()
        began = time.monotonic()

        def beat() -> None:
            while not over.wait(min(1.0, HEARTBEAT / 4)):
                if time.monotonic() - self._quiet_since >= HEARTBEAT:
                    seconds = round(time.monotonic() - began)
                    self.event("alive", f"{name} goes on, for {seconds} s now", stage=name, seconds=seconds)
                    self._quiet_since = time.monotonic()

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _write(self, shown: bytes) -> None:
        self._quiet_since = time.monotonic()
        self._at_line_start = shown.endswith(b"\n")
        buffer: BinaryIO | None = getattr(self._stream, "buffer", None)
        if buffer is None:
            self._stream.write(shown.decode(errors="replace"))
        else:
            self._stream.flush()
            buffer.write(shown)
        self._stream.flush()

    def close(self) -> None:
        """Bring the kept log to its end. Raises FileError if it can't be written."""
        if self._log:
            self._log.close()


class _KeptLog:
    """A log file that doesn't grow without end: its beginning and its end."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise os_error(error, "write", path) from None
        self._path = path
        self._room = HEAD
        self._tail: deque[bytes] = deque()
        self._kept = self._left_out = 0

    def write(self, piece: bytes) -> None:
        head, rest = piece[: self._room], piece[self._room :]
        self._put(head)
        self._room -= len(head)
        if not rest:
            return
        self._tail.append(rest)
        self._kept += len(rest)
        while self._kept - len(self._tail[0]) >= TAIL:
            gone = self._tail.popleft()
            self._kept -= len(gone)
            self._left_out += len(gone)

    def _put(self, piece: bytes) -> None:
        try:
            self._file.write(piece)
        except OSError as error:
            raise os_error(error, "write", self._path) from None

    def close(self) -> None:
        if self._file.closed:
            return
        with self._file:
            if self._left_out:
                self._put(f"\n… {self._left_out} bytes are left out here …\n".encode())
            for piece in self._tail:
                self._put(piece)
            self._tail.clear()
