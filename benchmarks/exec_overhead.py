"""`pipegen exec S` beside `dvc repro --pull --allow-missing S && dvc push S`, each in a fresh clone with a remote.

    python benchmarks/exec_overhead.py               # a folder as the remote
    python benchmarks/exec_overhead.py --s3          # moto's S3 server as the remote; needs dvc-s3
    python benchmarks/exec_overhead.py --runs 9

Three cases: the stage runs; its result is restored from the run cache on the remote; nothing is to do, since the
commit's `dvc.lock` has it. Both sides take turns. Then, what a stage fetches that reads one of ten large files.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import ROOT, Cost, bytecode, cost, tool

TEXT = """\
pipegen: 1
name: small
stages:
  source: {cmd: cp seed.txt source.txt, deps: [seed.txt], outs: [source.txt]}
  stage: {cmd: cp source.txt out.txt, deps: [source.txt], outs: [out.txt]}
  large:
    foreach: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    do: {cmd: "head -c 10000000 /dev/urandom > large${item}.bin", deps: [seed.txt], outs: ["large${item}.bin"]}
  reads: {cmd: wc -c < large3.bin > size.txt, deps: [large3.bin], outs: [size.txt]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""
LEAST = 2.0
"""How many times less wall time `pipegen exec` must need."""
PIPEGEN = [sys.executable, "-c", "from pipegen.cli import main; main()"]
DVC = f"{sys.executable} -m dvc"


class Bench:
    """One repository with its remote, and fresh clones of it."""

    def __init__(self, folder: Path, remote: str, options: str, env: dict[str, str]) -> None:
        self.folder, self.env = folder, {**env, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}
        self.origin = folder / "origin"
        self.origin.mkdir()
        (self.origin / "pipegen.yaml").write_text(TEXT)
        (self.origin / "seed.txt").write_text("seed\n")
        self.sh(
            "git init -q -b main && git config user.email a@example.com && git config user.name a",
            self.origin,
        )
        self.sh(f"{DVC} init -q && {DVC} remote add -q -d store {remote} {options}", self.origin)
        self.pipegen("generate", "--target", "dvc", at=self.origin)
        self.sh("git add -A && git commit -qm start", self.origin)
        self.clones = 0

    def sh(self, line: str, at: Path) -> None:
        """A shell command that must succeed."""
        cost(["sh", "-c", line], cwd=at, env=self.env)

    def pipegen(self, *words: str, at: Path) -> Cost:
        return cost([*PIPEGEN, *words], cwd=at, env=self.env)

    def dvc(self, at: Path) -> Cost:
        return cost(
            ["sh", "-c", f"{DVC} repro --pull --allow-missing stage && {DVC} push stage"],
            cwd=at,
            env=self.env,
        )

    def clone(self, seed: str | None = None) -> Path:
        """A fresh clone; with `seed` of a commit of its own, on whose data nothing ran."""
        self.clones += 1
        folder = self.folder / f"clone-{self.clones}"
        self.sh(f"git clone -q {self.origin} {folder}", self.folder)
        if seed is not None:
            (folder / "seed.txt").write_text(seed)
            self.sh("git -c user.email=a@b -c user.name=a commit -qam seed", folder)
        return folder


def compare(name: str, ours: Callable[[], Cost], theirs: Callable[[], Cost], runs: int) -> bool:
    """Measure both sides in turns and print the medians of their wall time."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(runs)]
    mine, other = (statistics.median(pair[side].wall for pair in pairs) for side in (0, 1))
    kept = other / mine >= LEAST
    print(
        f"{'ok  ' if kept else 'MISS'}  {name}: {mine:.2f} s, DVC {other:.2f} s: {other / mine:.1f} times less"
    )
    return kept


def measure(bench: Bench, runs: int) -> bool:
    """All cases."""

    def source_made(folder: Path) -> Path:
        """What an earlier job did: `source` ran and is pushed; its fragment and its lock entry are here."""
        bench.pipegen("exec", "source", at=folder)
        (folder / "source.txt").unlink()
        bench.sh("rm -rf .dvc/cache .dvc/tmp", folder)
        return folder

    def new(side: str) -> Path:
        return source_made(bench.clone(f"{side} {time.perf_counter_ns()}\n"))

    ok = compare(
        "the stage runs",
        lambda: bench.pipegen("exec", "stage", at=new("ours")),
        lambda: bench.dvc(new("theirs")),
        runs,
    )
    first = bench.clone()
    bench.pipegen("exec", "source", at=first)
    bench.pipegen("exec", "stage", at=first)
    ok &= compare(
        "its result is restored",
        lambda: bench.pipegen("exec", "stage", at=source_made(bench.clone())),
        lambda: bench.dvc(source_made(bench.clone())),
        runs,
    )
    bench.sh(f"cp {first}/dvc.lock . && git add dvc.lock && git commit -qm lock", bench.origin)
    ok &= compare(
        "nothing to do",
        lambda: bench.pipegen("exec", "stage", at=source_made(bench.clone())),
        lambda: bench.dvc(source_made(bench.clone())),
        runs,
    )
    return fetched(bench) and ok


def fetched(bench: Bench) -> bool:
    """The bytes that come to a stage that reads one of ten files of 10 MB."""
    first = bench.clone()
    for item in range(10):
        bench.pipegen("exec", f"large@{item}", at=first)
    clone = bench.clone()
    bench.sh(f"mkdir -p .pipegen && cp -r {first}/.pipegen/fragments .pipegen/", clone)
    bench.pipegen("exec", "reads", at=clone)
    record = json.loads((clone / ".pipegen" / "records" / "reads.json").read_text())
    kept = record["fetched"]["bytes"] == 10_000_000
    print(f"{'ok  ' if kept else 'MISS'}  of ten files of 10 MB, {record['fetched']['bytes']:,} bytes came")
    return bool(kept)


@contextlib.contextmanager
def s3() -> Iterator[tuple[str, str, dict[str, str]]]:
    """moto's S3 server: a bucket's address, what DVC must be told of it, and variables."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = tool("moto_server", "moto[server]")
    process = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        import urllib.request

        ends = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                request = urllib.request.Request(f"http://127.0.0.1:{port}/bench", method="PUT")
                urllib.request.urlopen(request, timeout=5).close()
                break
            if time.monotonic() > ends:
                sys.exit("moto's server does not answer")
            time.sleep(0.2)
        variables = {
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        yield "s3://bench/dvc", f"&& {DVC} remote modify store endpointurl http://127.0.0.1:{port}", variables
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--s3", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, bytecode() as env, contextlib.ExitStack() as stack:
        remote, more, variables = str(Path(folder) / "remote"), "", dict[str, str]()
        if options.s3:
            remote, more, variables = stack.enter_context(s3())
        bench = Bench(
            Path(folder), remote, more, {**env, **variables, "DVC_SITE_CACHE_DIR": f"{folder}/site"}
        )
        sys.exit(0 if measure(bench, options.runs) else 1)


if __name__ == "__main__":
    main()
