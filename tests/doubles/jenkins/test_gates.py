"""Artifact tests and gates on Jenkins, with the real pipegen: green, a red test, red and soft gates, waivers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.doubles.conftest import MakeHouse
from tests.doubles.jenkins.agents import Agent
from tests.doubles.jenkins.build import Build
from tests.doubles.jenkins.conftest import Make
from tests.doubles.jenkins.scm import Change
from tests.doubles.quality import OPTIONS, REVIEW, STAGES, WORKFLOWS, score
from tests.support.repositories import sh
from tests.support.warm import Warm

pytestmark = pytest.mark.java


def ran_gates(build: Build) -> bool:
    return any(" gate " in call.script for call in build.calls)


@pytest.mark.parametrize(
    "layout", ["levels", *(pytest.param(one, marks=pytest.mark.slow) for one in ("chain", "graph"))]
)
def test_push_and_nightly(
    furnish: MakeHouse, warm_pipegen: Warm, jenkins: Make, tmp_path: Path, layout: str
) -> None:
    house = furnish({"jenkins": {"layout": layout}}, STAGES, **OPTIONS)
    machine = warm_pipegen.install(tmp_path / "bin", "pipegen")
    double = jenkins(Agent("a1", env=machine), repo=house.origin)

    def build(r2: float, waived_for_days: int | None = None, file: str = "Jenkinsfile") -> Build:
        score(house, r2, waived_for_days=waived_for_days)
        return double.build(house.origin / file)

    green = build(0.9)
    assert green.result == "SUCCESS", "\n".join(green.log)
    soft = build(0.6)
    assert soft.result == "UNSTABLE", "\n".join(soft.log)
    assert "soft: m.json:r2 is 0.6, below 0.7" in "\n".join(soft.log)
    hard = build(0.3)
    assert hard.result == "FAILURE"
    assert "hard: m.json:r2 is 0.3, below 0.5" in "\n".join(hard.log)
    waived = build(0.31, 1)
    assert waived.result == "SUCCESS", "\n".join(waived.log)
    assert "waived by Ann" in "\n".join(waived.log)
    expired = build(0.32, -1)
    assert expired.result == "FAILURE"
    assert "the waiver by Ann expired on" in "\n".join(expired.log)
    nightly = build(0.8, -1, "ci/Jenkinsfile.nightly")
    assert nightly.result == "SUCCESS", "\n".join(nightly.log)
    assert "no earlier run of the workflow nightly" in "\n".join(nightly.log)
    house.commit("no score", {"seed.txt": "{}\n"})
    untested = double.build(house.origin / "Jenkinsfile")
    assert untested.result == "FAILURE"
    assert not ran_gates(untested), "what failed its tests is judged by no gate"


def test_review(furnish: MakeHouse, warm_pipegen: Warm, jenkins: Make, tmp_path: Path) -> None:
    workflows = {**WORKFLOWS, "review": REVIEW}
    house = furnish({"jenkins": {"layout": "levels"}}, STAGES, **{**OPTIONS, "workflows": workflows})
    machine = warm_pipegen.install(tmp_path / "bin", "pipegen")
    double = jenkins(Agent("a1", env=machine), repo=house.origin)
    score(house, 0.9)
    for name, r2, result in (("good", 0.8, "SUCCESS"), ("bad", 0.2, "FAILURE")):
        sh(house.origin, "git", "checkout", "-qb", name, "main")
        score(house, r2)
        sh(house.origin, "git", "checkout", "-q", "main")
        build = double.build(house.origin / "Jenkinsfile", change=Change("1", name))
        assert build.result == result, "\n".join(build.log)


def test_what_the_server_reads(furnish: MakeHouse, warm_pipegen: Warm, jenkins: Make, tmp_path: Path) -> None:
    house = furnish({"jenkins": {"layout": "levels"}}, STAGES, **OPTIONS)
    machine = warm_pipegen.install(tmp_path / "bin", "pipegen")
    double = jenkins(Agent("a1", env=machine), repo=house.origin)
    score(house, 0.6)
    double.build(house.origin / "Jenkinsfile")
    (path,) = (tmp_path / "jenkins-1").rglob("gates-push.xml")
    cases = {
        case.get("name"): [child.tag for child in case] for case in ET.parse(path).getroot().iter("testcase")
    }
    assert cases == {"hard": ["system-out"], "soft": ["failure"], "no_worse": ["skipped"]}
