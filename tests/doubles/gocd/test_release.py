"""Releases on GoCD, with the real pipegen: approved, not approved, red, and an older one after a newer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.conftest import MakeHouse
from tests.doubles.gocd.agent import Agent
from tests.doubles.gocd.conftest import Start
from tests.doubles.gocd.refusals import Answer
from tests.doubles.gocd.runs import PipelineRun
from tests.doubles.house import URL
from tests.doubles.releases import OPTIONS, STAGES, Service
from tests.support.warm import Warm

PROMOTE = "promote-to-production"


def console(run: PipelineRun | None) -> str:
    return "\n".join(job.console.text for job in run.jobs) if run else ""


def test_releases(furnish: MakeHouse, warm_pipegen: Warm, start: Start, tmp_path: Path) -> None:
    house = furnish({"gocd": {"layout": "levels"}}, STAGES, **OPTIONS)
    service = Service(house, tmp_path / "service")
    machine = {**warm_pipegen.install(tmp_path / "bin", "pipegen"), **service.env}
    server = start({URL: house.origin}, Agent("a1", {"linux"}, env=machine), roles={"leads": {"lea"}})
    server.load(house.origin / "toy.gocd.yaml")

    def train(r2: float, workflow: str = "nightly", **more: int) -> PipelineRun:
        service.train(r2, **more)
        name = f"toy-{workflow}"
        run = server.fire_timer(name) if workflow == "nightly" else server.trigger(name)
        assert run
        return run

    first = train(0.8)
    assert first.passed, console(first)
    assert service.tags == ["toy@v0.0.1", "toy#staging#1"]
    assert service.notes("toy@v0.0.1")["Set"] == "params.yaml:a.k = 2"
    assert len(service.notes("toy@v0.0.1")["Record"]) == 64, "what `gc` keeps"

    release = server.trigger("toy-release")
    assert (release.results, service.log) == ({"begin": "Passed"}, []), "it waits"
    with pytest.raises(Answer, match="not authorized"):
        server.approve("toy-release", PROMOTE, user="bob")
    server.approve("toy-release", PROMOTE, user="lea")
    assert release.passed, console(release)
    assert (service.log, service.now) == (["v0.0.1"], 0.8)
    said = service.notes("toy#production#1")
    assert {"Approved-By": "lea", "From": "staging", "Version": "v0.0.1"}.items() <= said.items()
    assert "passed" in said["Gates"]

    older = train(0.81, "ship")
    newer = train(0.82, "ship")
    for counter in (newer.counter, older.counter):
        server.approve("toy-ship", PROMOTE, user="lea", counter=counter)
    assert newer.passed, console(newer)
    assert not older.passed
    assert "toy v0.0.2" in console(older) and "an older version does not overtake a newer one" in console(
        older
    )
    assert (service.log, service.now) == (["v0.0.1", "v0.0.3"], 0.82)

    bad = train(0.7, "ship", bad=1)
    server.approve("toy-ship", PROMOTE, user="lea")
    assert not bad.passed
    assert "toy v0.0.4 is taken back: production has v0.0.3 again" in console(bad)
    assert (service.log[-2:], service.now) == (["v0.0.4", "back"], 0.82)
    assert service.notes(service.tags[-1])["Takes-Back"] == service.tags[-2]

    waits = server.trigger("toy-release")
    assert train(0.9).passed
    server.approve("toy-release", PROMOTE, user="lea")
    assert not waits.passed
    assert "nobody approved that. Start the workflow again" in console(waits)
    assert service.now == 0.82
