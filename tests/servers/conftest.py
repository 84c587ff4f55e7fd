"""What the tests of commands share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.servers.toy import DESCRIPTION
from tests.support.cli import pipegen


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and nothing of the machine's own configuration."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in [name for name in os.environ if name.startswith("PIPEGEN_")]:
        monkeypatch.delenv(name)
    project = tmp_path / "toy"
    (project / ".git").mkdir(parents=True)
    (project / "pipegen.yaml").write_text(DESCRIPTION)
    (project / "params.yaml").write_text("size: small\n")
    assert pipegen("generate", cwd=project).code == 0
    return project


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for seconds here."""
    monkeypatch.setattr("pipegen.servers.http.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("pipegen.servers.following.SOONEST", 0.02)
    monkeypatch.setattr("pipegen.servers.following.LATEST", 0.05)
