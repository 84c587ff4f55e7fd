"""What `pipegen run` and agents leave of a run: who, from where, why, and what was installed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pipegen.description.model import Pipeline
from pipegen.dvc.stores import Folder
from pipegen.runner.about import about_build, hypothesis_in, packages, tags_of
from tests.support.agents import Build, make_origin
from tests.support.cli import pipegen
from tests.support.repositories import make_repository, make_template, sh

DESCRIPTION = """\
pipegen: 1
name: small
repository: "https://ada@git.example.com/small.git"
secrets: {forge: {env: [FORGE_TOKEN], jenkins: {id: forge}, gocd: {config: vault, keys: [forge]}}}
stages:
  prepare: {cmd: "sort raw.csv > sorted.csv", deps: [raw.csv], outs: [sorted.csv]}
  train:
    cmd: "sh train.sh"
    deps: [sorted.csv, train.sh]
    params: [alpha]
    metrics: [{m.json: {cache: false}}]
workflows: {push: {on: {push: {branches: [main]}}}}
"""
TRAIN = """echo "{\\"alpha\\": $(cut -d' ' -f2 params.yaml), \\"token\\": \\"$FORGE_TOKEN\\"}" > m.json\n"""
FILES = {"raw.csv": "b\na\n", "params.yaml": "alpha: 1\n", "train.sh": TRAIN}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template") / "repository")


@pytest.fixture
def folder(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a description and a remote, whose commit says why; `python` is that of these tests."""
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    folder = make_origin(tmp_path / "origin", template, DESCRIPTION, str(tmp_path / "remote"), **FILES)
    message = "Say less\n\nSome words.\n\nHypothesis: less is\n  more\nSigned-off-by: Ada"
    sh(folder, "git", "commit", "-q", "--allow-empty", "-m", message)
    return folder


def runs(folder: Path, *words: str) -> Any:
    return json.loads(pipegen("runs", *words, "--json", cwd=folder).out)


def test_a_run_on_this_machine_is_tracked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_TOKEN", "s3cr3t-value")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Grace")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "grace@example.com")
    assert pipegen("run", "-j1", cwd=folder).code == 0
    (run,) = runs(folder)
    assert run["experiment"] == "small"
    assert run["state"] == "passed"
    assert run["user"] == "Grace <grace@example.com>"
    assert run["source"] == "https://git.example.com/small.git", "without the login"
    assert run["commit"] == sh(folder, "git", "rev-parse", "HEAD").strip()
    assert run["branch"] == sh(folder, "git", "branch", "--show-current").strip()
    assert run["hypothesis"] == "less is more"
    assert run["params"] == {"params.yaml:alpha": 1}
    assert run["metrics"] == {"m.json:alpha": 1, "m.json:token": "****"}
    assert run["commands"]["train"] == "sh train.sh"
    assert {path: data["role"] for path, data in run["data"].items()} == {
        "raw.csv": "read", "sorted.csv": "made", "train.sh": "read", "m.json": "made"
    }  # fmt: skip
    assert [(stage["stage"], stage["outcome"]) for stage in run["stages"]] == [
        ("prepare", "ran"),
        ("train", "ran"),
    ]
    assert run["packages"]["pytest"] == pytest.__version__
    assert 0 < run["seconds"] < 60
    assert "s3cr3t-value" not in "".join(
        file.read_text() for file in (folder / ".pipegen/runs").rglob("*.json")
    )
    assert sh(folder, "git", "status", "--porcelain", "--ignored", ".pipegen").split() == ["!!", ".pipegen/"]

    assert pipegen("run", cwd=folder).code == 0
    assert len(runs(folder)) == 1, "a run with nothing to do leaves none"

    (folder / "params.yaml").write_text("alpha: 2\n")
    (folder / "train.sh").write_text("exit 3\n")
    assert pipegen("run", "--hypothesis", "it fails", "--tag", "try=2", cwd=folder).code == 1
    failed, _ = runs(folder)
    assert (failed["state"], failed["hypothesis"], failed["tags"]) == ("failed", "it fails", {"try": "2"})
    assert runs(folder, "--failed") == [failed]
    assert failed["stages"][-1]["message"] == "its command exited with 3"

    (folder / "train.sh").write_text(TRAIN)
    assert pipegen("run", cwd=folder).code == 0
    found = runs(folder, "compare", "last~2")["differences"]
    assert [(each["kind"], each["name"]) for each in found] == [
        ("parameters", "params.yaml:alpha"), ("data", "m.json"), ("metrics", "m.json:alpha")
    ]  # fmt: skip
    assert found[-1]["change"] == 1


def test_runs_of_this_machine_are_sent_once(folder: Path, tmp_path: Path, template: Path) -> None:
    assert pipegen("run", cwd=folder).code == 0
    assert pipegen("runs", "push", cwd=folder).out == "sent 1 run\n"
    assert pipegen("runs", "push", cwd=folder).out == "the remote has all runs of this machine\n"
    other = tmp_path / "other"
    sh(tmp_path, "git", "clone", "-q", str(folder), str(other))
    assert runs(other) == runs(folder)
    assert runs(other, "--here") == []
    (folder / ".dvc/config").write_text("")
    assert "no DVC remote is configured" in pipegen("runs", "push", cwd=folder).err


