"""Builds publish a page that names every stage, green or failed, made by two agents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.jenkins.test_exec import Serve, serve
from tests.doubles.shapes import after_record, two_ends
from tests.support.run_pages import rows, states

__all__ = ["serve"]
pytestmark = pytest.mark.java
VIEW = ".pipegen/view"


@pytest.mark.parametrize("layout", ["graph", pytest.param("levels", marks=pytest.mark.slow)])
def test_the_page_of_a_build_that_failed_and_of_the_one_that_mends_it(
    serve: Serve, tmp_path: Path, layout: str
) -> None:
    command = after_record(str(tmp_path / "remote"), "b.x", f"test -e {tmp_path}/mended")
    made = serve(layout, 2, two_ends(command))
    failed = made.build()
    assert failed.result == "FAILURE"
    (page,) = (failed.artifacts / VIEW).iterdir()
    assert page.name == "b.y.html"
    found = rows(page)
    assert {name: found[name].state for name in ("a", "b@x", "b@y", "c")} == {
        "a": "passed",
        "b@x": "passed",
        "b@y": "failed",
        "c": "skipped",
    }
    assert "d" in found
    assert {found[name].agent for name in ("b@x", "b@y")} == {"agent1", "agent2"}
    (tmp_path / "mended").touch()
    green = made.build()
    assert green.result == "SUCCESS", "\n".join(green.log)
    assert [path.name for path in (green.artifacts / VIEW).iterdir()] == ["index.html"]
    page = green.artifacts / VIEW / "index.html"
    assert states(page) == dict.fromkeys(("a", "b@x", "b@y", "c", "d"), "passed")
    for row in rows(page).values():
        assert row.agent in ("agent1", "agent2")
        assert (page.parent / row.log).is_file(), row.log
