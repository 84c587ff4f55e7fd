"""The target of docs/targets.md, built as a package of its own and installed beside pipegen, generates."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from pipegen import Project
from tests.support.fences import fences

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def blocks() -> dict[str, str]:
    """The page's blocks by language."""
    found = {fence.info: fence.text for fence in fences(ROOT / "docs" / "targets.md", ROOT)}
    assert set(found) == {"toml", "python", "yaml"}
    return found


@pytest.fixture(scope="module")
def installed(blocks: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the package as an installer lays it out: a wheel, unpacked."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    (source / "pyproject.toml").write_text(blocks["toml"])
    (source / "pipegen_thing.py").write_text(blocks["python"])
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=source,
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(next((source / "dist").glob("*.whl"))) as wheel:
        wheel.extractall(target)
    return target


def pipegen(folder: Path, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command line, with another folder of packages on its path."""
    env = {**os.environ, "PYTHONPATH": str(path or "")}
    command = [sys.executable, "-c", "from pipegen.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


def test_it_generates_what_the_plan_says(blocks: dict[str, str], installed: Path, tmp_path: Path) -> None:
    (tmp_path / "pipegen.yaml").write_text(blocks["yaml"])
    done = pipegen(tmp_path, "generate", path=installed)
    assert done.returncode == 0, done.stderr
    made = yaml.safe_load((tmp_path / "thing" / "push.yaml").read_text())
    plan = Project.open(tmp_path).plan("push")
    assert made["plan"] == plan.digest
    assert [job["name"] for job in made["jobs"]] == [job.name for job in plan.jobs]
    assert {job["queue"] for job in made["jobs"]} == {"cheap"}
    commands = [line for job in made["jobs"] for line in job["run"]]
    assert [line.split()[:3] for line in commands[:2]] == [
        ["pipegen", "exec", "prepare"],
        ["pipegen", "exec", "train"],
    ]
    assert not (tmp_path / "Jenkinsfile").exists()
    assert (tmp_path / "dvc.yaml").exists()

    (tmp_path / "pipegen.yaml").write_text(blocks["yaml"].replace("queue: cheap", "queue: fast"))
    assert pipegen(tmp_path, "generate", "--check", path=installed).returncode == 1
    assert pipegen(tmp_path, "generate", path=installed).returncode == 0
    assert "fast" in (tmp_path / "thing" / "push.yaml").read_text()


def test_its_words_are_checked_with_their_place(
    blocks: dict[str, str], installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "pipegen.yaml").write_text(blocks["yaml"].replace("queue: cheap", "quue: cheap"))
    done = pipegen(tmp_path, "validate", path=installed)
    assert done.returncode == 3
    assert "pipegen.yaml:4" in done.stderr
    assert "queue" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_package_the_name_is_unknown(blocks: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "pipegen.yaml").write_text(blocks["yaml"])
    done = pipegen(tmp_path, "validate")
    assert done.returncode == 3
    assert "there is no target 'thing'" in done.stderr
