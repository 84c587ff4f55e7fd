"""`pipegen affected`: which stages a change can touch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipegen.project import Project
from tests.support.cli import pipegen
from tests.support.repositories import sh, write

TEXT = """\
pipegen: 1
name: small
stages:
  raw: {cmd: cp data.csv raw.csv, deps: [data.csv], outs: [raw.csv]}
  train:
    foreach: [a, b]
    do: {cmd: "python train.py ${item}", deps: [raw.csv, train.py, lib], params: ["${item}"], outs: ["${item}.pkl"]}
  best: {cmd: cat a.pkl b.pkl > best.pkl, deps: [a.pkl, b.pkl], outs: [best.pkl]}
  alone: {cmd: cp other.txt alone.txt, deps: [other.txt], outs: [alone.txt]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""
FILES = {
    "data.csv.dvc": "outs: [{md5: 0cc175b9c0f1b6a831c399e269772661, size: 1, hash: md5, path: data.csv}]\n",
    "train.py": "1\n",
    "lib/deep/x.py": "1\n",
    "other.txt": "1\n",
    "README.md": "1\n",
    "params.yaml": "a: 1\nb: 2\nc: 3\n",
}
TRAINED = ["train@a", "train@b", "best"]


@pytest.fixture(params=[".", "sub"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A description at the root of a repository, and in a subfolder of one."""
    sh(tmp_path, "git", "init", "-q", "-b", "main")
    folder = tmp_path / str(request.param)
    write(folder, {"pipegen.yaml": TEXT, **FILES})
    Project.open(folder).generate(["dvc"]).write()
    commit(folder)
    sh(folder, "git", "checkout", "-q", "-b", "feature")
    return folder


def commit(folder: Path) -> None:
    sh(folder, "git", "add", "-A")
    sh(folder, "git", "commit", "-q", "--allow-empty", "-m", "a change")


@pytest.mark.parametrize(
    ("path", "text", "stages"),
    [
        ("README.md", "2\n", []),
        ("train.py", "2\n", TRAINED),
        ("lib/deep/x.py", "2\n", TRAINED),
        ("other.txt", "2\n", ["alone"]),
        ("params.yaml", "b: 2\na: 7\nc: 4\n", ["train@a", "best"]),
        ("params.yaml", "a: 1  # words\nb: 2\nc: 4\n", []),
        ("data.csv.dvc", FILES["data.csv.dvc"].replace("0cc1", "1cc1"), ["raw", *TRAINED]),
        ("pipegen.yaml", TEXT.replace("> best.pkl", ">> best.pkl"), ["best"]),
        ("pipegen.yaml", TEXT.replace("[a, b]\n", "[a, b, c]\n"), ["train@c"]),
    ],
)
def test_a_change(folder: Path, path: str, text: str, stages: list[str]) -> None:
    write(folder, {path: text})
    Project.open(folder).generate(["dvc"]).write()
    commit(folder)
    done = pipegen("affected", "--base", "main", cwd=folder)
    assert done.code == 0, done.err
    assert done.out.split() == stages


def test_what_main_got_in_the_meantime_counts_for_nothing(folder: Path) -> None:
    commit(folder)
    sh(folder, "git", "checkout", "-q", "main")
    write(folder, {"other.txt": "3\n", "pipegen.yaml": TEXT.replace("> best.pkl", ">> best.pkl")})
    Project.open(folder).generate(["dvc"]).write()
    commit(folder)
    sh(folder, "git", "checkout", "-q", "feature")
    assert pipegen("affected", "--base", "main", cwd=folder).out == ""


def test_reasons_and_unreadable_descriptions(folder: Path) -> None:
    write(folder, {"train.py": "2\n"})
    commit(folder)
    found = json.loads(pipegen("affected", "--base", "main", "--json", cwd=folder).out)
    assert found["stages"] == {
        "train@a": "it reads train.py",
        "train@b": "it reads train.py",
        "best": "it needs train@a",
    }
    write(folder, {"pipegen.yaml": "nonsense\n"})
    commit(folder)
    sh(folder, "git", "branch", "broken")
    write(folder, {"pipegen.yaml": TEXT})
    commit(folder)
    assert len(pipegen("affected", "--base", "broken", cwd=folder).out.split()) == 5
    done = pipegen("affected", "--base", "no-such", cwd=folder)
    assert done.code == 5
    assert "git knows no commit 'no-such'" in done.err
    sh(folder, "git", "checkout", "-q", "--orphan", "unrelated")
    commit(folder)
    done = pipegen("affected", "--base", "main", cwd=folder)
    assert done.code == 5
    assert "nothing in common" in done.err
