"""Time of whole processes, ours and the other side's in one run of the script."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
CACHE = ROOT / ".cache"


@dataclass(frozen=True)
class Cost:
    """What a process and those it waited for took."""

    cpu: float
    """Seconds of processor, user and system."""
    wall: float
    """Seconds by the clock."""


def cost(command: list[str], *, cwd: Path = ROOT, env: Mapping[str, str] = os.environ) -> Cost:
    """One run of a command, which must succeed; its output is kept for the message if it doesn't."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f"{command} failed:\n{output.read().decode(errors='replace')[-4000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, wall)


def medians(commands: Mapping[str, list[str]], runs: int, *, cwd: Path = ROOT) -> dict[str, Cost]:
    """The median cost of each command. They take turns, so that a busy moment of the machine hits them all; a run
    before the first one fills the caches of byte code and disk."""
    with bytecode() as env:
        for command in commands.values():
            cost(command, cwd=cwd, env=env)
        measured: dict[str, list[Cost]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                measured[name].append(cost(command, cwd=cwd, env=env))
    return {
        name: Cost(statistics.median(c.cpu for c in costs), statistics.median(c.wall for c in costs))
        for name, costs in measured.items()
    }


@contextmanager
def bytecode() -> Iterator[dict[str, str]]:
    """An environment in which byte code is kept, for both sides, in a folder of its own: as after an installation."""
    with tempfile.TemporaryDirectory() as folder:
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        yield {**env, "PYTHONPYCACHEPREFIX": folder}


def tool(name: str, *packages: str) -> Path:
    """A program in a virtual environment of its own below `.cache`, made the first time."""
    venv = CACHE / name
    program = venv / "bin" / name
    if not program.exists():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "python", "-m", "pip", "install", "-q", *packages], check=True)
    return program


def verdict(what: str, ours: float, limit: float, note: str) -> bool:
    """Print one line: what was measured, and against what. True if it holds."""
    kept = ours <= limit
    print(
        f"{'ok  ' if kept else 'MISS'}  {what}: {ours:.3f} s, at most {limit:.3f} s ({note}); ratio {ours / limit:.2f}"
    )
    return kept
