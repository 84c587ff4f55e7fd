"""A child reports whatever becomes of it: the run waits for its word."""

from __future__ import annotations

import queue
import sys
from pathlib import Path

import pytest

from pipegen.dvc.shell import Command
from pipegen.runner.processes import Child, Guard


def fail() -> None:
    raise KeyError("a mistake of ours")


@pytest.mark.parametrize(
    ("code", "expected"), [("pass", "KeyError after its command"), ("raise SystemExit(3)", "exited with 3")]
)
def test_a_mistake_in_what_follows_the_command_is_reported(tmp_path: Path, code: str, expected: str) -> None:
    said: queue.Queue[str] = queue.Queue()
    command = Command(("python",), ((sys.executable, "-c", code),), str(tmp_path), {})
    with Guard() as guard:
        Child(command, tmp_path / "log", guard, done=said.put, then=fail)
        assert expected in said.get(timeout=30)
