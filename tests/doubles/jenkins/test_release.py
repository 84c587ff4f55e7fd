"""Releases on Jenkins, with the real pipegen: approved, refused, timed out, red, and an older one after a newer."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.doubles.conftest import MakeHouse
from tests.doubles.jenkins.agents import Agent
from tests.doubles.jenkins.build import Build
from tests.doubles.jenkins.conftest import Make
from tests.doubles.jenkins.gates import Answer
from tests.doubles.releases import OPTIONS, STAGES, WORKFLOWS, Service
from tests.support.warm import Warm

pytestmark = pytest.mark.java

LIMITED = {**WORKFLOWS, "release": {**WORKFLOWS["release"], "approve": {"by": "leads", "timeout": "1m"}}}


def test_releases(furnish: MakeHouse, warm_pipegen: Warm, jenkins: Make, tmp_path: Path) -> None:
    house = furnish({"jenkins": {"layout": "levels"}}, STAGES, **{**OPTIONS, "workflows": LIMITED})
    service = Service(house, tmp_path / "service")
    machine = {**warm_pipegen.install(tmp_path / "bin", "pipegen"), **service.env}
    double = jenkins(Agent("a1", env=machine), repo=house.origin)
    beside = jenkins(Agent("a1", env=machine), repo=house.origin)
    hasty = jenkins(Agent("a1", env=machine), repo=house.origin, time_scale=1 / 6000)

    def build(workflow: str, *answers: Answer, on: object = double) -> Build:
        text = house.origin / "ci" / f"Jenkinsfile.{workflow}"
        return on.build(text, branch=None, answers=answers)  # type: ignore[attr-defined, no-any-return]

    def log(build: Build) -> str:
        return "\n".join(build.log)

    service.train(0.8)
    first = build("nightly")
    assert first.result == "SUCCESS", log(first)
    assert service.tags == ["toy@v0.0.1", "toy#staging#1"]
    assert service.notes("toy@v0.0.1")["Set"] == "params.yaml:a.k = 2"

    refused = build("release", Answer("ann", approve=False))
    timed_out = build("release", on=hasty)
    assert (refused.result, timed_out.result) == ("ABORTED", "ABORTED")
    assert (len(service.tags), service.log) == (2, []), "nothing was promoted"
    approved = build("release", Answer("eve"), Answer("bob", after=0.1))
    assert approved.result == "SUCCESS", log(approved)
    assert (service.log, service.now) == (["v0.0.1"], 0.8)
    assert service.notes("toy#production#1")["Approved-By"] == "bob"

    asked = threading.Event()
    service.train(0.81)
    older = double.start(
        house.origin / "ci" / "Jenkinsfile.ship",
        branch=None,
        on_line=lambda line, _: asked.set() if line == "Input requested" else None,
    )
    assert asked.wait(120)
    service.train(0.82)
    newer = build("ship", Answer("ann"), on=beside)
    assert newer.result == "SUCCESS", log(newer)
    older.running.inputs.answers.append(Answer("ann"))
    late = older.wait()
    assert late.result == "FAILURE", log(late)
    assert "toy v0.0.2" in log(late) and "an older version does not overtake a newer one" in log(late)
    assert (service.log, service.now) == (["v0.0.1", "v0.0.3"], 0.82)

    service.train(0.7, bad=1)
    bad = build("ship", Answer("ann"))
    assert bad.result == "FAILURE", log(bad)
    assert "toy v0.0.4 is taken back: production has v0.0.3 again" in log(bad)
    assert (service.log[-2:], service.now) == (["v0.0.4", "back"], 0.82)
