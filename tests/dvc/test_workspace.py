"""The stages of a repository, their addresses, and what needs what: as DVC has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipegen.dvc.workspace import UnknownStage, Workspace
from pipegen.errors import DescriptionError, WorkspaceError
from tests.support.repositories import make_repository, sh, write

FILES = {
    "dvc.yaml": """\
vars: [{where: data}]
stages:
  join: {cmd: x, deps: [data/tree/deep, sub/made, raw], outs: [joined]}
  tree: {cmd: x, deps: [params.yaml], outs: [data/tree]}
  train: {foreach: [a, b], do: {cmd: x, deps: [joined, "${where}"], outs: ["${item}.bin"]}}
  grid: {matrix: {n: [1, 2]}, cmd: x, deps: [a.bin], outs: ["grid${item.n}"]}
  cold: {cmd: x, deps: [a.bin], outs: [cold], frozen: true}
  params: {cmd: x, outs: [params.yaml]}
""",
    "sub/dvc.yaml": "stages: {make: {cmd: x, wdir: .., deps: [raw, sub/deep/seen], outs: [sub/made]}}\n",
    "sub/deep/dvc.yaml": "# nothing but a comment\n",
    "raw.dvc": "outs: [{path: raw, md5: d41d8cd98f00b204e9800998ecf8427e, size: 0, hash: md5}]\n",
    ".gitignore": "ignored/\n",
    "ignored/dvc.yaml": "stages: {no: {cmd: x, outs: [no]}}\n",
}
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, template: Path) -> Make:
    def repository(files: dict[str, str] = FILES) -> Path:
        return make_repository(tmp_path / "repository", files, template)

    return repository


def test_stages_and_needs_are_dvcs(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from dvc.repo import Repo
    from dvc.repo.reproduce import get_active_graph, plan_repro

    folder = make()
    monkeypatch.chdir(folder)
    workspace = Workspace(folder)
    with Repo() as repo:
        graph = repo.index.graph
        theirs = {stage.addressing: {need.addressing for need in graph.successors(stage)} for stage in graph}
        order = [stage.addressing for stage in plan_repro(get_active_graph(graph))]
    assert {address: set(needs) for address, needs in workspace.needs.items()} == theirs
    assert workspace.order == order


@pytest.mark.parametrize("inside", ["sub", "sub/deep"])
def test_addresses_are_spelled_from_the_folder(
    make: Make, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    from dvc.repo import Repo

    folder = make() / inside
    monkeypatch.chdir(folder)
    workspace = Workspace(Path())
    with Repo() as repo:
        assert set(workspace.stages) == {stage.addressing for stage in repo.index.stages}
    assert workspace.own == (["make"] if inside == "sub" else [])


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("join", ["join"]),
        ("./join", ["join"]),
        ("train@b", ["train@b"]),
        ("train", ["train@a", "train@b"]),
        ("grid", ["grid@1", "grid@2"]),
        ("train@*", ["train@a", "train@b"]),
        ("sub/dvc.yaml:make", ["sub/dvc.yaml:make"]),
        ("sub/dvc.yaml", ["sub/dvc.yaml:make"]),
        ("dvc.yaml", ["join", "tree", "train@a", "train@b", "grid@1", "grid@2", "cold", "params"]),
        ("raw.dvc", ["raw.dvc"]),
    ],
)
def test_words_of_the_command_line(make: Make, word: str, meant: list[str]) -> None:
    assert Workspace(make()).select([word]) == meant


def test_a_word_that_means_nothing(make: Make) -> None:
    with pytest.raises(UnknownStage, match="no stage is called 'trian'; did you mean 'train'") as caught:
        Workspace(make()).select(["trian"])
    assert caught.value.exit_code == 2


def test_a_repository_inside_is_another_one(make: Make) -> None:
    folder = make()
    write(folder, {"inner/.dvc/config": "", "inner/dvc.yaml": "stages: {in: {cmd: x, outs: [in]}}\n"})
    assert not [address for address in Workspace(folder).stages if address.startswith("inner")]
    assert list(Workspace(folder / "inner").stages) == ["in"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages: {a: {cmd: x, outs: [o]}, b: {cmd: x, outs: [o]}}", "a and b both write"),
        ("stages: {a: {cmd: x, outs: [o]}, b: {cmd: x, outs: [o/deep]}}", "a and b both write"),
        ("stages: {a: {cmd: x, outs: [o/deep]}, b: {cmd: x, outs: [o]}}", "a and b both write"),
        ("stages: {a: {cmd: x, outs: [o, o/p]}}", "a writes .* twice"),
        ("stages: {a: {cmd: x, outs: [sub]}}", "a writes the folder that holds the file of sub/dvc.yaml:b"),
        ("stages: {a: {outs: [o]}}", "dvc.yaml:1:"),
        ("stages: [", "is not valid YAML"),
        ("stages: {a: {cmd: x, dep: [o]}}", "dvc.yaml:1:22: .*'dep'.*\n.*\n.*\n.*did you mean 'deps'"),
        ("stages: {a: {foreach: [1], do: {cmd: x}, outs: [o]}}", "does not know the word 'outs'"),
        ("stages: {}\nstage: {}", "dvc.yaml:2:1: DVC does not know the word 'stage' here"),
    ],
)
def test_what_dvc_would_refuse(make: Make, text: str, said: str) -> None:
    folder = make({"dvc.yaml": text + "\n", "sub/dvc.yaml": "stages: {b: {cmd: x}}\n"})
    with pytest.raises(DescriptionError, match=said) as caught:
        assert Workspace(folder).needs
    assert caught.value.exit_code == 3


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="in no git and no DVC repository"):
        Workspace(tmp_path)
    sh(tmp_path, "git", "init", "-q")
    (tmp_path / "sub").mkdir()
    with pytest.raises(WorkspaceError, match=r"run `dvc init` in .*, or `dvc init --subdir` here first"):
        Workspace(tmp_path / "sub")


def test_without_git_on_the_path_files_are_found_too(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make()
    monkeypatch.setenv("PATH", os.devnull)
    assert {"join", "sub/dvc.yaml:make", "raw.dvc"} <= set(Workspace(folder).stages)
