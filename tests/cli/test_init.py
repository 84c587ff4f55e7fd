"""`pipegen init` starts a description that is valid and runs, and overwrites nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipegen.cli import main
from pipegen.description.load import load
from pipegen.description.stage_words import StagesFrom
from pipegen.description.starting import dvc_files, main_branch, name_for
from pipegen.description.text import Name
from pipegen.project import Project

STARTER = {".gitignore", "evaluate.py", "params.yaml", "pipegen.yaml", "prepare.py", "train.py"}
STAGE = "stages: {s: {cmd: ls}}\n"

Answer = tuple[int, str, str]


@pytest.fixture
def pipegen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """Runs a command in an empty folder; gives its exit code, output and errors."""
    folder = tmp_path / "house-prices"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*args: str) -> Answer:
        with pytest.raises(SystemExit) as caught:
            main(list(args))
        out, err = capsys.readouterr()
        code = caught.value.code
        assert isinstance(code, int)
        return code, out, err

    return run


def write(*files: str, text: str = STAGE) -> None:
    for file in files:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(text)


# ------------------------------------------------------------------------------------------------- a small project


def test_an_empty_folder_becomes_a_valid_project(pipegen: Callable[..., Answer]) -> None:
    code, out, err = pipegen("init")
    assert (code, err) == (0, "")
    assert set(os.listdir()) == STARTER
    assert "wrote pipegen.yaml\n" in out
    project = Project.open()
    assert project.problems() == []
    assert [warning.code for warning in project.warnings()] == ["install-left-out"]
    assert project.pipeline.name == "house-prices"
    assert list(project.stages) == ["prepare", "train", "evaluate"]
    assert project.stages["prepare"].cmd == "python prepare.py --cases 400 --seed 1"


def test_the_small_project_runs_and_passes_its_gate(
    pipegen: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    pipegen("init")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    subprocess.run(["git", "init", "-q", "-b", "main"], check=True)
    subprocess.run(["dvc", "init", "-q"], check=True)
    code, _, err = pipegen("run")
    assert code == 0, err
    assert json.loads(Path("metrics.json").read_text())["r2"] > 0.8
    assert Path("dvc.lock").exists()


def test_the_scripts_need_no_library(pipegen: Callable[..., Answer]) -> None:
    import ast

    pipegen("init")
    for script in ("prepare.py", "train.py", "evaluate.py"):
        tree = ast.parse(Path(script).read_text())
        names = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)


def test_both_servers_files_can_be_generated_at_once(pipegen: Callable[..., Answer]) -> None:
    pipegen("init")
    code, _, err = pipegen("generate")
    assert code == 0, err
    assert {"Jenkinsfile", "house-prices.gocd.yaml", "dvc.yaml"} <= set(os.listdir())


def test_options_end_up_in_the_description(pipegen: Callable[..., Answer]) -> None:
    url = "https://git.example.com/a/b.git"
    assert pipegen("init", "--name", "rents", "--repository", url, "--target", "gocd")[0] == 0
    project = Project.open()
    assert (project.pipeline.name, project.pipeline.repository) == ("rents", url)
    assert project.pipeline.targets == {"gocd": {"layout": "levels"}}
    assert project.problems() == []


@pytest.mark.parametrize("target", ["jenkins", "gocd"])
def test_one_server_alone(pipegen: Callable[..., Answer], target: str) -> None:
    pipegen("init", "--target", target)
    project = Project.open()
    assert list(project.pipeline.targets) == [target]
    assert project.problems() == []


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--name", "a b", "is not a name"),
        ("--repository", "nowhere", "is not a git URL"),
        ("--target", "travis", "is not one of"),
        ("-C", "nowhere", "does not exist"),
    ],
)
def test_wrong_options_are_refused(
    pipegen: Callable[..., Answer], option: str, value: str, message: str
) -> None:
    code, _, err = pipegen("init", option, value)
    assert code == 2
    assert message in err
    assert os.listdir() == []


# ------------------------------------------------------------------------------------------------- from dvc.yaml


def test_dvc_files_are_named_and_left_alone(pipegen: Callable[..., Answer]) -> None:
    write("dvc.yaml", "prep/dvc.yaml", "models/a b/dvc.yaml")
    code, _, err = pipegen("init")
    assert (code, err) == (0, "")
    assert Path("dvc.yaml").read_text() == STAGE
    assert set(os.listdir()) == {"dvc.yaml", "prep", "models", "pipegen.yaml"}
    pipeline = load("pipegen.yaml")
    assert isinstance(pipeline.stages, StagesFrom)
    assert pipeline.stages.from_ == ["dvc.yaml", "prep/dvc.yaml", "models/a b/dvc.yaml"]
    project = Project.open()
    assert project.problems() == []
    assert list(project.stages) == ["s", "prep/dvc.yaml:s", "models/a b/dvc.yaml:s"]


def test_what_is_not_this_project_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(
        ".dvc/tmp/dvc.yaml", ".git/dvc.yaml", ".venv/dvc.yaml", "env/lib/dvc.yaml", "node_modules/x/dvc.yaml"
    )
    write("other/dvc.yaml", "other/pipegen.yaml", "nested/dvc.yaml", "mine/dvc.yaml")
    write("env/pyvenv.cfg", text="")
    Path("nested/.dvc").mkdir()
    assert dvc_files(tmp_path) == ["mine/dvc.yaml"]


def test_the_branch_that_is_checked_out(tmp_path: Path) -> None:
    assert main_branch(tmp_path) == "main"
    subprocess.run(["git", "init", "-q", "-b", "master", str(tmp_path)], check=True)
    (tmp_path / "sub").mkdir()
    assert main_branch(tmp_path / "sub") == "master"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=250))
def test_every_folder_gives_a_name_that_servers_take(folder: str) -> None:
    Name.check(name_for(Path("/somewhere", folder)))


# ------------------------------------------------------------------------------------------------- refusals, advice


@pytest.mark.parametrize("there", ["pipegen.yaml", "train.py", "params.yaml"])
def test_nothing_is_overwritten(pipegen: Callable[..., Answer], there: str) -> None:
    write(there, text="mine\n")
    code, out, err = pipegen("init")
    assert (code, out) == (4, "")
    assert err.startswith(f"error: {there}: already there")
    assert Path(there).read_text() == "mine\n"
    assert os.listdir() == [there]


def test_a_gitignore_that_is_there_stays(pipegen: Callable[..., Answer]) -> None:
    write(".gitignore", text="mine\n")
    assert pipegen("init")[0] == 0
    assert Path(".gitignore").read_text() == "mine\n"
    assert set(os.listdir()) == STARTER


def test_a_disk_that_fills_up_leaves_nothing_behind(
    pipegen: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    import builtins
    import errno
    from typing import Any

    real = builtins.open

    def full(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if mode == "x" and str(file).endswith("params.yaml"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        return real(file, mode, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", full)
    code, _, err = pipegen("init")
    assert (code, err) == (4, "error: can't write params.yaml: No space left on device\n")
    assert os.listdir() == []


def test_next_steps_say_what_is_missing(pipegen: Callable[..., Answer]) -> None:
    steps = pipegen("init")[1].partition("Next:\n")[2]
    assert [line.split("#")[0].strip() for line in steps.splitlines()] == [
        "git init -b main",
        "dvc init",
        "pipegen run",
        "pipegen generate",
    ]


def test_next_steps_in_a_folder_of_a_repository(pipegen: Callable[..., Answer]) -> None:
    Path("sub").mkdir()
    subprocess.run(["git", "init", "-q"], check=True)
    steps = pipegen("init", "-C", "sub")[1].partition("Next:\n")[2]
    assert [line.split("#")[0].strip() for line in steps.splitlines()] == [
        "cd sub",
        "dvc init --subdir",
        "pipegen run",
        "pipegen generate",
    ]
    Path(".dvc").mkdir()
    Path("sub2").mkdir()
    assert "dvc init" not in pipegen("init", "-C", "sub2")[1]


def test_help_explains(pipegen: Callable[..., Answer]) -> None:
    code, out, _ = pipegen("init", "--help")
    assert code == 0
    for word in ("--name", "--repository", "--target", "--directory", "overwritten", "dvc.yaml"):
        assert word in out


def test_git_is_told_to_merge_lock_files(pipegen: Callable[..., Answer]) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    code, out, err = pipegen("init")
    assert (code, err) == (0, "")
    assert "added a line to .gitattributes, to be committed" in out
    assert Path(".gitattributes").read_text() == "dvc.lock merge=pipegen-lock\n"
    asked = ["git", "config", "merge.pipegen-lock.driver"]
    assert subprocess.run(asked, capture_output=True, text=True).stdout == "pipegen merge-lock %O %A %B\n"
    for name in STARTER - {".gitignore"}:
        Path(name).unlink()
    assert "found the line in .gitattributes" in pipegen("init")[1]


def test_a_broken_git_does_not_stop_it(pipegen: Callable[..., Answer]) -> None:
    Path(".git").write_text("gitdir: nowhere\n")
    code, out, err = pipegen("init")
    assert code == 0
    assert "git's own merge of dvc.lock was left as it is" in err
    assert "wrote pipegen.yaml" in out
