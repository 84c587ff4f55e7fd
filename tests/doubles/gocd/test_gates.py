"""Artifact tests and gates on GoCD, with the real pipegen: green, a red test, red and soft gates, waivers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.conftest import MakeHouse
from tests.doubles.gocd.agent import Agent
from tests.doubles.gocd.conftest import Start
from tests.doubles.gocd.runs import PipelineRun
from tests.doubles.house import URL
from tests.doubles.quality import OPTIONS, STAGES, score
from tests.support.warm import Warm


@pytest.mark.parametrize("layout", ["levels", pytest.param("pipelines", marks=pytest.mark.slow)])
def test_push_and_nightly(
    furnish: MakeHouse, warm_pipegen: Warm, start: Start, tmp_path: Path, layout: str
) -> None:
    house = furnish({"gocd": {"layout": layout}}, STAGES, **OPTIONS)
    machine = warm_pipegen.install(tmp_path / "bin", "pipegen")
    score(house, 0.9)
    server = start({URL: house.origin}, Agent("a1", {"linux"}, env=machine))
    server.load(house.origin / "toy.gocd.yaml")

    def run(r2: float, waived_for_days: int | None = None) -> PipelineRun:
        score(house, r2, waived_for_days=waived_for_days)
        return server.poll()[-1]

    def console(run: PipelineRun) -> str:
        return run.job("gates").console.text

    green = server.poll()[-1]
    assert green.passed, console(green)
    soft = run(0.6)
    assert soft.passed, console(soft)
    report = (soft.job("gates").store / "testoutput" / "junit" / "gates-push.xml").read_text()
    assert '<failure message="a warning only: m.json:r2 is 0.6, below 0.7">' in report
    hard = run(0.3)
    assert not hard.passed
    assert "hard: m.json:r2 is 0.3, below 0.5" in console(hard)
    waived = run(0.31, 1)
    assert waived.passed, console(waived)
    assert "waived by Ann" in console(waived)
    expired = run(0.32, -1)
    assert not expired.passed
    assert "the waiver by Ann expired on" in console(expired)
    assert "testoutput/junit/gates-push.xml" in expired.job("gates").artifacts
    if layout == "levels":
        score(house, 0.8)
        server.poll()
        nightly = server.fire_timer("toy-nightly")
        assert nightly and nightly.passed, console(nightly) if nightly else ""
        assert "no earlier run of the workflow nightly" in console(nightly)
    house.commit("no score", {"seed.txt": "{}\n"})
    untested = server.poll()[-1]
    assert not untested.passed
    assert "gates" not in {job.name for job in untested.jobs if job.result}
