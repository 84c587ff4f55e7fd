"""`pipegen graph`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipegen.cli.graph import graph
from pipegen.errors import DescriptionError, FileError, PlanError

DESCRIPTION = """\
name: houses
stages:
  get: {cmd: "true", outs: [raw]}
  train: {foreach: [a, b], do: {cmd: "true", deps: [raw], outs: ["${item}"]}}
  best: {cmd: "true", deps: [a, b, raw]}
workflows:
  push: {on: {push: {branches: [main]}}}
  some: {on: manual, stages: ["train@a"]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pipegen.yaml").write_text(DESCRIPTION)
    return tmp_path


def drawn(folder: Path, *options: str) -> str:
    result: Result = CliRunner().invoke(graph, [str(folder), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_stages(folder: Path) -> None:
    assert drawn(folder) == (
        "houses: 4 stages in 3 levels, at most 2 at once\n"
        "\n"
        "○    get\n"
        "├─╮\n"
        "○ │  train@a\n"
        "│ ○  train@b\n"
        "├─╯\n"
        "○    best\n"
    )


def test_a_file_is_as_good_as_its_folder(folder: Path) -> None:
    assert drawn(folder / "pipegen.yaml") == drawn(folder)


def test_folded(folder: Path) -> None:
    assert drawn(folder, "--fold").splitlines()[2:] == ["○  get", "○  train@* (2)", "○  best"]


def test_all_edges(folder: Path) -> None:
    assert drawn(folder, "--format", "mermaid").count("-->") == 4
    assert drawn(folder, "--format", "mermaid", "--all-edges").count("-->") == 5


def test_what_a_workflow_runs(folder: Path) -> None:
    assert drawn(folder, "-w", "some").splitlines()[2:] == ["○  get", "○  train@a"]


def test_jobs_of_a_workflow(folder: Path) -> None:
    assert drawn(folder, "--jobs", "-w", "some").splitlines() == [
        "houses, some: 1 job in 1 level, at most 1 at once",
        "",
        "○  get-to-train@a",
    ]
    assert drawn(folder, "--jobs").startswith("houses, push: 4 jobs")


def test_dot_is_the_same_each_time(folder: Path) -> None:
    assert drawn(folder, "--format", "dot") == drawn(folder, "--format", "dot")
    assert drawn(folder, "--format", "dot").startswith('digraph "houses" {')


def test_colour_only_where_it_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in drawn(folder)
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = CliRunner().invoke(graph, [str(folder)], color=True)
    assert "\x1b[36m" in result.output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in CliRunner().invoke(graph, [str(folder)], color=True).output


@pytest.mark.parametrize(
    ("text", "options", "error", "said"),
    [
        (DESCRIPTION, ["-w", "pusch"], PlanError, "did you mean 'push'"),
        ("name: x\nstages: {a: {cmd: x}}\n", ["--jobs"], PlanError, "no `workflows`"),
        ("name: x\nstages: {a: {cmd: x, deps: [o], outs: [o]}}\n", [], DescriptionError, "in a circle"),
        (None, [], FileError, "pipegen.yaml"),
    ],
)
def test_what_can_not_be_drawn(
    tmp_path: Path, text: str | None, options: list[str], error: type[Exception], said: str
) -> None:
    if text is not None:
        (tmp_path / "pipegen.yaml").write_text(text)
    with pytest.raises(error, match=said):
        CliRunner().invoke(graph, [str(tmp_path), *options], catch_exceptions=False)
