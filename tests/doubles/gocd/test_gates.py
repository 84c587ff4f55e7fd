"""Artifact tests and gates on GoCD, with the real pipegen: green, a red test, red and soft gates, waivers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.conftest import MakeHouse
from tests.doubles.gocd.agent import Agent
from tests.doubles.gocd.conftest import Start
from tests.doubles.gocd.runs import JobRun
from tests.doubles.gocd.server import GoCDDouble
from tests.doubles.house import URL
from tests.doubles.quality import CASES, STAGES, MailServer
from tests.support.run_pages import states
from tests.support.warm import Warm

GATES_TAB = "testoutput/junit/gates-{}.xml"


@pytest.mark.parametrize("layout", ["levels", pytest.param("pipelines", marks=pytest.mark.slow)])
def test_push_and_nightly(
    furnish: MakeHouse,
    warm_pipegen: Warm,
    start: Start,
    mail_server: MailServer,
    tmp_path: Path,
    layout: str,
) -> None:
    house = furnish({"gocd": {"layout": layout}}, STAGES, **mail_server.options)
    server = start(
        {URL: house.origin}, Agent("a1", {"linux"}, env=warm_pipegen.install(tmp_path / "bin", "pipegen"))
    )
    server.load(house.origin / "toy.gocd.yaml")
    for name, case in CASES.items():
        case.commit(house)
        server.poll()
        jobs, log = newest(server, "push")
        assert all(job.result == "Passed" for job in jobs.values()) == case.passes, (name, log)
        judged = case.r2 is not None
        assert ("gates" in jobs) == judged, "what failed its tests is judged by no gate"
        assert case.says in log
        if judged:
            assert GATES_TAB.format("push") in jobs["gates"].artifacts
            shown = states(jobs["gates"].store / "pipegen/view/index.html")
            assert shown["score"] == "passed"
            through = "warned" if name in ("soft", "waived") else "passed"
            assert shown["gates"] == (through if case.passes else "failed"), name
            told = jobs["gates"].read(GATES_TAB.format("push"))
            assert ('<failure message="a warning only: m.json:r2 is 0.6, below 0.7">' in told) == (
                name == "soft"
            )
        else:
            assert "<failure" in jobs["score"].read("testoutput/junit/score.xml")
        if layout == "levels" and name not in ("green", "hard"):
            continue  # each case of the nightly run is tried in the other layout
        timers = [each for each in server.pipelines if each.startswith("toy-nightly") and fire(server, each)]
        assert len(timers) == 1
        jobs, log = newest(server, "nightly")
        assert all(job.result == "Passed" for job in jobs.values()) == case.passes, (name, log)
        assert case.says in log
        if judged:
            report = jobs["gates"].read("report/report.txt")
            assert case.report in report.partition("\n")[0]
            assert case.report in mail_server.last_subject
            assert GATES_TAB.format("nightly") in jobs["gates"].artifacts


def fire(server: GoCDDouble, pipeline: str) -> bool:
    """Let its timer fire, if it has one."""
    try:
        return server.fire_timer(pipeline) is not None
    except ValueError:
        return False


def newest(server: GoCDDouble, workflow: str) -> tuple[dict[str, JobRun], str]:
    """The jobs that ran for the newest commit in the pipelines of a workflow, and what they said."""
    runs = [
        server.run(name)
        for name in server.pipelines
        if name.startswith(f"toy-{workflow}") and server.runs(name)
    ]
    last = max(runs, key=lambda run: run.counter).counter
    jobs = {
        job.name: job for run in runs if run.counter == last for job in run.jobs if job.result != "Unknown"
    }
    return jobs, "\n".join(job.console.text for job in jobs.values())
