"""What the artifact tests share. They read the files that the stages left; nothing is computed again here."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2]
KINDS = ("lasso", "forest", "boosting")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--model", action="append", choices=KINDS, help="test this model only (default: all)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", metafunc.config.getoption("--model") or KINDS)


@pytest.fixture(autouse=True)
def in_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in the tests are those of the pipeline, wherever pytest was started."""
    monkeypatch.chdir(EXAMPLE)
