"""The wheel holds everything and works in an empty environment; the source archive makes the same wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipegen import Project, __version__

ROOT = Path(__file__).parents[1]
TEMPLATES = sorted(
    path.relative_to(ROOT / "templates") for path in (ROOT / "templates").rglob("*") if path.is_file()
)


def run(*command: str | Path, cwd: Path) -> str:
    """A command's output; nothing of the checkout is importable to it."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind: str, source: Path, target: Path) -> Path:
    """One distribution of a source folder: `wheel` or `sdist`."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", target, cwd=source)
    (made,) = target.iterdir()
    return made


def make_environment(folder: Path, *what: str | Path) -> Path:
    """The `bin` of a new environment with these packages; uv, where there is one, is the faster."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv:
        run(uv, "venv", "-q", "--python", sys.executable, folder, cwd=folder.parent)
        run(uv, "pip", "install", "-q", "--python", folder / "bin" / "python", *what, cwd=folder.parent)
    else:
        run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
        run(folder / "bin" / "python", "-m", "pip", "install", "-q", *what, cwd=folder.parent)
    return folder / "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("dist"))


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_package_its_types_and_the_templates(wheel: Path) -> None:
    held = names(wheel)
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pipegen").rglob("*.py")}
    assert wheel.name == f"pipegen_ci-{__version__}-py3-none-any.whl"
    assert (
        modules | {"pipegen/py.typed"} | {f"pipegen/_templates/{name.as_posix()}" for name in TEMPLATES}
        <= held
    )
    assert {name.split("/")[0] for name in held} == {"pipegen", f"pipegen_ci-{__version__}.dist-info"}


def test_the_source_archive_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        safely = (
            {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        )  # not yet in Debian 12's Python
        archive.extractall(tmp_path / "source", **safely)
    again = build("wheel", next((tmp_path / "source").iterdir()), tmp_path / "dist")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert {name: one.read(name) for name in one.namelist()} == {
            name: other.read(name) for name in other.namelist()
        }


def test_it_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    bin_ = make_environment(tmp_path / "venv", wheel)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert run(bin_ / "pipegen", "--version", cwd=elsewhere) == f"pipegen {__version__}\n"

    example = tmp_path / "repository" / "examples" / "quickstart"
    example.mkdir(parents=True)
    run("git", "init", "-q", tmp_path / "repository", cwd=tmp_path)
    for name in ("pipegen.yaml", "params.yaml", "requirements.txt"):
        shutil.copyfile(ROOT / "examples" / "quickstart" / name, example / name)
    expected = {change.path.name: change.new for change in Project.open(example).generate().changes}
    assert {"Jenkinsfile", "quickstart.gocd.yaml", "dvc.yaml"} <= set(expected)
    run(bin_ / "pipegen", "generate", example, cwd=elsewhere)
    assert {name: (example / name).read_text() for name in expected} == expected
