"""The step `sh`: a real shell on an agent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.doubles.jenkins.scopes import Interruption, Operation

COOKIE = "JENKINS_SERVER_COOKIE"
"""The variable by which Jenkins finds a step's processes when it must end them (durable-task, BourneShellScript)."""
STOP_SECONDS = 20.0
"""How long Jenkins waits after its signal (workflow-durable-task-step, DurableTaskStep.REMOTE_TIMEOUT)."""


@dataclass(frozen=True)
class Command:
    """A script for one shell, the folder and environment it runs in, and where Jenkins keeps its own files."""

    script: str
    folder: Path
    env: Mapping[str, str]
    control: Path
    capture: bool = False


@dataclass
class Shell:
    """Runs commands and knows their processes."""

    stop_seconds: float = STOP_SECONDS
    _cookies: list[str] = field(default_factory=list)

    def alive(self) -> int:
        """How many processes of all commands so far there still are."""
        return sum(end(cookie, None) for cookie in self._cookies)

    def run(self, command: Command, operation: Operation, say: Callable[[str], None]) -> tuple[int, str]:
        """Exit code and, if wanted, output. Raises the Interruption that ends it."""
        if shutil.which("sh", path=command.env.get("PATH")) is None:
            while True:  # quirks/env-reserved-PATH: the step hangs
                operation.sleep(0.1)
        cookie = f"durable-{uuid.uuid4().hex}"
        self._cookies.append(cookie)
        process = self._start(command, cookie)
        readers, output = _read(process, command.capture, say)
        while process.poll() is None:
            if operation.wait(0.02):
                self._stop(process, cookie, operation, readers, say)
        for reader in readers:
            reader.join(self.stop_seconds)
        operation.check()
        return process.returncode, "".join(output)

    def _start(self, command: Command, cookie: str) -> subprocess.Popen[str]:
        """`sh -xe` without a first line `#!`, else what that names (facts/jenkins.md 2.8)."""
        control = command.control / cookie
        control.mkdir(parents=True)
        file = control / "script.sh"
        file.write_text(command.script)
        file.chmod(0o755)
        line = [str(file)] if command.script.startswith("#!") else ["/bin/sh", "-xe", str(file)]
        command.folder.mkdir(parents=True, exist_ok=True)
        return subprocess.Popen(
            ["/bin/sh", "-c", f'{COOKIE}="$0" "$@"; exit $?', cookie, *line],
            cwd=command.folder,
            env=dict(command.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if command.capture else subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def _stop(
        self,
        process: subprocess.Popen[str],
        cookie: str,
        operation: Operation,
        readers: list[threading.Thread],
        say: Callable[[str], None],
    ) -> None:
        """quirks/options-on-stage. What ignores the signal lives on, the step ends (DurableTaskStep.stop)."""
        try:
            operation.check()
        except Interruption as why:
            if why.agent_lost:
                end(cookie, signal.SIGKILL)
                for reader in readers:
                    reader.join(0.5)
                raise
            say("Sending interrupt signal to process")
            end(cookie, signal.SIGTERM)
            try:
                process.wait(self.stop_seconds)
            except subprocess.TimeoutExpired:
                say(f"After {self.stop_seconds:g}s process did not stop")
            for reader in readers:
                reader.join(0.5)
            raise


def end(cookie: str, number: signal.Signals | None) -> int:
    """Signals every process whose environment has the cookie; how many there were. None: only counts them."""
    found = 0
    wanted = f"{COOKIE}={cookie}".encode()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes():
                os.kill(int(entry.name), number or 0)
                found += 1
        except OSError:
            continue
    return found


def _read(
    process: subprocess.Popen[str], capture: bool, say: Callable[[str], None]
) -> tuple[list[threading.Thread], list[str]]:
    output: list[str] = []

    def keep(stream: IO[str]) -> None:
        with stream:
            output.append(stream.read())

    def tell(stream: IO[str]) -> None:
        with stream:
            for line in stream:
                say(line.rstrip("\n"))

    jobs = [(tell, process.stderr), (keep, process.stdout)] if capture else [(tell, process.stdout)]
    threads = [threading.Thread(target=job, args=(stream,), daemon=True) for job, stream in jobs]
    for thread in threads:
        thread.start()
    return threads, output
