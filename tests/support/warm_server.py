"""Runs Python programs in forks of a process that has imported what they import: starting them anew takes seconds.

    python warm_server.py SOCKET MODULE…

One connection is one program. The client sends its words, folder, variables and its three streams; then a byte for each
signal that it gets, and gets the exit code at the end. A client that is gone takes its program with it. The server ends
with its standard input.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import random
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn


class Forked(Exception):
    """Raised in a fork: this is no server any more, but the program of this request."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request


class Server:
    """Forks for each connection, and stands between client and fork.

    Args:
        place: where its socket is to be.
    """

    def __init__(self, place: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(place)
        self._listener.listen(64)
        self._ended, wake = os.pipe()
        os.set_blocking(self._ended, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._clients: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(sys.stdin, selectors.EVENT_READ, self._close)
        self._selector.register(self._listener, selectors.EVENT_READ, self._start)
        self._selector.register(self._ended, selectors.EVENT_READ, self._reap)

    def serve(self) -> NoReturn:
        """Until standard input ends, or Forked in a fork."""
        print("ready", flush=True)
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _close(self) -> NoReturn:
        for pid in self._clients:
            _send(pid, signal.SIGKILL)
        sys.exit()

    def _start(self) -> None:
        client = self._listener.accept()[0]
        _, streams, _, _ = socket.recv_fds(client, 1, 3)
        request = json.loads(client.makefile("r", encoding="utf-8").readline())
        pid = os.fork()
        if not pid:
            self._selector.close()
            for other in (self._listener, client, *self._clients.values()):
                other.close()
            raise Forked({**request, "streams": streams})
        for stream in streams:
            os.close(stream)
        self._clients[pid] = client
        self._selector.register(client, selectors.EVENT_READ, functools.partial(self._hear, pid))

    def _hear(self, pid: int) -> None:
        """Pass signals on; a client that is gone was killed."""
        if pid not in self._clients:
            return
        said = self._clients[pid].recv(64)
        for number in said or [signal.SIGKILL]:
            _send(pid, number)
        if not said:
            self._selector.unregister(self._clients[pid])

    def _reap(self) -> None:
        os.read(self._ended, 4096)
        for pid in list(self._clients):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                client = self._clients.pop(pid)
                with contextlib.suppress(KeyError):
                    self._selector.unregister(client)
                with client, contextlib.suppress(OSError):
                    client.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def become(request: dict[str, Any]) -> None:
    """Take over the client's place in the world, but for its process group."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    for number, stream in enumerate(request["streams"]):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def run(words: list[str]) -> None:
    """`pipegen …`, or the Python interpreter with `-m MODULE …`, `-c CODE …` or `FILE …`."""
    program, *rest = words
    more = list(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    name = Path(program).name
    if name == "pipegen":
        from pipegen.cli import main

        sys.argv = words
        main()
    elif rest[0] == "-m":
        sys.argv, sys.path[:1] = rest[1:], [os.getcwd(), *more]
        runpy.run_module(rest[1], run_name="__main__", alter_sys=True)
    elif rest[0] == "-c":
        sys.argv, sys.path[:1] = ["-c", *rest[2:]], ["", *more]
        exec(compile(rest[1], "<string>", "exec"), {"__name__": "__main__"})
    elif not rest[0].startswith("-"):
        sys.argv, sys.path[:1] = rest, [str(Path(rest[0]).parent), *more]
        runpy.run_path(rest[0], run_name="__main__")
    else:
        sys.exit(f"{name}: the option {rest[0]} is unknown here")


def main() -> None:
    """Serve; in a fork, run a program and end as Python ends, without the time it takes to take all apart."""
    sys.path[0] = ""  # of this script nothing is to be found
    for module in sys.argv[2:]:
        importlib.import_module(module)
    if threading.active_count() > 1:
        sys.exit("an import started a thread: no fork would be safe")
    gc.freeze()
    code: Any = 0
    try:
        Server(sys.argv[1]).serve()
    except Forked as fork:
        request = fork.request
    try:
        become(request)
        run(request["words"])
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        number = code if isinstance(code, int) else int(code is not None)
        try:
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            sys.stdout.flush()
        finally:
            os._exit(number & 255)


if __name__ == "__main__":
    main()
