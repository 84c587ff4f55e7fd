from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.agents import DESCRIPTION, FILES, Build, make_origin
from tests.support.repositories import make_repository, make_template

Make = Callable[..., Path]
MakeBuild = Callable[..., Build]


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


@pytest.fixture
def make(tmp_path: Path, template: Path) -> MakeBuild:
    """Make a build of a description and files; with `again` another build of the same commit."""
    count = 0

    def build(
        description: str = DESCRIPTION, remote: str | None = "folder", *, again: bool = False, **files: str
    ) -> Build:
        nonlocal count
        count += 1
        origin = tmp_path / "origin"
        if not again:
            where = str(tmp_path / "remote") if remote == "folder" else remote
            make_origin(origin, template, description, where, **(files or FILES))
        return Build(tmp_path / f"build-{count}", origin)

    return build
