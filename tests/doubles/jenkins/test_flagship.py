"""The house-prices example over agents of two kinds, against `dvc repro` in one workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipegen.dvc.fragments import Fragment
from tests.doubles.flagship import KEY, Flagship
from tests.doubles.house import agreed
from tests.doubles.jenkins.agents import Agent
from tests.doubles.jenkins.conftest import Make
from tests.doubles.jenkins.credentials import Text, UserPassword
from tests.doubles.quality import MailServer

pytestmark = pytest.mark.java


def test_house_prices(jenkins: Make, flagship: Flagship, tmp_path: Path) -> None:
    kinds = {"linux-1": {"linux"}, "linux-2": {"linux"}, "gpu-1": {"gpu"}}
    agents = [Agent(name, labels, env=flagship.env) for name, labels in kinds.items()]
    aws = UserPassword(flagship.keys["AWS_ACCESS_KEY_ID"], flagship.keys["AWS_SECRET_ACCESS_KEY"])
    double = jenkins(*agents, repo=flagship.origin, credentials={"aws": aws}, limit=240)
    build = double.build(flagship.folder / "Jenkinsfile")
    log = "\n".join(build.log)
    assert build.result == "SUCCESS", log
    assert build.most_busy.keys() == kinds.keys()
    assert build.stage("train@boosting").agent == "gpu-1"
    assert {case.name for case in build.tests} >= {"test_metrics_are_sane[lasso]"}
    assert KEY not in log
    for name in build.stashes.names():
        build.stashes.get(name, tmp_path / "stashes")
    found = (tmp_path / "stashes" / ".pipegen" / "fragments").glob("*.lock.json")
    assert agreed(map(Fragment.read, found)) == flagship.reference(tmp_path / "reference")


@pytest.mark.slow
def test_the_night(jenkins: Make, flagship: Flagship, mail_server: MailServer, tmp_path: Path) -> None:
    """So few sales are unfair to a postcode: the gate is red, the report goes out, nothing is promoted."""
    flagship.mail_by(mail_server.port)
    agents = [Agent(name, {name}, env=flagship.env) for name in ("linux", "gpu")]
    keys = UserPassword(flagship.keys["AWS_ACCESS_KEY_ID"], flagship.keys["AWS_SECRET_ACCESS_KEY"])
    credentials = {"aws": keys, "smtp": Text("a password")}
    double = jenkins(*agents, repo=flagship.origin, credentials=credentials, limit=240)
    build = double.build(flagship.folder / "ci" / "Jenkinsfile.nightly", branch=None)
    log = "\n".join(build.log)
    assert build.result == "FAILURE", log
    assert {case.name for case in build.tests if case.status == "FAILED"} == {"fair"}
    assert "fair: 5 groups of metrics/by_zip.json:*.rmse" in log
    assert not any(" promote " in call.script for call in build.calls)
    (report,) = (tmp_path / "jenkins-1").rglob("archive/**/report/report.txt")
    assert "the gate fair failed" in report.read_text("utf-8").partition("\n")[0]
    assert "house-prices nightly" in mail_server.last_subject
    assert "the gate fair failed" in mail_server.last_subject
