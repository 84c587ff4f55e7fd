"""Stages that stand in `dvc.yaml` files: addresses, paths, `meta.pipegen`, and every mistake of every file at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipegen.description.load import loads
from pipegen.description.stages import ResolvedStage, resolve
from pipegen.errors import DescriptionError

SHAPES = Path(__file__).parents[1] / "dvc" / "shapes"
Files = dict[str, str]


@pytest.fixture
def resolved(tmp_path: Path) -> Callable[[str, Files], dict[str, ResolvedStage]]:
    def of(description: str, files: Files) -> dict[str, ResolvedStage]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return resolve(loads(f"name: x\n{description}"), tmp_path)

    return of


def test_files_with_dependencies_across_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SHAPES / "monorepo")
    found = resolve(loads('name: x\nstages: {from: [dvc.yaml, "*/dvc.yaml"]}\n'), SHAPES / "monorepo")
    assert list(found) == [
        "report",
        "prep/dvc.yaml:clean",
        "train/dvc.yaml:fit@1",
        "train/dvc.yaml:fit@2",
        "train/dvc.yaml:join",
    ]
    assert found["report"].deps == ("report.py", "prep/out/clean.csv", "train/model.bin")
    assert found["train/dvc.yaml:fit@2"].deps == ("train/fit.py", "prep/out/clean.csv")
    assert found["train/dvc.yaml:fit@2"].cmd == "python fit.py 2 3"
    assert found["train/dvc.yaml:fit@2"].params == {"shared.yaml": ("depth",)}
    assert [out.path for out in found["train/dvc.yaml:join"].outs] == ["train/model.bin"]


def test_params_files_are_read_beside_the_file_wherever_pipegen_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = resolve(loads("name: x\nstages: {from: [train/dvc.yaml]}\n"), SHAPES / "monorepo")
    assert found["train/dvc.yaml:fit@1"].cmd == "python fit.py 1 3"


def test_empty_and_all_comment_files_have_no_stages(
    resolved: Callable[..., dict[str, ResolvedStage]],
) -> None:
    files = {
        "a.yaml": "",
        "b.yaml": "# later\n",
        "c.yaml": "plots: [x.csv]\n",
        "d.yaml": "stages: {s: {cmd: ls}}\n",
    }
    assert list(resolved('stages: {from: ["*.yaml"]}\n', files)) == ["d.yaml:s"]


def test_a_file_named_twice_is_read_once(resolved: Callable[..., dict[str, ResolvedStage]]) -> None:
    files = {"dvc.yaml": "stages: {s: {cmd: ls}}\n"}
    assert list(resolved('stages: {from: [dvc.yaml, "*.yaml", ./dvc.yaml]}\n', files)) == ["s"]


def test_ci_stands_in_meta_and_its_mistakes_have_their_place(
    resolved: Callable[..., dict[str, ResolvedStage]],
) -> None:
    stage = "stages:\n  s:\n    foreach: {a: gpu}\n    do:\n      cmd: ls\n      meta:\n        pipegen: "
    found = resolved("stages: {from: [dvc.yaml]}\n", {"dvc.yaml": stage + "{agent: '${item}'}\n"})
    assert found["s@a"].ci.agent == "gpu"
    with pytest.raises(DescriptionError) as caught:
        resolved("stages: {from: [dvc.yaml]}\n", {"dvc.yaml": stage + "{agnt: gpu}\n"})
    (problem,) = caught.value.problems
    assert (problem.place, problem.hint) == ("dvc.yaml:7:19", "did you mean 'agent'?")


def test_every_mistake_of_every_file_at_once(resolved: Callable[..., dict[str, ResolvedStage]]) -> None:
    files = {
        "dvc.yaml": "stages:\n  a: {cmd: ls, dep: [x]}\n  b: {cmd: ls, ci: {agent: x}}\nplot: []\n",
        "one/dvc.yaml": "stages: {a: {cmd: ls, cmd: ls}}\n",
        "two/dvc.yaml": "stages: {a: {cmd: 'ls ${x}'}}\n",
        "three/dvc.yaml": "- a\n",
    }
    with pytest.raises(DescriptionError) as caught:
        resolved('stages: {from: [dvc.yaml, "*/dvc.yaml", gone.yaml]}\n', files)
    assert [problem.place for problem in caught.value.problems] == [
        "dvc.yaml:2:16",
        "dvc.yaml:3:16",
        "dvc.yaml:4:1",
        "one/dvc.yaml:1:23",
        "pipegen.yaml:2:41",
        "three/dvc.yaml:1:1",
        "two/dvc.yaml:1:19",
    ]
    assert "there is no file 'gone.yaml'" in caught.value.message


def test_inline_stages_are_checked_as_the_dvc_yaml_they_become(
    resolved: Callable[..., dict[str, ResolvedStage]],
) -> None:
    description = "stages:\n  a: {cmd: ls, outs: [{x: {cashe: false}}]}\n  b: {cmd: ls, frozen: '${item}'}\n"
    with pytest.raises(DescriptionError) as caught:
        resolved(description, {})
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(3, 28), (4, 24)]
