"""Runs Python programs in forks of a process that has imported what they import: starting them anew takes seconds.

    python warm_server.py SOCKET MODULE…

One connection is one program. The client sends its words, folder, variables and its three streams; then a byte for each
signal that it gets, and gets the exit code at the end. A client that is gone takes its program with it. The server ends
with its standard input.
"""

from __future__ import annotations

import atexit
import contextlib
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
from typing import Any


def serve(place: str) -> dict[str, Any]:
    """Take connections for ever; returns only in a fork, with what is to be run there."""
    selector = selectors.DefaultSelector()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place)
    listener.listen(64)
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(ended, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    for source in (listener, ended, sys.stdin):
        selector.register(source, selectors.EVENT_READ)
    clients: dict[int, socket.socket] = {}
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                for pid in clients:
                    _end(pid, signal.SIGKILL)
                sys.exit()
            elif key.fileobj is listener:
                client = listener.accept()[0]
                _, streams, _, _ = socket.recv_fds(client, 1, 3)
                request = json.loads(client.makefile("r", encoding="utf-8").readline())
                pid = os.fork()
                if not pid:
                    selector.close()
                    for other in (listener, client, *clients.values()):
                        other.close()
                    return {**request, "streams": streams}
                for stream in streams:
                    os.close(stream)
                clients[pid] = client
                selector.register(client, selectors.EVENT_READ, pid)
            elif key.fileobj == ended:
                os.read(ended, 4096)
                for pid in list(clients):
                    found, status = os.waitpid(pid, os.WNOHANG)
                    if found:
                        client = clients.pop(pid)
                        selector.unregister(client)
                        _tell(client, os.waitstatus_to_exitcode(status))
            elif key.data in clients:
                said = clients[key.data].recv(64)
                for number in said:
                    _end(key.data, signal.Signals(number))
                if not said:
                    selector.unregister(clients[key.data])
                    _end(key.data, signal.SIGKILL)


def _end(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _tell(client: socket.socket, code: int) -> None:
    with client, contextlib.suppress(OSError):
        client.sendall(f"{code}\n".encode())


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
    request = serve(sys.argv[1])
    code: Any = 0
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
