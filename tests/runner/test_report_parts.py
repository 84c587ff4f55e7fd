"""The parts of a report, by cases worked out by hand: changes, metrics, groups, plots, the next step."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipegen.description.load import loads
from pipegen.description.model import Gate, Pipeline
from pipegen.description.text import Metric, Percent
from pipegen.dvc.errors import RemoteError
from pipegen.dvc.stages import pipeline_stage
from pipegen.quality.metrics import File
from pipegen.quality.rules import Baseline
from pipegen.records import GateResult, GateRun, StageView
from pipegen.records.report import Change, Plot, Reported, Series, TestsOf
from pipegen.runner.agent.masking import Masker
from pipegen.runner.report import changes, measuring, next_step, plots
from pipegen.runner.report.keeping import KeptReports
from pipegen.runner.report.taming import tamed

FOLDER = Path("/w")
STAGES = {
    name: pipeline_stage(name, "/w/dvc.yaml", name, words)
    for name, words in {
        "get": {"cmd": "get", "deps": ["src.py"], "outs": ["raw.csv"], "metrics": ["rows.json"]},
        "fit": {"cmd": "fit", "wdir": "deep", "deps": ["../raw.csv", "fit.py"], "outs": ["model"]},
    }.items()
}


def entries(**more: Any) -> dict[str, Any]:
    """What the lock file says of both stages."""
    get = {
        "cmd": "get",
        "params": {"params.yaml": {"a": {"b": 1}, "list": [1, 2]}},
        "deps": [{"path": "src.py", "md5": "1", "size": 100}],
        "outs": [
            {"path": "raw.csv", "md5": "2", "size": 1_200_000},
            {"path": "rows.json", "md5": "3", "size": 9},
        ],
    }
    fit = {
        "cmd": ["fit", "tidy"],
        "deps": [{"path": "../raw.csv", "md5": "2", "size": 5}, {"path": "fit.py", "md5": "4", "size": 7}],
        "outs": [{"path": "model", "md5": "5", "size": 8}],
    }
    return changes.plain_entries({"get": {**get, **more}, "fit": fit}, STAGES, FOLDER)


def test_changes_are_those_of_what_comes_from_outside() -> None:
    before = entries()
    assert before["fit"]["deps"] == {"deep/fit.py": ["4", 7]} and before["fit"]["outs"] == {}
    now = entries(
        cmd="get --all",
        params={"params.yaml": {"a": {"b": 2}}, "other.yaml": {"c": "x"}},
        outs=[
            {"path": "raw.csv", "md5": "9", "size": 1_300_000},
            {"path": "rows.json", "md5": "8", "size": 9},
        ],
    )
    found = changes.changes(FOLDER, "then", "", before, now)
    assert found.data == (Change(name="raw.csv", before="1.2 MB", now="1.3 MB"),)
    assert found.params == (
        Change(name="other.yaml:c", before="not there", now="x"),
        Change(name="params.yaml:a.b", before="1", now="2"),
        Change(name="params.yaml:list", before="[1, 2]", now="not there"),
    )
    assert found.commands == (Change(name="get", before="get", now="get --all"),)
    assert found.why_not == "The commits since then can't be told: git has no commit of it here."
    del now["fit"]
    assert changes.changes(FOLDER, "then", "", before, now).commands[0] == Change(
        name="fit", before="fit; tidy", now="not there"
    )
    none = changes.changes(FOLDER, "then", "", None, now)
    assert none.why_not.endswith("no lock file of then is known.") and none.is_empty


GATES = {
    "good": Gate(metric=Metric("m.json:r2"), min=0.5),
    "low": Gate(metric=Metric("m.json:rmse"), max=9.0),
    "fair": Gate(metric=Metric("z.json:*.rmse"), max_spread=Percent("25%")),
    "odd": Gate(metric=Metric("z.json:*.n"), max_spread=1.0),
}


def test_metrics_stand_beside_the_base_and_earlier_runs() -> None:
    files = {
        "m.json": File({"rmse": 5, "r2": 0.7, "deep": {"er": float("nan")}, "flag": True, "word": "x"}),
        "z.json": File({"a": {"rmse": 1, "n": 4}}),
        "gone.json": File(problem="is not there"),
    }
    values = measuring.values_of(files)
    assert list(values) == ["m.json:rmse", "m.json:r2", "m.json:deep.er", "z.json:a.rmse", "z.json:a.n"]
    base = Baseline("production", {"m.json:r2": 0.6, "m.json:rmse": "no number"})
    earlier = [{"m.json:r2": 0.1}, {}, {"m.json:r2": 0.2}]
    found = list(measuring.measures(values, GATES, base, earlier, {"m.json:rmse": 6.0}))
    assert [(m.name, m.base, m.last, m.before, m.better, m.is_gated) for m in found[:2]] == [
        ("m.json:rmse", None, 6.0, (), "down", True),
        ("m.json:r2", 0.6, None, (0.1, 0.2), "up", True),
    ]
    assert [m.name for m in found[2:]] == ["m.json:deep.er"]  # groups are shown as such


def test_groups_come_worst_first() -> None:
    files = {
        "z.json": File(
            {name: {"rmse": v, "n": v} for name, v in {"a": 2, "b": 9, "c": float("nan"), "d": 5}.items()}
        )
    }
    fair, odd = measuring.groups(files, GATES, Baseline("production", {"z.json:a.rmse": 1}))
    assert ([g.name for g in fair.groups], fair.order) == (["c", "b", "d", "a"], "highest first")
    assert next(g for g in fair.groups if g.name == "a").base == 1.0
    assert ([g.name for g in odd.groups], odd.order) == (["c", "b", "a", "d"], "farthest from the mean first")
    up = {"fair": replace(GATES["fair"], worst_min=1.0)}
    assert [g.name for g in next(measuring.groups(files, up, None)).groups] == ["c", "a", "d", "b"]


# ------------------------------------------------------------------------------------------------- plots


def drawn(name: str, text: str | bytes, **words: Any) -> Plot:
    data = text.encode() if isinstance(text, str) else text
    return plots.plot(plots.Asked("A plot", name, words), lambda path: data)


def points(plot: Plot) -> list[Series]:
    assert plot.chart is not None, plot.says
    return list(plot.chart.series)


def test_data_is_drawn_by_dvc_s_words() -> None:
    csv = "step,acc,loss\n1,0.5,3\n2,0.6,2\n3,,1\n"
    assert points(drawn("l.csv", csv)) == [Series(name="loss", points=((0, 3), (1, 2), (2, 1)))]
    assert points(drawn("l.csv", csv, x="step", y="acc")) == [Series(name="acc", points=((1, 0.5), (2, 0.6)))]
    assert [
        each.name for each in points(drawn("l.tsv", csv.replace(",", "\t"), x="step", y=["acc", "loss"]))
    ] == [
        "acc",
        "loss",
    ]
    rows = [{"x": 1, "y": 2}, {"x": 3, "y": 4}]
    for name, text in (("l.json", json.dumps({"run": {"rows": rows}})), ("l.yaml", json.dumps(rows))):
        assert points(drawn(name, text, x="x", y="y", template="scatter")) == [
            Series(name="y", points=((1, 2), (3, 4)))
        ]
    bars = drawn("b.csv", "name,n\none,3\ntwo,5\n", x="n", y="name", template="bar_horizontal")
    assert bars.chart is not None and bars.chart.labels == ("one", "two")
    assert points(bars)[0].points == ((3, 0), (5, 1))
    zips = drawn("z.csv", "zip,n\n10115,3\n10437,5\n", x="n", y="zip", template="bar_horizontal_sorted")
    assert zips.chart is not None and zips.chart.labels == ("10115", "10437")
    assert points(zips)[0].points == ((5, 1), (3, 0))
    many = drawn("m.csv", "y\n" + "".join(f"{n}\n" for n in range(5000)))
    assert len(points(many)[0].points) <= plots.MOST_POINTS


@pytest.mark.parametrize(
    ("name", "data", "words", "says"),
    [
        ("x.bin", "", {}, "no kind of plot that a report can show"),
        ("x.csv", "a,b\n", {}, "no numbers to draw"),
        ("x.csv", b"a\n\xff\n", {}, "can't be read"),
        ("x.csv", "a\nnan\ninf\n1e200\n", {}, "no numbers to draw"),
        ("x.json", "{", {}, "can't be read"),
        ("x.json", "[" * 100_000, {}, "can't be read"),
        ("x.json", "[1, 2]", {}, "holds no list of rows"),
        ("x.yaml", "a: *b", {}, "can't be read"),
        ("x.csv", "a\n1\n", {"template": "confusion"}, "'confusion' are drawn by `dvc plots show`"),
        ("x.csv", "a\n" + "1\n" * 1_100_000, {}, "too much to draw"),
        ("x.png", b"<script>", {}, "no PNG picture"),
        ("x.png", b"\x89PNG\r\n\x1a\n" + b"0" * 1_100_000, {}, "too large for a report"),
    ],
)
def test_what_can_t_be_drawn_is_a_sentence(
    name: str, data: str | bytes, words: dict[str, Any], says: str
) -> None:
    found = drawn(name, data, **words)
    assert found.chart is None and not found.picture
    assert says in found.says


def test_plots_that_are_not_there() -> None:
    def away(path: str) -> bytes:
        raise RemoteError("was not fetched")

    found = plots.plot(plots.Asked("A", "a.csv"), away)
    assert found.says == "It can't be shown: a.csv was not fetched."
    stage = pipeline_stage(
        "s", "/w/dvc.yaml", "s", {"cmd": "x", "plots": [{"p.csv": {"title": "T"}}, "q.png"]}
    )
    top = ["r.csv", {"both": {"x": "step", "y": {"a.csv": ["l", "m"], "b.csv": "n"}}}]
    asked = list(plots.asked_of([stage], top, FOLDER))
    assert [(each.title, each.path) for each in asked] == [
        ("T", "p.csv"),
        ("q.png", "q.png"),
        ("r.csv", "r.csv"),
        ("both", "a.csv"),
    ]
    assert asked[-1].sources == (("a.csv", "l"), ("a.csv", "m"), ("b.csv", "n"))
    drawn = plots.plot(asked[-1], lambda path: b"step,l,m,n\n1,2,3,4\n")
    assert [(each.name, each.points) for each in points(drawn)] == [
        ("l", ((1, 2),)),
        ("m", ((1, 3),)),
        ("n", ((1, 4),)),
    ]


# ------------------------------------------------------------------------------------------------- the next step

PIPELINE: Pipeline = loads("""\
name: p
stages: {s: {cmd: x, outs: [m]}}
models: {m: {path: m}}
people: {leads: {jenkins: [leads]}}
workflows:
  plain: {on: manual}
  moves: {on: manual, promote: {model: m, to: staging}}
  asks: {on: manual, promote: {model: m, to: staging}, approve: {by: leads}}
