"""Artifact tests and gates on Jenkins, with the real pipegen: green, a red test, red and soft gates, waivers."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.doubles.conftest import MakeHouse
from tests.doubles.jenkins.agents import Agent
from tests.doubles.jenkins.build import Build
from tests.doubles.jenkins.conftest import Make
from tests.doubles.jenkins.scm import Change
from tests.doubles.quality import CASES, OPTIONS, REVIEW, STAGES, WORKFLOWS, MailServer, score
from tests.support.repositories import sh
from tests.support.warm import Warm

pytestmark = pytest.mark.java


def check(build: Build, name: str) -> None:
    """The result, what the log says, and what is published."""
    case, log = CASES[name], "\n".join(build.log)
    assert build.result == case.jenkins, log
    assert case.says in log
    judged = any(" gate " in call.script for call in build.calls)
    assert judged == (case.r2 is not None), "what failed its tests is judged by no gate"
    failed = {test.name for test in build.tests if test.status == "FAILED"}
    if judged:
        assert failed == {"soft": {"soft"}, "hard": {"hard", "soft"}, "expired": {"hard", "soft"}}.get(
            name, set()
        )
    else:
        assert failed


@pytest.mark.parametrize(
    "layout", ["levels", *(pytest.param(one, marks=pytest.mark.slow) for one in ("chain", "graph"))]
)
def test_push_and_nightly(
    furnish: MakeHouse,
    warm_pipegen: Warm,
    jenkins: Make,
    mail_server: MailServer,
    tmp_path: Path,
    layout: str,
) -> None:
    house = furnish({"jenkins": {"layout": layout}}, STAGES, **mail_server.options)
    double = jenkins(Agent("a1", env=warm_pipegen.install(tmp_path / "bin", "pipegen")), repo=house.origin)
    for name, case in CASES.items():
        case.commit(house)
        check(double.build(house.origin / "Jenkinsfile"), name)
        if layout == "levels" and name not in ("green", "hard"):
            continue  # each case of the nightly run is tried in the other layouts
        check(double.build(house.origin / "ci" / "Jenkinsfile.nightly"), name)
        if case.r2 is not None:
            (report,) = (tmp_path / "jenkins-1").rglob("archive/.pipegen/report/report.txt")
            assert case.report in report.read_text("utf-8").partition("\n")[0]
            assert case.report in mail_server.last_subject
            shutil.rmtree(report.parent)


def test_review(furnish: MakeHouse, warm_pipegen: Warm, jenkins: Make, tmp_path: Path) -> None:
    workflows = {**WORKFLOWS, "review": REVIEW}
    house = furnish({"jenkins": {"layout": "levels"}}, STAGES, **{**OPTIONS, "workflows": workflows})
    double = jenkins(Agent("a1", env=warm_pipegen.install(tmp_path / "bin", "pipegen")), repo=house.origin)
    CASES["green"].commit(house)
    for name, case in CASES.items():
        sh(house.origin, "git", "checkout", "-qb", name, "main")
        case.commit(house)
        sh(house.origin, "git", "checkout", "-q", "main")
        check(double.build(house.origin / "Jenkinsfile", change=Change("1", name)), name)


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
