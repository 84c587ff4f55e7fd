"""Programs of a warm process are as programs started anew: words, folder, variables, streams, exit codes, signals."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.warm import warm

TELL = """
import json, os, sys
print(json.dumps([sys.argv[1:], os.getcwd(), os.environ["WORD"], sys.stdin.read(), __name__]))
print("bad", file=sys.stderr)
sys.exit(7)
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of a machine with a warm Python."""
    with warm(["json"]) as process:
        yield {**os.environ, **process.install(tmp_path_factory.mktemp("bin"), "python"), "WORD": "é"}


@pytest.mark.parametrize("how", [["tell.py"], ["-m", "tell"], ["-c", TELL]], ids=["file", "module", "text"])
def test_it_is_as_if_started_anew(machine: dict[str, str], tmp_path: Path, how: list[str]) -> None:
    (tmp_path / "tell.py").write_text(TELL)
    warm_one, fresh = (
        subprocess.run(
            [program, *how, "a b", "$x"],
            cwd=tmp_path, env=machine, input="in", text=True, capture_output=True, check=False,
        )
        for program in ("python", sys.executable)
    )  # fmt: skip
    assert (warm_one.returncode, warm_one.stdout, warm_one.stderr) == (
        fresh.returncode,
        fresh.stdout,
        fresh.stderr,
    )
    assert fresh.returncode == 7


def started(machine: dict[str, str]) -> tuple[subprocess.Popen[str], int]:
    """A program that sleeps, and the process in which it really runs."""
    text = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    client = subprocess.Popen(["python", "-c", text], env=machine, stdout=subprocess.PIPE, text=True)
    assert client.stdout
    return client, int(client.stdout.readline())


def test_a_signal_ends_it(machine: dict[str, str]) -> None:
    client, _ = started(machine)
    client.terminate()
    assert client.wait(30) == -15


def test_who_kills_the_client_kills_it(machine: dict[str, str]) -> None:
    client, really = started(machine)
    client.kill()
    client.wait(30)
    ends = time.monotonic() + 30
    while Path(f"/proc/{really}").exists():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_many_at_once(machine: dict[str, str]) -> None:
    clients = [
        subprocess.Popen(["python", "-c", f"import sys, time; time.sleep(0.1); sys.exit({n})"], env=machine)
        for n in range(12)
    ]
    assert [client.wait(30) for client in clients] == list(range(12))
