"""The house-prices example over agents of two kinds, against `dvc repro` in one workspace."""

from __future__ import annotations

from pathlib import Path

from tests.doubles.flagship import KEY, URL, Flagship
from tests.doubles.gocd.agent import Agent
from tests.doubles.gocd.conftest import Start
from tests.doubles.gocd.published import Published


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
