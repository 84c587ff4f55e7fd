"""Runs publish a page that names every stage, green or failed, made by two agents; each job's tab has something."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.doubles.gocd.runs import JobRun
from tests.doubles.gocd.test_exec import Build, Served, build
from tests.doubles.gocd.variables import SERVER
from tests.doubles.shapes import after_record, two_ends
from tests.support.run_pages import rows, states

__all__ = ["build"]


def tab_of(made: Served, job: JobRun) -> Path:
    """What the tab of a job shows."""
    pipeline = yaml.safe_load((made.origin / "toy.gocd.yaml").read_text("utf-8"))["pipelines"][
        job.stage.run.name
    ]
    stage = next(stage[job.stage.name] for stage in pipeline["stages"] if job.stage.name in stage)
    return job.store / stage["jobs"][job.name]["tabs"]["pipegen"]


@pytest.mark.parametrize("layout", ["levels", pytest.param("pipelines", marks=pytest.mark.slow)])
def test_the_page_of_a_run_that_failed_and_was_mended(build: Build, tmp_path: Path, layout: str) -> None:
    command = after_record(str(tmp_path / "remote"), "b.x", f"test -e {tmp_path}/mended")
    made = build(layout, 2, two_ends(command))
    made.server.poll()
    name, stage = ("toy-push", "level-2") if layout == "levels" else ("toy-push-b.y", "b.y")
    page = tab_of(made, made.server.run(name).job("b.y"))
    other = made.server.run(name.replace("b.y", "b.x")).job("b.x")
    assert other.agent != made.server.run(name).job("b.y").agent
    found = rows(page)
    assert {name: found[name].state for name in ("a", "b@x", "b@y", "c")} == {
        "a": "passed",
        "b@x": "passed",
        "b@y": "failed",
        "c": "skipped",
    }
    assert "d" in found
    assert found["b@x"].agent, "only its record tells it, which came by way of the remote"
    assert (page.parent / found["b@y"].log).is_file()
    (tmp_path / "mended").touch()
    made.server.rerun_jobs(name, stage)
    jobs = {job.name: job for job in made.published.jobs}
    assert jobs["lock"].result == "Passed", made.log
    page = tab_of(made, jobs["lock"])
    assert states(page) == dict.fromkeys(("a", "b@x", "b@y", "c", "d"), "passed")
    for address, row in rows(page).items():
        job = jobs[address.replace("@", ".")]
        path = row.log.removeprefix(f"{SERVER}/files/")
        assert job.name in path.split("/")
        assert (job.store.parents[4] / path).is_file(), row.log
        assert f"{address}: " in tab_of(made, job).read_text("utf-8")
