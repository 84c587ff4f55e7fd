from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality.houses import Houses, make_houses
from tests.support.repositories import make_template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty git and DVC repository, to be copied."""
    return make_template(tmp_path_factory.mktemp("template") / "repository")


@pytest.fixture
def houses(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Houses:
    """A repository whose one commit has been run, with a remote."""
    for name in ("PIPEGEN_PLAN", "PIPEGEN_WORKFLOWS", "CHANGE_FORK", "PIPEGEN_FOREIGN"):
        monkeypatch.delenv(name, raising=False)
    return make_houses(tmp_path, template, monkeypatch)
