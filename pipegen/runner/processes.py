"""Commands as child processes: each in a group of its own, its output in a log file, and always ended.

Output goes straight to the file, so a stage that prints gigabytes costs pipegen nothing and a daemon that keeps the
output open holds nobody up. A guard process ends the groups if pipegen itself is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import quote

from pipegen.dvc.shell import Command
from pipegen.errors import os_error

GRACE = 5.0
"""Seconds between asking a process group to end and killing it."""

_GUARD = """
trap '' INT TERM HUP
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
[ "$groups" = ' ' ] && exit
for group in $groups; do kill -TERM -"$group" 2>/dev/null; done
sleep 2
for group in $groups; do kill -KILL -"$group" 2>/dev/null; done
"""


class Guard:
    """A small shell that waits for pipegen to go away and then ends the process groups that it left."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._mutex = threading.Lock()

    def __enter__(self) -> Guard:
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process and self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()

    def tell(self, sign: str, group: int) -> None:
        """`+` a group to watch, `-` one that is gone."""
        if self._process and self._process.stdin:
            with self._mutex, contextlib.suppress(OSError):
                self._process.stdin.write(f"{sign} {group}\n".encode())
                self._process.stdin.flush()


class Child:
    """The command of one stage, running.

    Args:
        command: what to run.
        log: the file that takes its output.
        guard: ends it if pipegen is killed.
        done: called from another thread when it is through, with a message that is empty if it succeeded.
        then: called in that thread first, if it succeeded.
    """

    def __init__(
        self,
        command: Command,
        log: Path,
        guard: Guard,
        done: Callable[[str], None],
        then: Callable[[], None] = lambda: None,
    ) -> None:
        self._command, self._guard, self._done, self._then = command, guard, done, then
        self._group = 0
        self._stopped = False
        self._began = time.monotonic()
        self.seconds = 0.0
        """How long it ran, once it is through."""
        self._mutex = threading.Lock()
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            self._output = log.open("wb", buffering=0)
        except OSError as error:
            raise os_error(error, "write", log) from None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            message = self._run_lines()
        except OSError as error:
            message = (
                f"can't run its command: {error.strerror or error} ({error.filename or self._command.folder})"
            )
        except Exception as error:  # the thread must always report
            message = f"can't run its command: {error}"
        self.seconds = time.monotonic() - self._began
        if not message:
            try:
                self._then()
            except Exception as error:  # here too
                message = f"{type(error).__name__} after its command: {error}"
        with contextlib.suppress(OSError):
            self._output.close()
        self._done(message)

    def _run_lines(self) -> str:
        for line, arguments in zip(self._command.lines, self._command.processes, strict=True):
            self._output.write(f"> {line}\n".encode())
            code = self._run_process(arguments, self._output)
            if self._stopped:
                return "stopped"
            if code:
                return f"its command {_ended(code)}"
        return ""

    def _run_process(self, arguments: tuple[str, ...], output: IO[bytes]) -> int:
        with self._mutex:
            if self._stopped:
                return -signal.SIGTERM
            process = subprocess.Popen(
                arguments,
                cwd=self._command.folder,
                env=self._command.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._group = process.pid
        self._guard.tell("+", process.pid)
        try:
            return _wait_for_group(process)
        finally:
            with self._mutex:
                self._group = 0
            self._guard.tell("-", process.pid)

    def stop(self, *, kill: bool = False) -> None:
        """Ask the processes to end, or kill them. `done` is called when they are gone."""
        with self._mutex:
            self._stopped = True
            if self._group:
                _signal_group(self._group, signal.SIGKILL if kill else signal.SIGTERM)


def _wait_for_group(process: subprocess.Popen[bytes]) -> int:
    """The exit code of the leader; what it left running in its group is ended."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    _signal_group(
        process.pid, signal.SIGTERM
    )  # the leader's process id is still its own: it has not been waited for
    code = process.wait()
    ends = time.monotonic() + GRACE
    while _signal_group(process.pid, 0):
        if time.monotonic() > ends:
            _signal_group(process.pid, signal.SIGKILL)
            break
        time.sleep(0.01)
    return code


def _signal_group(group: int, number: int) -> bool:
    """Whether anybody was there to receive it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _ended(code: int) -> str:
    if code > 0:
        return f"exited with {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def log_name(address: str) -> str:
    """A file name for a stage's log: the address, as far as a file name can hold it."""
    name = quote(address, safe="@+=,. ()[]{}~^")
    if len(name) > 200:
        import hashlib

        name = f"{name[:180]}-{hashlib.sha256(address.encode()).hexdigest()[:16]}"
    return f"{name}.log"


def tail(path: Path, lines: int = 15) -> tuple[str, ...]:
    """The last lines of a log, however large it is; control characters and colours left out."""
    import re

    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    rows = [row.rsplit("\r", 1)[-1] for row in plain.replace("\r\n", "\n").split("\n")]
    rows = ["".join(ch for ch in row.expandtabs() if ch.isprintable()).rstrip() for row in rows]
    while rows and not rows[-1]:
        rows.pop()
    return tuple(row[:500] for row in rows[-lines:])
