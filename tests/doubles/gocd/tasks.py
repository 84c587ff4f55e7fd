"""A job's tasks as its agent does them."""

from __future__ import annotations

import io
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from tests.doubles.gocd import console as tags
from tests.doubles.gocd.artifacts import CHECKSUMS
from tests.doubles.gocd.console import Console, shown
from tests.doubles.gocd.definitions import Exec, Fetch
from tests.doubles.gocd.runs import CANCELLED, FAILED, PASSED, JobRun
from tests.doubles.gocd.variables import SERVER

PAUSES = (18, 29, 30)
"""Seconds before a fetch tries again [R 517]."""


@dataclass(frozen=True)
class Source:
    """Where a fetch looks.

    Args:
        store: the producing job's folder among the artifacts.
        locator: as the log names it [R 255, 256].
        checksums: the name of the file with sums that is laid beside what is fetched [F 2, R 255].
    """

    store: Path
    locator: str
    checksums: str


@dataclass(frozen=True)
class Bench:
    """What a task works with.

    Args:
        job: the job.
        root: its working folder, `pipelines/<name>`.
        shown: that folder as the log names it.
        env: the environment of programs.
        find: gives the source of a fetch.
        minute: how many seconds this double's minute has.
    """

    job: JobRun
    root: Path
    shown: str
    env: Mapping[str, str]
    find: Callable[[JobRun, Fetch], Source]
    minute: float

    @property
    def console(self) -> Console:
        return self.job.console


def run_all(bench: Bench) -> str:
    """All tasks of a job, each by its condition on what came before [R 260]; the job's result."""
    result = PASSED
    for task in bench.job.definition.tasks:
        if not {"any", result.lower()} & set(task.conditions):
            continue
        begun = time.monotonic()
        code = _fetch(bench, task) if isinstance(task, Fetch) else _exec(bench, task)
        took = f"({round((time.monotonic() - begun) * 1000)} ms)"
        failed = f"Task status: failed {took}" + ("" if code is None else f" (exit code: {code})")
        if bench.job.cancelled.is_set():  # [R 280]
            bench.console.go(tags.CANCELLED, failed)
            return CANCELLED
        if code == 0:
            bench.console.go(tags.PASSED, f"Task status: passed {took}")
        else:
            bench.console.go(tags.FAILED, failed)
            result = FAILED
    return result


# exec


def _exec(bench: Bench, task: Exec) -> int | None:
    """Run a program; its exit code, or None if it couldn't start [R 509, 510].

    The words are handed over as they are: no shell, no expansion [R 506]. A relative command is found from the working
    folder [R 511].
    """
    log = bench.console
    log.go(tags.TASK, f"Task: {shown(task.words)}")
    folder = bench.root / task.folder
    if not folder.is_dir():
        log.line(tags.ERR, f'Working directory "{folder}" is not a directory!')
        return None
    try:
        process = subprocess.Popen(
            task.words,
            cwd=folder,
            env=dict(bench.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError:
        log.line(tags.ERR, f"Error happened while attempting to execute '{shown(task.words)}'. ")
        log.line(tags.ERR, f"Please make sure [{task.words[0]}] can be executed on this agent.")
        log.line(tags.ERR)
        log.line(tags.ERR, f"[Debug Information] Environment variable PATH: {bench.env.get('PATH')}")
        return None
    return _follow(bench, process)


def _follow(bench: Bench, process: subprocess.Popen[bytes]) -> int:
    """Log what a program writes until it ends, or is ended for its silence or by a person."""
    assert process.stdout and process.stderr
    pumps = [
        threading.Thread(target=_pump, args=(stream, tag, bench.console), daemon=True)
        for stream, tag in ((process.stdout, tags.OUT), (process.stderr, tags.ERR))
    ]
    for pump in pumps:
        pump.start()
    killed = False
    while True:
        if bench.job.cancelled.is_set() and not killed:
            _kill(bench.console, process)
            killed = True
        try:
            code = process.wait(0.02)
            break
        except subprocess.TimeoutExpired:
            _watch_silence(bench)
    for pump in pumps:
        pump.join()
    return 128 - code if code < 0 else code


def _pump(stream: IO[bytes], tag: str, console: Console) -> None:
    """A line ends at a line feed, a carriage return, or both, as Java's reader has it."""
    for line in io.TextIOWrapper(stream, "utf-8", errors="replace"):
        console.line(tag, line.rstrip("\n"))


def _watch_silence(bench: Bench) -> None:
    """[F 2, R 518]: the time-out is minutes without a line in the console; the server cancels the job."""
    minutes = bench.job.definition.timeout
    if minutes and bench.console.silence > minutes * bench.minute and not bench.job.cancelled.is_set():
        said = f"Go cancelled this job as it has not generated any console output for more than {minutes} minute(s)"
        bench.console.raw(said)
        bench.job.result = CANCELLED
        bench.job.cancelled.set()


def _kill(console: Console, process: subprocess.Popen[bytes]) -> None:
    """[R 280, S CurrentProcess.infanticide]: TERM to all that descends from the agent, once."""
    console.go(tags.CANCEL, "On Cancel Task: Kills child processes")
    console.go(tags.INFO, "Attempting to kill child processes.")
    try:
        parent = psutil.Process(process.pid)
        for one in (parent, *parent.children(recursive=True)):
            one.terminate()
    except psutil.NoSuchProcess:
        pass
    console.go(tags.CANCEL_DONE, "On Cancel Task completed")


# fetch


def _fetch(bench: Bench, task: Fetch) -> int | None:
    """Bring an artifact; 0, or None if it is not there after three further tries [R 255, 517]."""
    log, job = bench.console, bench.job
    way = "/".join(task.way or (job.stage.run.name,))
    log.go(
        tags.TASK,
        f"Task: fetch artifact [{task.source}] => [{task.destination}] from [{way}/{task.stage}/{task.job}]",
    )
    source = bench.find(job, task)
    log.go(tags.OUT, f"Fetching artifact [{task.source}] from [{source.locator}]")
    if not (source.store / CHECKSUMS).is_file():
        log.go(
            tags.ERR,
            "[WARN] The md5checksum property file was not found on the server. "
            "Hence, Go can not verify the integrity of the artifacts.",
        )
    file = source.store / task.source
    for pause in PAUSES:
        if file.is_file() if task.is_file else file.is_dir():
            _save(bench, task, source, file)
            return 0
        log.go(
            tags.ERR,
            f"Could not fetch artifact {SERVER}/remoting/files/{source.locator}/{task.source}. "
            f"Pausing {pause} seconds to retry. Error was : Unsuccessful response '404' from the server",
        )
        if job.cancelled.wait(pause / 60 * bench.minute):
            return None
    log.go(tags.ERR, f"Failed to save artifact [{task.source}] to [{task.destination}]")
    return None


def _save(bench: Bench, task: Fetch, source: Source, file: Path) -> None:
    """A file becomes `destination/name`, a folder `destination/name/…`, the sums lie beside it [F 2, R 255]."""
    folder = bench.root / task.destination
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source.store / CHECKSUMS, folder / source.checksums)
    if task.is_file:
        shutil.copy2(file, folder / file.name)
    else:
        shutil.copytree(file, folder / file.name, dirs_exist_ok=True)
    target = "/".join(filter(None, (bench.shown, task.destination, file.name if task.is_file else "")))
    bench.console.go(tags.OUT, f"Saved artifact to [{target}] after verifying the integrity of its contents.")
