"""`pipegen run` leaves a repository exactly as `dvc repro` does: lock files, cache, run cache, .gitignore."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repositories import dvc, make_repository, picture, pipegen_run, ran, write

MAIN = """\
vars: [{greeting: hello}]
stages:
  source:
    cmd: cp seed.txt source.txt; echo source >> ran.log
    deps: [seed.txt]
    outs: [source.txt]
  left:
    cmd: cp source.txt left.txt; echo left >> ran.log
    deps: [source.txt]
    outs: [left.txt]
  right:
    desc: the other side
    cmd:
      - cp source.txt right.txt
      - echo right >> ran.log
    deps: [source.txt]
    outs:
      - right.txt:
          desc: kept
          cache: true
  join:
    cmd: |
      cat left.txt right.txt > join.txt
      echo join >> ran.log
    deps: [left.txt, right.txt]
    outs: [join.txt]
  train:
    foreach:
      lasso: {alpha: 0.1}
      forest: {alpha: 2}
    do:
      cmd: cat join.txt > models/${key}.bin; echo ${item.alpha} >> models/${key}.bin; echo train@${key} >> ran.log
      deps: [join.txt]
      params: ["train.${key}", {"other.json": [depth]}]
      outs: ["models/${key}.bin"]
      metrics: [{"metrics/${key}.json": {cache: false}}]
  grid:
    matrix: {size: [s, m], kind: [a]}
    cmd: echo ${item.size} ${item.kind} > grid-${item.size}.txt; echo grid-${item.size} >> ran.log
    outs: ["grid-${item.size}.txt"]
  tree:
    cmd: mkdir -p tree/deep && cp join.txt tree/one && echo two > tree/deep/two && echo tree >> ran.log
    deps: [join.txt]
    outs: [tree]
  leaf:
    cmd: cat tree/deep/two > leaf.txt; echo leaf >> ran.log
    deps: [tree/deep/two]
    plots: [{leaf.txt: {x: a, y: b}}]
  inside:
    wdir: work
    cmd: cat ../leaf.txt p.toml > inside.txt; echo inside >> ../ran.log
    deps: [../leaf.txt]
    params: [{p.toml: [table.value]}, {conf.py: [rate]}]
    outs: [inside.txt]
  grows:
    cmd: cat source.txt >> grows.txt; echo grows >> ran.log
    deps: [source.txt]
    outs: [{grows.txt: {persist: true}}]
  whole:
    cmd: echo ${greeting} > whole.txt; echo whole >> ran.log
    params: [{other.json: }]
    outs: [{whole.txt: {cache: false}}]
  'odd name':
    cmd: "echo 'a: b # c' > 'odd out.txt'; echo \\"x\\" && true; echo odd >> ran.log"
    deps: [source.txt]
    outs: ['odd out.txt']
  long:
    cmd: echo this is long enough to be folded by a YAML writer at eighty columns > long.txt; echo long >> ran.log
    deps: [source.txt, added.txt]
    outs: [long.txt]
"""
EXTRA = """\
stages:
  extra:
    cmd: cat ../join.txt > extra.txt; echo extra >> ../ran.log
    deps: [../join.txt]
    outs: [extra.txt]
"""
FILES = {
    "dvc.yaml": MAIN.replace(
        "    cmd: cat join.txt > models",
        "    cmd: mkdir -p models metrics; echo {} > metrics/${key}.json; cat join.txt > models",
    ),
    "extra/dvc.yaml": EXTRA,
    "seed.txt": "seed\n",
    "params.yaml": "train:\n  lasso: {rate: 0.5, steps: [1, 2], word: 'on'}\n  forest: 3\n",
    "other.json": '{"depth": 4, "deep": {"a": null}}',
    "work/p.toml": "[table]\nvalue = 1.5\n",
    "work/conf.py": "rate = 0.25\n",
    ".gitignore": "ran.log\n.pipegen\n",
}
COMMANDS = sorted(
    [
        "source",
        "left",
        "right",
        "join",
        "train@lasso",
        "train@forest",
        "grid-s",
        "grid-m",
        "tree",
        "leaf",
        "inside",
        "grows",
        "whole",
        "odd",
        "long",
        "extra",
    ]
)


IGNORE_RULE = {".dvcignore": "nothing-like-this\n"}
"""Leaves every stage to DVC's own objects."""


