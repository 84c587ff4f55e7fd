from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repositories import make_repository, make_template

Make = Callable[..., Path]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty git and DVC repository, to be copied."""
    return make_template(tmp_path_factory.mktemp("template") / "repository")


@pytest.fixture
def repository(tmp_path: Path, template: Path) -> Make:
    """Make a repository out of the text of its `dvc.yaml` and other files."""

    def make(text: str, **files: str) -> Path:
        return make_repository(tmp_path / "repository", {"dvc.yaml": text, **files}, template)

    return make
