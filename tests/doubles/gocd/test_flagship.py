"""The house-prices example over agents of two kinds, against `dvc repro` in one workspace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipegen.dvc.lockfile import LockFile
from pipegen.project import Project
from tests.doubles.gocd.agent import Agent
from tests.doubles.gocd.conftest import Start
from tests.doubles.gocd.origin import Origin
from tests.doubles.gocd.published import Published
from tests.support.agents import ROOT
from tests.support.repositories import dvc

EXAMPLE = ROOT / "examples" / "house-prices"
PLACE = Path("examples") / "house-prices"
URL = "https://git.example.com/pricing/pipegen.git"
GENERATED = shutil.ignore_patterns(
    "data",
    "metrics",
    "models",
    "plots",
    "report",
    "dvc.lock",
    ".pipegen",
    "tmp",
    "cache",
    "__pycache__",
    ".*_cache",
)


@pytest.fixture
def flagship(origin: Origin, tmp_path: Path) -> Origin:
    """The example at its place in a repository, with a folder as remote and the interpreter of these tests."""
    folder = origin.path / PLACE
    shutil.copytree(EXAMPLE, folder, ignore=GENERATED)
    data = yaml.safe_load((folder / "pipegen.yaml").read_text("utf-8"))
    del data["install"], data["python"]
    data["data"] = {"lock": "artifact"}
    data["workflows"] = {"push": {"on": {"push": {"branches": ["main"]}}}}
    (folder / "pipegen.yaml").write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    dvc(folder, "remote", "add", "-d", "-f", "store", str(tmp_path / "remote"))
    Project.open(folder).generate(["gocd", "dvc"]).write(force=True)
    origin.commit({}, "house prices")
    return origin


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_house_prices(start: Start, flagship: Origin, tmp_path: Path) -> None:
    path = f"{tmp_path}/bin{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # what this machine tells its linear algebra decides about last digits
    machine = {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
    env = {**machine, "PATH": path, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}
    agents = [Agent("linux-1", {"linux"}, env=env), Agent("gpu-1", elastic_profile="gpu", env=env)]
    server = start({URL: flagship.path}, *agents, patience=800)
    server.load(flagship.path / PLACE / "house-prices.gocd.yaml")
    (run,) = server.poll()
    published = Published(run.jobs)
    assert run.passed, published.log
    assert run.job("train.boosting").agent == "gpu-1"
    assert "testoutput/result/index.html" in run.job("train.lasso").artifacts
    workspace = tmp_path / "reference"
    flagship.git("clone", "-q", str(flagship.path), str(workspace))
    repro = [sys.executable, "-m", "dvc", "repro", "-q"]
    subprocess.run(repro, cwd=workspace / PLACE, env={**os.environ, **env}, check=True)
    assert published.entries() == dict(LockFile(str(workspace / PLACE / "dvc.lock")).entries)
