"""The house-prices example over agents of two kinds, against `dvc repro` in one workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.flagship import KEY, URL, Flagship
from tests.doubles.gocd.agent import Agent
from tests.doubles.gocd.conftest import Start
from tests.doubles.gocd.published import Published
from tests.doubles.quality import MailServer


def test_house_prices(start: Start, flagship: Flagship, tmp_path: Path) -> None:
    linux = [Agent(name, {"linux"}, env=flagship.env) for name in ("linux-1", "linux-2")]
    gpu = Agent("gpu-1", {"gpu"}, env=flagship.env)
    vault = {"id": flagship.keys["AWS_ACCESS_KEY_ID"], "key": flagship.keys["AWS_SECRET_ACCESS_KEY"]}
    server = start({URL: flagship.origin}, *linux, gpu, secrets={"vault": vault}, roles={"leads": {"lea"}})
    server.load(flagship.folder / "house-prices.gocd.yaml")
    (run,) = server.poll()
    published = Published(run.jobs)
    assert run.passed, published.log
    assert {job.agent for job in run.jobs} == {"linux-1", "linux-2", "gpu-1"}
    assert run.job("train.boosting").agent == "gpu-1"
    assert "testoutput/result/index.html" in run.job("train.lasso").artifacts
    assert KEY not in published.log
    assert published.entries() == flagship.reference(tmp_path / "reference")


@pytest.mark.slow
def test_the_night(start: Start, flagship: Flagship, mail_server: MailServer) -> None:
    """So few sales are unfair to a postcode: the gate is red, the report goes out, nothing is promoted."""
    flagship.mail_by(mail_server.port)
    agents = [Agent(name, {name}, env=flagship.env) for name in ("linux", "gpu")]
    keys = {"id": flagship.keys["AWS_ACCESS_KEY_ID"], "key": flagship.keys["AWS_SECRET_ACCESS_KEY"]}
    vault = {**keys, "smtp": "a password"}
    server = start({URL: flagship.origin}, *agents, secrets={"vault": vault}, roles={"leads": {"lea"}})
    server.load(flagship.folder / "house-prices.gocd.yaml")
    run = server.fire_timer("house-prices-nightly")
    assert run
    gates = run.job("gates")
    assert not run.passed
    assert "fair: 5 groups of metrics/by_zip.json:*.rmse" in gates.console.text, Published(run.jobs).log
    assert "the gate fair failed" in gates.read("report/report.txt").partition("\n")[0]
    assert [job.name for job in run.jobs if job.name.startswith("promote") and job.result != "Unknown"] == []
    assert "the gate fair failed" in mail_server.last_subject
