"""Run the examples' stages as their descriptions say, each fed with nothing but what it declares."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOT_SOURCE = shutil.ignore_patterns(
    "data", "metrics", "models", "plots", "report", "deployed", "tmp", "cache", "__pycache__",
    ".pytest_cache", "model.pkl", "metrics.json", "report.md", "dvc.lock", ".pipegen",
)  # fmt: skip

# Importing scikit-learn takes longer than any stage: one process runs them all.
RUN_ALL = """
import json, os, runpy, sys
for folder, (program, *argv) in json.load(sys.stdin):
    os.chdir(folder)
    if program == "-m":
        sys.argv = argv
        sys.path.insert(0, folder)
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
        sys.path.remove(folder)
        for name in [name for name in sys.modules if name.split(".")[0] == argv[0].split(".")[0]]:
            del sys.modules[name]
    else:
        sys.argv = [program, *argv]
        runpy.run_path(program, run_name="__main__")
"""


@dataclass(frozen=True)
class Step:
    """One stage after its foreach has been expanded."""

    name: str
    cmd: str
    deps: tuple[str, ...]
    outs: tuple[str, ...]
    params: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def argv(self) -> list[str]:
        program, *argv = shlex.split(self.cmd)
        assert program == "python"
        return argv


def steps(folder: Path) -> list[Step]:
    """The stages of ``folder/pipegen.yaml`` in its order, which is one that can be run."""
    stages = yaml.safe_load((folder / "pipegen.yaml").read_text(encoding="utf-8"))["stages"]
    return [step for name, stage in stages.items() for step in _expanded(name, stage)]


def _expanded(name: str, stage: dict[str, Any]) -> Iterator[Step]:
    if "foreach" not in stage:
        yield _step(name, stage)
        return
    template = json.dumps(stage["do"])
    for key, item in stage["foreach"].items():
        body = template.replace("${key}", key)
        for word, value in item.items():
            body = body.replace(f"${{item.{word}}}", value)
        yield _step(f"{name}@{key}", json.loads(body))


def _step(name: str, stage: dict[str, Any]) -> Step:
    outs = [path for kind in ("outs", "metrics", "plots") for path in stage.get(kind, [])]
    return Step(
        name=name,
        cmd=stage["cmd"],
        deps=tuple(stage.get("deps", [])),
        outs=tuple(out if isinstance(out, str) else next(iter(out)) for out in outs),
        params=tuple(stage.get("params", [])),
        tests=tuple(stage.get("ci", {}).get("tests", [])),
    )


def copy_example(name: str, target: Path) -> Path:
    """The example's sources, without what a run here may have left."""
    return Path(shutil.copytree(EXAMPLES / name, target, ignore=NOT_SOURCE))


def environment(**variables: str) -> dict[str, str]:
    """Ours, with this interpreter as ``python`` and nothing that pytest or coverage put in."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
    return {**kept, "PATH": path, **variables}


def run_steps(work: list[tuple[Path, Step]], *, hash_seed: int, threads: int) -> None:
    """Run each step in its folder, all in one process of their own."""
    result = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", RUN_ALL],
        input=json.dumps([[str(folder), step.argv] for folder, step in work]),
        env=environment(PYTHONHASHSEED=str(hash_seed), OMP_NUM_THREADS=str(threads)),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def digests(folder: Path, paths: tuple[str, ...]) -> dict[str, str]:
    """SHA-256 by path."""
    return {path: hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in paths}


def run_each_alone(produced: Path, target: Path) -> dict[str, Path]:
    """Run every step once more in a folder that holds its declared inputs alone; the folder by step."""
    alone = {}
    for step in steps(produced):
        folder = alone[step.name] = target / step.name
        for dep in step.deps:
            (folder / dep).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(produced / dep, folder / dep)
        _write_declared_params(produced / "params.yaml", step.params, folder / "params.yaml")
        if (produced / "houses").exists():
            (folder / "houses/__init__.py").touch()
    run_steps([(alone[step.name], step) for step in steps(produced)], hash_seed=2, threads=2)
    return alone


def _write_declared_params(source: Path, names: tuple[str, ...], target: Path) -> None:
    everything = yaml.safe_load(source.read_text(encoding="utf-8"))
    declared: dict[str, Any] = {}
    for name in names:
        *sections, last = name.split(".")
        value, place = everything, declared
        for section in sections:
            value, place = value[section], place.setdefault(section, {})
        place[last] = value[last]
    target.write_text(yaml.safe_dump(declared), encoding="utf-8")