@pytest.fixture(params=["direct", "objects"])
def twins(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> tuple[Path, Path]:
    """The same repository twice, with a `.dvc` source: for DVC, and for pipegen going either of its two ways."""
    files = FILES | (IGNORE_RULE if request.param == "objects" else {})
    theirs, ours = (
        _with_source(make_repository(tmp_path / name, files, template)) for name in ("dvc", "pipegen")
    )
    return theirs, ours


def _with_source(folder: Path) -> Path:
    write(folder, {"added.txt": "added\n"})
    dvc(folder, "add", "-q", "added.txt")
    return folder


def both(twins: tuple[Path, Path], change: Callable[[Path], None]) -> None:
    for folder in twins:
        change(folder)


def run_both(twins: tuple[Path, Path], *options: str) -> tuple[list[str], list[str]]:
    """Run both ways, compare, and return what each ran."""
    theirs, ours = twins
    dvc(theirs, "repro", "-q", "-P", *options)
    finished, _ = pipegen_run(ours, jobs=3, force="--force" in options)
    assert finished.ok, finished
    assert picture(ours) == picture(theirs)
    return ran(theirs), ran(ours)


def test_one_repository_through_its_life(twins: tuple[Path, Path]) -> None:
    """Each chapter goes on with what the one before left."""
    first_run(twins)
    nothing_to_do(twins)
    an_edit(twins)
    going_back_runs_nothing_cached(twins)
    the_other_tool_finds_nothing_to_do(twins)
    forced(twins)


def first_run(twins: tuple[Path, Path]) -> None:
    theirs, ours = run_both(twins)
    assert ours == theirs == COMMANDS


def nothing_to_do(twins: tuple[Path, Path]) -> None:
    theirs, ours = run_both(twins)
    assert ours == theirs == []
    assert "up to date" in dvc(twins[1], "status")


def an_edit(twins: tuple[Path, Path]) -> None:
    """A source, a parameter, a command and a `.dvc` file's data change; one output disappears."""

    def edit(folder: Path) -> None:
        text = FILES["dvc.yaml"].replace("echo two >", "echo TWO >")
        write(
            folder,
            {
                "seed.txt": "other seed\n",
                "other.json": '{"depth": 5}',
                "added.txt": "more\n",
                "dvc.yaml": text,
            },
        )
        (folder / "left.txt").unlink()

    both(twins, edit)
    theirs, ours = run_both(twins)
    assert ours == theirs
    assert {"source", "train@lasso", "whole", "long"} <= set(ours)
    assert "up to date" in dvc(twins[1], "status")


def going_back_runs_nothing_cached(twins: tuple[Path, Path]) -> None:
    both(twins, lambda folder: write(folder, {**FILES, "added.txt": "added\n"}))
    theirs, ours = run_both(twins)
    assert ours == theirs
    assert set(ours) <= {"grows", "whole"}, "persistent and uncached outputs are not in the run cache"


def the_other_tool_finds_nothing_to_do(twins: tuple[Path, Path]) -> None:
    theirs, ours = twins
    finished, _ = pipegen_run(theirs)
    assert set(finished.outcomes.values()) == {"unchanged"}
    dvc(ours, "repro", "-q", "-P")
    assert ran(theirs) == ran(ours) == []
    assert picture(ours) == picture(theirs)


def forced(twins: tuple[Path, Path]) -> None:
    theirs, ours = run_both(twins, "--force")
    assert ours == theirs == COMMANDS


ODD = """\
stages:
  one:
    cmd: cp src/a.py dot; mkdir slash; cp src/a.py slash/x
    deps: [./src/, src/a.py]
    outs: [./dot, slash/]
  two: {cmd: 'cp dot two; echo {} > m.json; touch zero', deps: [dot, slash], outs: [two, zero], metrics: [m.json]}
  three: {cmd: mkdir -p edir deep/er; echo 3 > deep/er/3, deps: [slash//x], outs: [deep/er/3, edir]}
  nothing: {cmd: echo hi}
  check: {cmd: echo hi, deps: [dot]}
"""


def test_odd_paths_and_empty_things(tmp_path: Path, template: Path) -> None:
    """Dots and slashes in paths, executable files, empty files and folders, stages without outputs."""
    files = {"dvc.yaml": ODD, "src/a.py": "1\n"}
    theirs, ours = (make_repository(tmp_path / name, files, template) for name in ("dvc", "pipegen"))
    for folder in (theirs, ours):
        (folder / "src/a.py").chmod(0o755)
    dvc(theirs, "repro", "-q")
    summary, _ = pipegen_run(ours)
    assert summary.ok
    assert picture(ours) == picture(theirs)
    again, _ = pipegen_run(ours)
    assert [stage for stage, outcome in again.outcomes.items() if outcome != "unchanged"] == ["nothing"]
