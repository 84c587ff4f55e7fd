"""`pipegen plan`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipegen.cli.plan import plan
from pipegen.errors import DescriptionError, PlanError
from pipegen.project import Project

DESCRIPTION = """\
name: houses
repository: "https://git.example.com/houses.git"
install: "pip install x"
agents:
  linux: {jenkins: {label: linux}, gocd: {resources: [linux, big]}}
  gpu: {jenkins: {label: "gpu && cuda"}, gocd: {elastic_profile: gpu}}
secrets:
  token: {env: [TOKEN], jenkins: {id: token}, gocd: {config: vault, keys: [token]}}
stages:
  get: {cmd: "true", outs: [raw]}
  clean: {cmd: "true", deps: [raw], outs: [clean]}
  train:
    foreach: {slow: {kind: gpu}, quick: {kind: linux}}
    do: {cmd: "true ${key}", deps: [clean], outs: ["${key}.pkl"], ci: {agent: "${item.kind}", timeout: 2h, retry: 1}}
  tell: {cmd: "true", deps: [quick.pkl], outs: [told], ci: {secrets: [token], mutex: [wire], timeout: 90s}}
  best: {cmd: "true", deps: [slow.pkl, told], metrics: [m.json], outs: [model]}
models: {price: {path: model}}
gates: {good: {metric: "m.json:r2", min: 0.5}}
people: {leads: {jenkins: [leads], gocd: {roles: [leads]}}}
workflows:
  push: {on: {push: {branches: [main]}}, gates: all}
  review: {on: pull_request, servers: [jenkins]}
  nightly: {on: {schedule: "0 6 * * *"}, promote: {model: price, to: staging}}
  release: {on: manual, promote: {model: price, from: staging, to: production}, approve: {by: leads, timeout: 1d}}
