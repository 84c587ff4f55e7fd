"""`pipegen run` beside `dvc repro` on the same graphs, both in one go on one machine: wall time, CPU time, memory.

    python benchmarks/run_vs_dvc.py                      # all scenarios
    python benchmarks/run_vs_dvc.py trivial --stages 300
    python benchmarks/run_vs_dvc.py sleep big

Each scenario makes two new repositories, runs each side in its own, checks that both end with the same `dvc.lock`, and
prints the ratio (DVC's figure divided by pipegen's).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DVC = [sys.executable, "-m", "dvc"]
PIPEGEN = [sys.executable, "-c", "from pipegen.cli import main; main()"]
ENV = {**os.environ, "DVC_NO_ANALYTICS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}


@dataclass(frozen=True)
class Cost:
    """What one command took, its children included."""

    wall: float
    cpu: float
    memory: float
    """Largest resident set of any one process, in MiB."""

    def __str__(self) -> str:
        return f"{self.wall:8.2f} s wall {self.cpu:8.2f} s CPU {self.memory:6.0f} MiB"


def measure(command: list[str], folder: Path) -> Cost:
    """Run a command that must succeed."""
    log = folder / ".dvc" / "tmp" / "bench.log"
    log.parent.mkdir(exist_ok=True)
    began = time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=folder, env=ENV, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(command[-6:])} failed:\n{log.read_text()}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def fan(stages: int, cmd: str = "cp source out{}") -> str:
    """One source and as many stages that read it."""
    lines = ["stages:", "  source: {cmd: echo 1 > source, outs: [source]}"]
    lines += [
        f"  s{i}: {{cmd: '{cmd.format(i, i=i)}', deps: [source], outs: [out{i}]}}" for i in range(stages)
    ]
    return "\n".join(lines) + "\n"


@contextmanager
def twins(dvc_yaml: str, where: Path | None) -> Iterator[tuple[Path, Path]]:
    """Two repositories with the same pipeline."""
    top = Path(tempfile.mkdtemp(prefix="pipegen-bench-", dir=where))
    try:
        made = []
        for name in ("dvc", "pipegen"):
            folder = top / name
            folder.mkdir()
            subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
            subprocess.run([*DVC, "init", "-q"], cwd=folder, env=ENV, check=True)
            subprocess.run([*DVC, "config", "core.analytics", "false"], cwd=folder, env=ENV, check=True)
            (folder / "dvc.yaml").write_text(dvc_yaml)
            made.append(folder)
        yield made[0], made[1]
    finally:
        shutil.rmtree(top, ignore_errors=True)


def compare(title: str, theirs: Cost, ours: Cost) -> None:
    """Print both and the ratio."""
    print(f"{title}\n  dvc repro    {theirs}\n  pipegen run  {ours}")
    print(
        f"  ratio        {theirs.wall / ours.wall:8.1f}   wall {theirs.cpu / ours.cpu:8.1f}   CPU", flush=True
    )


def same_result(theirs: Path, ours: Path) -> None:
    """Both lock files must be equal, and DVC must find nothing to do."""
    if (theirs / "dvc.lock").read_bytes() != (ours / "dvc.lock").read_bytes():
        sys.exit("the lock files differ")


def trivial(options: argparse.Namespace) -> None:
    """Stages that take no time, then the same with nothing to do."""
    with twins(fan(options.stages), options.where) as (theirs, ours):
        dvc = measure([*DVC, "repro", "-q"], theirs)
        pipegen = measure([*PIPEGEN, "run", "-j", "2"], ours)
        same_result(theirs, ours)
        compare(f"{options.stages} trivial stages after one source, -j 2", dvc, pipegen)
        dvc = measure([*DVC, "repro", "-q"], theirs)
        pipegen = measure([*PIPEGEN, "run", "-j", "2"], ours)
        compare(f"nothing to do, {options.stages} stages", dvc, pipegen)


def sleep(options: argparse.Namespace) -> None:
    """Eight stages that wait for a second."""
    with twins(fan(8, "sleep 1; cp source out{}"), options.where) as (theirs, ours):
        dvc = measure([*DVC, "repro", "-q"], theirs)
        pipegen = measure([*PIPEGEN, "run", "-j", "8"], ours)
        same_result(theirs, ours)
        compare("8 stages of `sleep 1`, -j 8", dvc, pipegen)
        print(f"  critical path 1.0 s: pipegen is {pipegen.wall - 1:.2f} s above it")


def big(options: argparse.Namespace) -> None:
    """One output of 2 GB."""
    text = "stages: {big: {cmd: 'head -c 2000000000 /dev/zero > big', outs: [big]}}\n"
    with twins(text, options.where) as (theirs, ours):
        dvc = measure([*DVC, "repro", "-q"], theirs)
        pipegen = measure([*PIPEGEN, "run"], ours)
        compare("one output of 2 GB, made by `head -c 2000000000 /dev/zero`", dvc, pipegen)


SCENARIOS: dict[str, Callable[[argparse.Namespace], None]] = {"trivial": trivial, "sleep": sleep, "big": big}


def main() -> None:
    """Run the scenarios named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], help="default: all")
    parser.add_argument("--stages", type=int, default=100, help="of `trivial`")
    parser.add_argument("--where", type=Path, help="folder for the repositories")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}")
    for name in options.scenario or SCENARIOS:
        SCENARIOS[name](options)


if __name__ == "__main__":
    main()
