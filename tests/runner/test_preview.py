"""`--dry` and `--explain` say what would run and why, and change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipegen.dvc.workspace import Workspace
from pipegen.runner.preview import foresee
from pipegen.runner.tasks import tasks_from
from tests.runner.conftest import Make
from tests.support.repositories import picture, pipegen_run, write

TEXT = """\
stages:
  one: {cmd: cp in one, deps: [in], params: [a.b, c], outs: [one]}
  tree: {cmd: mkdir tree && cp one tree/x, deps: [one], outs: [tree]}
  always: {cmd: echo 1 > always, outs: [always], always_changed: true}
  frozen: {cmd: cp one frozen, deps: [one], outs: [frozen], frozen: true}
"""
FILES = {"in": "1\n", "params.yaml": "a: {b: 1}\nc: [x]\n"}


def reasons(folder: Path) -> dict[str, list[str]]:
    before = picture(folder)
    workspace = Workspace(folder)
    found = {
        item.stage: list(item.reasons) for item in foresee(workspace, tasks_from(workspace)) if item.runs
    }
    assert picture(folder) == before
    return found


@pytest.fixture
def done(repository: Make) -> Path:
    folder = repository(TEXT, **FILES)
    write(folder, {"frozen": "x\n"})
    assert pipegen_run(folder)[0].ok
    return folder


ALWAYS = {"always": ["it always runs"]}
TREE = {"tree": ["it reads what one makes, which would run"]}


def test_before_the_first_run(repository: Make) -> None:
    found = reasons(repository(TEXT, **FILES))
    assert set(found) == {"one", "tree", "always", "frozen"}
    assert set(map(tuple, found.values())) == {("it never ran",)}


def test_up_to_date(done: Path) -> None:
    assert reasons(done) == ALWAYS


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"in": "2\n"}, {"one": ["it reads in, which changed"]} | TREE),
        (
            {"params.yaml": "a: {b: 2}\nc: [x, y]\n"},
            {
                "one": [
                    "parameter a.b of params.yaml was 1 and is 2",
                    "parameter c of params.yaml was ['x'] and is ['x', 'y']",
                ]
            }
            | TREE,
        ),
        ({"params.yaml": "a: {}\nc: [x]\n"}, {"one": ["parameter a.b is gone from params.yaml"]} | TREE),
        (
            {"dvc.yaml": TEXT.replace("cp in one,", "cat in > one,")},
            {"one": ["its command was cp in one and is cat in > one"]} | TREE,
        ),
        (
            {"dvc.yaml": TEXT.replace("deps: [in]", "deps: [in, params.yaml]")},
            {"one": ["it reads params.yaml, which is new to it"]} | TREE,
        ),
        (
            {"one": "spoilt\n"},
            {"one": ["it makes one, which changed"], "tree": ["it reads one, which changed"]},
        ),
        ({"tree/y": "more\n"}, {"tree": ["it makes tree, which changed"]}),
    ],
    ids=["dep", "param", "param gone", "command", "new dep", "output", "folder"],
)
def test_what_changed(done: Path, files: dict[str, str], said: dict[str, list[str]]) -> None:
    write(done, files)
    assert reasons(done) == said | ALWAYS


def test_what_is_missing(done: Path) -> None:
    (done / "one").unlink()
    assert reasons(done)["one"] == ["it makes one, which does not exist"]
    (done / "in").unlink()
    assert reasons(done)["one"] == ["it reads in, which does not exist"]


def test_forced(done: Path) -> None:
    workspace = Workspace(done)
    assert all(item.reasons == ("forced",) for item in foresee(workspace, tasks_from(workspace), force=True))