""")


def gates(**verdicts: Any) -> GateRun:
    found = tuple(GateResult(gate=name, verdict=v, metric="a:b") for name, v in verdicts.items())
    return GateRun(at="", passed=True, gates=found)


@pytest.mark.parametrize(
    ("said", "pull", "workflow", "mood", "headline", "step"),
    [
        (gates(a="passed"), "", "plain", "good", "all gates passed", "Nothing to do."),
        (gates(a="passed"), "7", "plain", "good", "all gates passed", "Review the change and merge it."),
        (gates(a="passed"), "", "moves", "good", "all gates passed", "Nothing to do: m goes on to staging."),
        (
            gates(a="passed"),
            "",
            "asks",
            "good",
            "all gates passed",
            "Nothing to do: m goes on to staging, once leads agree.",
        ),
        (gates(a="new"), "", "plain", "good", "the gates have nothing to compare with yet", "Nothing to do."),
        (gates(a="new", b="passed"), "", "plain", "good", "all gates passed that could be compared", "Nothing to do."),
        (gates(a="warned"), "7", "plain", "look", "a is red but let through", "Look at a; review the change"),
        (gates(a="waived", b="warned"), "", "plain", "look", "a and b are red but let through", "Look at a and b; n"),
        (gates(a="failed", b="passed"), "7", "plain", "bad", "the gate a failed", "Don't merge yet: look at the gate"),
        (gates(a="failed", b="failed"), "", "plain", "bad", "the gates a and b failed", "Look at the gates a and b: i"),
        (None, "", "plain", "bad", "the gates were not judged", "Find out why the gates were not judged."),
    ],
)  # fmt: skip
def test_the_next_step(
    said: GateRun | None, pull: str, workflow: str, mood: str, headline: str, step: str
) -> None:
    described = {str(name): each for name, each in PIPELINE.workflows.items()}[workflow]
    found = next_step.verdict([], [], said, gates_are_missing=said is None, pull=pull, workflow=described)
    assert found[:2] == (mood, headline)
    assert found[2].startswith(step)


def test_what_failed_comes_first() -> None:
    failed = [StageView(name=name, state="failed") for name in "abcde"]
    tests = [TestsOf(stage="t", total=2, failed=1)]
    args = {"gates_are_missing": False, "pull": "", "workflow": None}
    assert next_step.verdict(failed, tests, gates(g="failed"), **args) == (  # type: ignore[arg-type]
        "bad",
        "a, b, c and 2 more failed",
        "Look at a, b, c and 2 more. Their logs say why.",
    )
    assert next_step.verdict([], tests, gates(g="failed"), **args)[1:] == (  # type: ignore[arg-type]
        "tests of t failed",
        "Look at the tests of t.",
    )


# ------------------------------------------------------------------------------------------------- what is kept


def test_reports_are_kept_without_secrets_and_without_what_nobody_reads(tmp_path: Path) -> None:
    masker = Masker(["hunter2"])
    made = Reported(
        at="2026-11-23T06:00:00.000+00:00",
        passed=True,
        workflow="nightly",
        commit="c" * 40,
        values={"m.json:hunter2": 1.0, "x" * 1_000_000: 2.0},
        entries={"train": {"cmd": "x --key hunter2", "deps": {"d": ["1", 5]}}},
    )
    kept = tamed(made, masker)
    path = KeptReports("p", tmp_path, None).add(kept, push=False)
    assert "hunter2" not in path.read_text() and path.stat().st_size < 3000
    (found,) = KeptReports("p", tmp_path, None).newest_first("nightly")
    assert found == kept and found.entries["train"] == {"cmd": "x --key ****", "deps": {"d": ["1", 5]}}


def test_no_half_of_a_secret_is_left_where_a_text_is_cut() -> None:
    secret = "k3y" * 300
    assert tamed(secret * 4, Masker([secret])) == "*" * 16


def test_what_is_no_report_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / ".pipegen" / "reports" / "nightly"
    folder.mkdir(parents=True)
    for data in (
        {"at": "x"},
        {"at": "x", "passed": True, "values": {"a": "b"}},
        {"at": "x", "passed": True, "entries": 1},
        [],
    ):
        text = json.dumps(data)
        (folder / f"1-c-passed-{hashlib.sha256(text.encode()).hexdigest()}.json").write_text(text)
    assert list(KeptReports("p", tmp_path, None).newest_first("nightly")) == []