"""
SECONDS = {"get": 10, "clean": 20, "train@slow": 100, "train@quick": 30, "tell": 50, "best": 5}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pipegen.yaml").write_text(DESCRIPTION)
    return tmp_path


def record(folder: Path, seconds: dict[str, float]) -> None:
    """As if this had run here."""
    (folder / ".pipegen").mkdir(exist_ok=True)
    line = {"started": "2026-01-02T03:04:05+00:00", "seconds": sum(seconds.values()), "stages": seconds}
    (folder / ".pipegen" / "history.jsonl").write_text(json.dumps(line) + "\n")


def shown(folder: Path, *options: str) -> str:
    result = CliRunner().invoke(plan, [str(folder), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def data(folder: Path, *options: str) -> dict[str, Any]:
    found = json.loads(shown(folder, "--json", *options))
    assert isinstance(found, dict)
    return found


def costs(part: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {(cost["server"], cost["layout"]): cost["seconds"] for cost in part["costs"]}


def test_which_stage_becomes_which_job(folder: Path) -> None:
    record(folder, SECONDS)
    assert shown(folder, "-w", "push").splitlines() == [
        "houses: 6 stages; jenkins in levels, gocd in levels",
        "",
        "agent linux  jenkins label linux        gocd resources linux, big",
        "agent gpu    jenkins label gpu && cuda  gocd elastic_profile gpu",
        "",
        "push on a push to main: jenkins, gocd",
        "level  job           agent    limit",
        "• 1    get-to-clean  linux   2h 10m  get, clean",
        "• 2    train@slow    gpu     4h 10m  gocd train.slow; retry 1",
        "       train@quick   linux   4h 10m  gocd train.quick; retry 1",
        "  3    tell          linux  11m 30s  secret token; mutex wire",
        "• 4    best          linux   1h 10m",
        "  5    gates         linux   1h 10m  gate good",
        "  • the critical path takes 2m 15s of 3m 35s work; a run would take about",
        "  jenkins  levels     3m 09s  chosen",
        "           chain      3m 41s",
        "           graph      2m 18s  advised: ends 51s sooner",
        "  gocd     levels     3m 57s  chosen",
        "           pipelines  3m 12s  advised: ends 45s sooner",
        "",
        "Durations are those of earlier runs here. Between jobs: jenkins 1 s; gocd 13 s",
        "in levels, 19 s in pipelines. Checkout and set-up come on top; free agents are",
        "assumed.",
    ]


def test_costs_are_what_the_layouts_mean(folder: Path) -> None:
    record(folder, SECONDS)
    (push,) = data(folder, "-w", "push")["workflows"]
    assert costs(push) == {
        ("jenkins", "levels"): 30 + 100 + 50 + 5 + 0 + 4 * 1,
        ("jenkins", "chain"): 215 + 6 * 1,
        ("jenkins", "graph"): 30 + 100 + 5 + 0 + 3 * 1,
        ("gocd", "levels"): 30 + 100 + 50 + 5 + 0 + 4 * 13,
        ("gocd", "pipelines"): 30 + 100 + 5 + 0 + 3 * 19,
    }
    assert push["critical_path"] == ["get", "clean", "train@slow", "best"]
    assert push["levels"] == [["get-to-clean"], ["train@slow", "train@quick"], ["tell"], ["best"], ["gates"]]
    assert push["names"]["gocd"] == {"train@slow": "train.slow", "train@quick": "train.quick"}
    assert push["plan"]["digest"] == Project.open(folder).plan("push").digest


def test_a_layout_is_advised_where_it_ends_clearly_sooner(folder: Path) -> None:
    def advice(*options: str) -> list[dict[str, Any]]:
        return [advice for part in data(folder, *options)["workflows"] for advice in part["advice"]]

    assert advice("-w", "push") == []  # nothing was timed
    record(folder, SECONDS)
    assert advice("-w", "push") == [
        {"server": "jenkins", "layout": "graph", "sooner": 51.0},
        {"server": "gocd", "layout": "pipelines", "sooner": 45.0},
    ]
    assert advice("-w", "push", "--layout", "graph") == [
        {"server": "gocd", "layout": "pipelines", "sooner": 45.0}
    ]
    # no timer starts a fan-in of GoCD
    assert [one["server"] for one in advice("-w", "nightly")] == ["jenkins"]
    # less than one wait between jobs is nothing to go by
    record(folder, {**SECONDS, "tell": 0})
    assert advice("-w", "push") == []


def test_without_recordings_every_stage_counts_the_same_and_that_is_said(folder: Path) -> None:
    assert "No run is recorded here yet: every stage counts as 1m." in flowing(shown(folder))
    (push,) = data(folder, "-w", "push")["workflows"]
    assert push["durations"]["recorded"] == 0
    assert push["critical_path"] == ["get", "clean", "train@quick", "tell", "best"]


def test_stages_that_never_ran_count_as_the_median_and_that_is_said(folder: Path) -> None:
    record(folder, {"get": 10, "clean": 20, "tell": 60})
    assert "Earlier runs here timed 3 of 6 stages; each other one counts as 20s, their median." in flowing(
        shown(folder)
    )


def flowing(text: str) -> str:
    return " ".join(text.split())


def test_recordings_change_no_generated_byte(folder: Path) -> None:
    before = [(change.path, change.new) for change in Project.open(folder).generate().changes]
    record(folder, SECONDS)
    assert [(change.path, change.new) for change in Project.open(folder).generate().changes] == before
    assert len(before) > 3


def test_every_workflow_is_shown_and_equal_jobs_once(folder: Path) -> None:
    text = shown(folder)
    assert re.findall(r"^(\w+) .*: (.*)$", text, re.MULTILINE)[:4] == [
        ("push", "jenkins, gocd"),
        ("review", "jenkins"),
        ("nightly", "jenkins, gocd"),
        ("release", "jenkins, gocd"),
    ]
    assert text.count("train@slow") == 1
    assert text.count("5 jobs as in push") == 2
    assert "promote price --to staging" in flowing(text)
    assert "promote price --from staging --to production; waits for leads, 1d at most" in flowing(text)


def test_a_layout_can_be_tried(folder: Path) -> None:
    found = data(folder, "-w", "push", "--layout", "graph")
    assert found["layouts"] == {"jenkins": "graph", "gocd": "levels"}
    (push,) = found["workflows"]
    assert [cost["layout"] for cost in push["costs"] if cost["chosen"]] == ["graph", "levels"]


def test_servers_with_other_jobs_are_shown_apart(folder: Path) -> None:
    jenkins, gocd = data(folder, "-w", "push", "--layout", "chain")["workflows"]
    assert (jenkins["servers"], gocd["servers"]) == (["jenkins"], ["gocd"])
    assert jenkins["levels"][:2] == [["get"], ["clean"]]
    assert gocd["levels"][0] == ["get-to-clean"]


def test_a_layout_that_a_workflow_can_not_have_says_why(folder: Path) -> None:
    (nightly,) = data(folder, "-w", "nightly")["workflows"]
    notes = {(cost["server"], cost["layout"]): cost["notes"] for cost in nightly["costs"]}
    (why,) = notes.pop(("gocd", "pipelines"))
    assert "starts without a commit" in why
    assert not any(notes.values())


def test_what_targets_warn_of_goes_to_standard_error(folder: Path) -> None:
    result = CliRunner().invoke(plan, [str(folder), "-w", "release"])
    assert "approval without a time-out" in flowing(result.stderr)
    assert "approval without a time-out" not in flowing(result.stdout)
    assert "approval" not in CliRunner().invoke(plan, [str(folder), "-w", "push"]).stderr


def test_fits_eighty_columns_with_long_names(folder: Path) -> None:
    name = "a-rather-long-name-of-a-stage-that-does-not-fit-into-any-column-of-a-table"
    (folder / "pipegen.yaml").write_text(
        DESCRIPTION.replace("  get:", f"  {name}:").replace("deps: [raw]", "deps: [raw, x]")
    )
    lines = shown(folder).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any(line != line.rstrip() for line in lines)
    job = "".join(line[7:33].strip() for line in lines if line.startswith(("• 1", "       ")))
    assert job.startswith(f"{name}-to-clean")


def test_names_that_a_terminal_would_obey_or_that_look_like_markup(folder: Path) -> None:
    odd = 'stages:\n  odd: {foreach: ["[bold]x[/bold]", "a\\u202eb"], do: {cmd: "true"}}\n'
    (folder / "pipegen.yaml").write_text(DESCRIPTION.replace("stages:\n", odd, 1))
    text = shown(folder, "-w", "push")
    assert "\u202e" not in text
    assert "odd@[bold]x[/bold]" in text
    assert r"odd@a\u202eb" in text


def test_colour_only_where_it_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in shown(folder)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1m" in CliRunner().invoke(plan, [str(folder)], color=True).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in CliRunner().invoke(plan, [str(folder)], color=True).stdout


@pytest.mark.parametrize(
    ("change", "options", "error", "said"),
    [
        (("", ""), ["-w", "pusch"], PlanError, r"there is no workflow 'pusch'; did you mean 'push'\?"),
        (("", ""), ["--layout", "lvls"], PlanError, r"knows the layout 'lvls'; did you mean 'levels'\?"),
        (("cmd:", "cdm:"), [], DescriptionError, "cdm"),
        (("deps: [raw]", "deps: [model]"), [], DescriptionError, "in a circle"),
    ],
)
def test_what_can_not_be_planned(
    folder: Path, change: tuple[str, str], options: list[str], error: type[Exception], said: str
) -> None:
    (folder / "pipegen.yaml").write_text(DESCRIPTION.replace(*change))
    with pytest.raises(error, match=said):
        CliRunner().invoke(plan, [str(folder), *options], catch_exceptions=False)


def test_a_description_without_workflows(tmp_path: Path) -> None:
    (tmp_path / "pipegen.yaml").write_text("name: x\nstages: {a: {cmd: 'true'}}\n")
    assert "no workflows" in shown(tmp_path)
    assert data(tmp_path)["workflows"] == []
