"""The house-prices example over agents of two kinds, against `dvc repro` in one workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipegen.dvc.fragments import Fragment
from tests.doubles.flagship import KEY, Flagship
from tests.doubles.house import agreed
from tests.doubles.jenkins.agents import Agent
from tests.doubles.jenkins.conftest import Make
from tests.doubles.jenkins.credentials import UserPassword

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
