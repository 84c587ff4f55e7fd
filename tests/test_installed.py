"""What is installed, read without `importlib.metadata`: the same."""

from __future__ import annotations

from importlib.metadata import distributions, version

import pytest

from pipegen.installed import version_of


@pytest.mark.parametrize("name", ["dvc", "dvc_data", "click", "pytest"])
def test_versions_are_those_of_importlib(name: str) -> None:
    assert version_of(name) == version(name)


def test_what_is_not_installed() -> None:
    assert "no_such_thing" not in {each.name for each in distributions()}
    assert version_of("no_such_thing") == ""
