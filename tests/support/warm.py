"""Programs on the PATH of agents that run in a process which has their libraries loaded: see `warm_server.py`.

What such a program does is what the program does: the same code, arguments, folder, variables, streams, exit code and
signals. Only the imports were done before. A test that kills programs, or looks at processes, starts real ones.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.repositories import OF_DVC

ROOT = Path(__file__).resolve().parents[2]
SERVER = Path(__file__).with_name("warm_server.py")
CLIENT = """\
#!{python} -IS
import json, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({place!r})
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, lambda number, frame: server.sendall(bytes([number])))
socket.send_fds(server, [b"x"], [0, 1, 2])
request = {{"words": sys.argv, "folder": os.getcwd(), "env": dict(os.environ)}}
server.sendall(json.dumps(request).encode() + b"\\n")
code = int(server.makefile().readline() or 255)
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""
PIPEGEN = (
    "pipegen.cli.exec",
    "pipegen.cli.values",
    "pipegen.project",
    "pipegen.runner.agent.execute",
    "pipegen.dvc.bearer",
    "pipegen.dvc.direct",
    *OF_DVC,
)
"""What `pipegen exec` imports in the end."""
S3 = ("dvc_s3", "s3fs")
EXAMPLES = (
    "pytest",
    "_pytest.junitxml",
    "pandas",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.metrics",
    "matplotlib.pyplot",
    "yaml",
)
"""What the stages of the examples and their tests import."""


class Warm:
    """Such a process.

    Args:
        place: its socket.
    """

    def __init__(self, place: Path) -> None:
        self._text = CLIENT.format(python=sys.executable, place=str(place))

    def install(self, folder: Path, *names: str) -> dict[str, str]:
        """Put programs, `pipegen` or Pythons, into a folder; the variables of a machine that has them on its PATH."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_text(self._text, "utf-8")
            (folder / name).chmod(0o755)
        return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}


@contextmanager
def warm(modules: Sequence[str], env: Mapping[str, str] | None = None) -> Iterator[Warm]:
    """Start one; it ends with the block.

    Args:
        modules: what it imports.
        env: variables that libraries read while they are imported.
    """
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:  # a socket's path may have 107 bytes
        place = Path(folder) / "socket"
        process = subprocess.Popen(
            [sys.executable, str(SERVER), str(place), *modules],
            env={**os.environ, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1", **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin and process.stdout
        try:
            assert process.stdout.readline() == "ready\n", f"{SERVER.name} did not start"
            yield Warm(place)
        finally:
            process.stdin.close()
            process.wait(10)
            process.stdout.close()
