"""DVC's two locks, taken the way DVC takes them, but pipegen waits where DVC gives up after three seconds.

The repository lock (`.dvc/tmp/lock`) is held while DVC's files are changed and released while commands run. The
read-write lock (`.dvc/tmp/rwlock`) names, by process, the paths that running stages read and write.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pipegen.dvc.paths import overlap
from pipegen.errors import os_error

SAY_AFTER = 1.0
"""Seconds of waiting after which the user is told."""

Notify = Callable[[str], None]


class FileLock:
    """An exclusive lock on a file, as zc.lockfile has it: `flock`, and the process id written into the file.

    Args:
        path: the file.
        hardlink: lock as DVC does under `core.hardlink_lock`, for file systems without `flock`.
    """

    def __init__(self, path: Path, *, hardlink: bool = False) -> None:
        self.path = path
        self._file: IO[str] | None = None
        self._by_link = _hardlink_lock(path) if hardlink else None

    @property
    def is_locked(self) -> bool:
        return self._file is not None or bool(self._by_link and self._by_link.is_locked)

    def try_lock(self) -> bool:
        """Take it if nobody has it."""
        if self._by_link:
            return _try_hardlink(self._by_link)
        try:
            file = self.path.open("a+")
        except OSError as error:
            raise os_error(error, "open", self.path) from None
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        except OSError as error:
            file.close()
            raise os_error(error, "lock", self.path) from None
        file.seek(0)
        file.truncate()
        file.write(f" {os.getpid()}\n")
        file.flush()
        self._file = file
        return True

    def lock(self) -> None:
        """Take it, waiting as long as it takes."""
        wait_until(self.try_lock, lambda: None)

    def unlock(self) -> None:
        """Give it back."""
        if self._by_link:
            self._by_link.unlock()
        if self._file:
            self._file.close()
            self._file = None

    def __enter__(self) -> FileLock:
        self.lock()
        return self

    def __exit__(self, *_: object) -> None:
        self.unlock()

    def holder(self) -> str:
        """The process that has it, as far as the file says."""
        try:
            return self.path.read_text().strip() or "?"
        except OSError:
            return "?"


def _hardlink_lock(path: Path) -> Any:
    from dvc.lock import HardlinkLock

    return HardlinkLock(str(path), tmp_dir=str(path.parent))


def _try_hardlink(lock: Any) -> bool:
    from datetime import timedelta

    from dvc.lock import LockError

    try:
        lock.lock(timedelta(seconds=0.2))
    except LockError:
        return False
    return True


def wait_until(attempt: Callable[[], bool], say: Callable[[], None], pause: float = 0.02) -> None:
    """Try until it succeeds; `say` is called once when that takes longer than `SAY_AFTER`."""
    began, told = time.monotonic(), False
    while not attempt():
        if not told and time.monotonic() - began > SAY_AFTER:
            say()
            told = True
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


class RepositoryLock(FileLock):
    """DVC's lock on the whole repository; says so when another process makes it wait."""

    def __init__(self, dvc_tmp: Path, notify: Notify, *, hardlink: bool = False) -> None:
        super().__init__(dvc_tmp / "lock", hardlink=hardlink)
        self._notify = notify

    def lock(self) -> None:
        wait_until(
            self.try_lock,
            lambda: self._notify(
                f"waiting for another DVC process (PID {self.holder()}) to release its lock"
            ),
        )


class PathLocks:
    """DVC's read-write lock, for all stages of this process together.

    Paths are counted here and written to the file only when the first stage comes and the last one goes.
    """

    def __init__(self, dvc_tmp: Path, *, hardlink: bool = False) -> None:
        self._path = dvc_tmp / "rwlock"
        self._guard = FileLock(dvc_tmp / "rwlock.lock", hardlink=hardlink)
        self._me = {"pid": os.getpid(), "cmd": " ".join(sys.argv)}
        self._reading: Counter[str] = Counter()
        self._writing: Counter[str] = Counter()

    def try_acquire(self, read: Iterable[str], write: Iterable[str]) -> str:
        """Take all paths, or none: then the answer says which process has one of them."""
        read, write = list(read), list(write)
        with self._edit() as held:
            blocker = _blocker(held["write"], read + write, self._me) or _blocker(
                held["read"], write, self._me
            )
            if blocker:
                return blocker
            self._reading.update(read)
            self._writing.update(write)
            self._enter(held)
        return ""

    def release(self, read: Iterable[str], write: Iterable[str]) -> None:
        """Give back what `try_acquire` took."""
        self._reading.subtract(read)
        self._writing.subtract(write)
        with self._edit() as held:
            self._enter(held)

    def _enter(self, held: dict[str, Any]) -> None:
        """Make the file say what this process holds now."""
        for path, infos in list(held["read"].items()):
            held["read"][path] = [info for info in infos if info["pid"] != self._me["pid"]]
        for path in +self._reading:
            held["read"].setdefault(path, []).append(self._me)
        held["read"] = {path: infos for path, infos in held["read"].items() if infos}
        held["write"] = {path: info for path, info in held["write"].items() if info["pid"] != self._me["pid"]}
        held["write"].update(dict.fromkeys(+self._writing, self._me))

    @contextmanager
    def _edit(self) -> Iterator[dict[str, Any]]:
        with self._guard:
            held = self._read()
            before = json.dumps(held)
            yield held
            after = json.dumps({kind: paths for kind, paths in held.items() if paths})
            if after != before:
                self._replace(after)

    def _read(self) -> dict[str, Any]:
        """What all processes hold. A file that a killed process left half-written holds nothing."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            found = {}
        except OSError as error:
            raise os_error(error, "read", self._path) from None
        known = found if isinstance(found, dict) else {}
        return {"write": known.get("write", {}), "read": known.get("read", {})}

    def _replace(self, text: str) -> None:
        """Write it so that a kill leaves the old or the new, never a part: DVC refuses to work with a part."""
        temporary = self._path.with_name("rwlock.pipegen")
        try:
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, self._path)
        except OSError as error:
            raise os_error(error, "write", self._path) from None


def _blocker(held: dict[str, Any], wanted: list[str], me: dict[str, Any]) -> str:
    for path, infos in list(held.items()):
        if not any(overlap(path, other) for other in wanted):
            continue
        for info in infos if isinstance(infos, list) else [infos]:
            if info["pid"] == me["pid"]:
                continue
            if is_alive(int(info["pid"])):
                return f"{path} is in use by PID {info['pid']} ({info['cmd']})"
            _forget(held, path, info)
    return ""


def _forget(held: dict[str, Any], path: str, dead: dict[str, Any]) -> None:
    """A killed process leaves its entries behind."""
    infos = held.get(path)
    if isinstance(infos, list):
        held[path] = [info for info in infos if info != dead]
    if not isinstance(infos, list) or not held[path]:
        held.pop(path, None)


def is_alive(pid: int) -> bool:
    """Whether there is a process of this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