def test_a_repository_without_a_description(tmp_path: Path, template: Path) -> None:
    files = {"dvc.yaml": "stages: {one: {cmd: echo 1 > one, outs: [one]}}\n"}
    folder = make_repository(tmp_path / "plain", files, template)
    assert pipegen("run", cwd=folder).code == 0
    (run,) = runs(folder)
    assert (run["experiment"], run["source"]) == ("plain", str(folder))


def test_a_run_does_not_fail_for_its_record(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".pipegen").mkdir()
    (folder / ".pipegen/runs").write_text("in the way\n")
    done = pipegen("run", cwd=folder)
    assert done.code == 0
    assert "`pipegen runs` will not know of this run" in done.text


def test_old_runs_of_this_machine_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipegen.runner.local_runs.MOST", 2)
    for number in range(4):
        (folder / "params.yaml").write_text(f"alpha: {number}\n")
        assert pipegen("run", cwd=folder).code == 0
    assert [run["params"]["params.yaml:alpha"] for run in runs(folder)] == [3, 2]


def test_an_agent_says_the_same_of_its_build(folder: Path, tmp_path: Path) -> None:
    build = Build(tmp_path / "build", folder)
    env = {
        "BUILD_URL": "https://ci.example.com/job/small/7/",
        "BRANCH_NAME": "feature/x",
        "BUILD_USER_ID": "ada",
        "PIPEGEN_WORKFLOWS": "push",
        "PIPEGEN_TAGS": "kind=trial, n=7",
    }
    for stage in ("prepare", "train"):
        assert build.exec(stage, env=env).code == 0
    (run,) = runs(folder, "--workflow", "push", "--branch", "feature/x")
    said = ("user", "hypothesis", "tags", "url")
    assert [run[word] for word in said] == [
        "ada", "less is more", {"kind": "trial", "n": "7"}, "https://ci.example.com/job/small/7/"
    ]  # fmt: skip
    assert run["packages"]["pytest"] == pytest.__version__
    assert run["metrics"]["m.json:alpha"] == 1
    assert pipegen("run", cwd=folder).code == 0
    assert runs(folder, "compare", "last~1", "last")["differences"] == [], "the same on both machines"


def test_who_started_a_build(folder: Path) -> None:
    pipeline = Pipeline(name="small", stages={})

    def user(**env: str) -> str:
        return about_build(pipeline, ".", folder, env).user

    assert user(GO_TRIGGER_USER="ada") == "ada"
    assert user(GO_TRIGGER_USER="changes") == user(GO_TRIGGER_USER="timer") == user() == "a <a@example.com>"
    assert user(CHANGE_AUTHOR="grace") == "grace"


def test_a_merge_tells_the_hypothesis_of_what_it_merges(folder: Path) -> None:
    sh(folder, "git", "checkout", "-qb", "topic")
    sh(folder, "git", "commit", "-q", "--allow-empty", "-m", "Try\n\nhypothesis: the topic is right")
    sh(folder, "git", "checkout", "-q", "-")
    sh(folder, "git", "merge", "-q", "--no-ff", "-m", "Merge topic", "topic")
    about = about_build(Pipeline(name="small", stages={}), "sub", folder, {})
    assert about.hypothesis == "the topic is right"
    assert about.source == ""


def test_words_of_a_message_and_of_tags() -> None:
    assert hypothesis_in("Hypothesis: one\n\nHypothesis: two\n words\n") == "two words"
    assert hypothesis_in("No Hypothesis: here") == hypothesis_in("Hypothesis:\nnone") == ""
    assert tags_of(["a=1", " b = x=y ", "none", "=", ""]) == {"a": "1", "b": "x=y"}
    wrong = pipegen("run", "--tag", "none", cwd=Path())
    assert wrong.code == 2


def test_packages_are_told_by_the_names_of_folders(tmp_path: Path) -> None:
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in ("Ruamel.YAML-0.18.6.dist-info", "scikit_learn-1.5.0+cpu.dist-info", "other", "x.dist-info"):
        (site / name).mkdir(parents=True)
    assert packages(str(tmp_path), {}) == {"ruamel-yaml": "0.18.6", "scikit-learn": "1.5.0+cpu"}
    assert packages("", {"PATH": str(tmp_path)}) == {}


def test_a_remote_that_is_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs of this machine are an answer too; it is not tried again and again."""
    assert pipegen("run", cwd=folder).code == 0

    def gone(self: Folder, path: str) -> list[str]:
        if self.shown == "this machine":
            return names(self, path)
        raise ConnectionError("gone")

    names = Folder._names
    monkeypatch.setattr(Folder, "_names", gone)
    monkeypatch.setattr("pipegen.dvc.patience.WAITS", (60.0,))
    shown = pipegen("runs", cwd=folder)
    assert (shown.code, len(shown.out.splitlines())) == (0, 3)
    assert shown.err.startswith("only runs of this machine are known: can't look into the DVC remote 'store'")
    assert shown.err.count("\n") == 1


def test_what_is_not_asked_of_a_remote(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Folder, "_put", None)
    assert pipegen("runs", "--here", cwd=folder).code == 0
