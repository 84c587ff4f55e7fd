"""Declared checks: each rule on tables and models that keep and break it, and the ways in which a check is run."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipegen.description.check_words import ModelCheck, TableCheck
from pipegen.description.reading import read
from pipegen.description.source import Source
from pipegen.description.writing import to_data
from pipegen.quality import checker
from pipegen.quality.artifact_tests import ArtifactTest

SALES = """\
id,zip,price,sold,garden
1,01234,100.5,2026-01-31,true
2,01235,200,2026-02-01,false
3,01234,,2026-02-02,true
"""


class Line:
    """A model that doubles a column."""

    def predict(self, frame: Any) -> Any:
        return frame["price"].to_numpy() * 2


class Drifting(Line):
    """A model that never says the same twice."""

    count = 0

    def predict(self, frame: Any) -> Any:
        self.count += 1
        return super().predict(frame) + self.count


class Slow(Line):
    """A model that takes its time, and says what nobody can use."""

    def predict(self, frame: Any) -> Any:
        import time

        time.sleep(0.02)
        return super().predict(frame) * float("inf")


def run(
    folder: Path, check: dict[str, Any], before: dict[str, float] | None = None
) -> dict[str, tuple[Any, str]]:
    """What the checker says of each thing that it looks at: its state and message."""
    cls: Any = TableCheck if "table" in check else ModelCheck
    task = {"check": to_data(read(cls, check, Source())), "before": before or {}}
    (folder / "check.json").write_text(json.dumps(task))
    code = checker.main(str(folder / "check.json"), str(folder / "report.json"))
    report = json.loads((folder / "report.json").read_text())
    found = {case["name"]: (case["bad"], case["message"]) for case in report["cases"]}
    assert (code == 0) is all(bad in (None, "skipped") for bad, _ in found.values())
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sales.csv").write_text(SALES)
    return tmp_path


def bad(found: dict[str, tuple[Any, str]]) -> dict[str, str]:
    return {name: message for name, (state, message) in found.items() if state}


def test_a_table_as_it_should_be(here: Path) -> None:
    found = run(
        here,
        {
            "table": "sales.csv",
            "only": True,
            "unique": ["id", "zip"],
            "rows": {"min": 3, "max": 3},
            "columns": {
                "id": {"type": "whole", "unique": True, "min": 1, "max": 3},
                "zip": {"type": "text", "matches": "[0-9]{5}", "values": ["01234", "01235"]},
                "price": {"type": "number", "nulls": "34%", "min": 0.5},
                "sold": {"type": "date"},
                "garden": {"type": "flag"},
                "pool": {"required": False, "type": "flag"},
            },
        },
    )
    assert bad(found) == {}
    assert list(found) == [
        "it can be read",
        "rows: at least 3",
        "rows: at most 3",
        "id: at most 0 empty",
        "id: is whole",
        "id: at least 1",
        "id: at most 3",
        "id: unique",
        "zip: at most 0 empty",
        "zip: is text",
        "zip: one of its values",
        "zip: matches [0-9]{5}",
        "price: at most 34% empty",
        "price: is number",
        "price: at least 0.5",
        "sold: at most 0 empty",
        "sold: is date",
        "garden: at most 0 empty",
        "garden: is flag",
        "no other columns",
        "id, zip: unique together",
    ]


@pytest.mark.parametrize(
    ("check", "name", "message"),
    [
        ({"table": "none.csv"}, "it can be read", "none.csv is not there"),
        ({"table": "sales.xls"}, "it can be read", "sales.xls is no table that is known"),
        ({"rows": {"min": 4}}, "rows: at least 4", "3 rows, not at least 4"),
        ({"rows": {"max": 2}}, "rows: at most 2", "3 rows, not at most 2"),
        ({"columns": {"prize": {}}}, "prize: there", "there is no column prize; did you mean 'price'?"),
        ({"columns": {"price": {}}}, "price: at most 0 empty", "1 of 3 values are empty"),
        ({"columns": {"price": {"nulls": "33%"}}}, "price: at most 33% empty", "1 of 3 values are empty"),
        ({"columns": {"price": {"nulls": 1, "type": "whole"}}}, "price: is whole", "100.5; first in row 1"),
        ({"columns": {"sold": {"type": "number"}}}, "sold: is number", "'2026-01-31', '2026-02-01', "),
        ({"columns": {"garden": {"type": "whole"}}}, "garden: is whole", "True, False, True"),
        ({"columns": {"id": {"type": "flag"}}}, "id: is flag", "1, 2, 3; first in row 1"),
        ({"columns": {"id": {"type": "date"}}}, "id: is date", "1, 2, 3"),
        ({"columns": {"id": {"min": 2}}}, "id: at least 2", "1; first in row 1"),
        ({"columns": {"id": {"max": 2}}}, "id: at most 2", "3; first in row 3"),
        ({"columns": {"id": {"values": [1, 2]}}}, "id: one of its values", "3; first in row 3"),
        (
            {"columns": {"zip": {"type": "text", "matches": "0123"}}},
            "zip: matches 0123",
            "'01234', '01235', '01234'",
        ),
        (
            {"columns": {"zip": {"unique": True}}},
            "zip: unique",
            "1 rows stand there again, the first is 1234",
        ),
        ({"unique": ["garden"]}, "garden: unique together", "1 rows stand there again"),
        ({"unique": ["gardn"]}, "gardn: unique together", "there is no column gardn"),
        (
            {"only": True, "columns": {"id": {}}},
            "no other columns",
            "other columns: zip, price, sold, garden",
        ),
    ],
)
def test_a_table_that_is_not(here: Path, check: dict[str, Any], name: str, message: str) -> None:
    (here / "sales.xls").write_text("")
    found = bad(run(here, {"table": "sales.csv", **check}))
    assert list(found) == [name]
    assert message in found[name]


def test_rows_against_the_last_good_run(here: Path) -> None:
    check = {"table": "sales.csv", "rows": {"max_decrease": "10%", "max_increase": 1}}
    decrease, increase = (
        "rows: max decrease 10% since the last good run",
        "rows: max increase 1 since the last good run",
    )
    assert {name: state for name, (state, _) in run(here, check).items()} == {
        "it can be read": None,
        increase: "skipped",
        decrease: "skipped",
    }
    assert bad(run(here, check, {"sales.csv": 3})) == {}
    assert bad(run(here, check, {"sales.csv": 4})) == {decrease: "3 rows, 4 in the last good run"}
    assert bad(run(here, check, {"sales.csv": 1})) == {increase: "3 rows, 1 in the last good run"}


def test_an_empty_table_is_never_good(here: Path) -> None:
    (here / "sales.csv").write_text("id\n")
    assert bad(run(here, {"table": "sales.csv"})) == {"rows: at least 1": "0 rows, not at least 1"}
    (here / "sales.csv").write_text("")
    assert list(bad(run(here, {"table": "sales.csv"}))) == ["it can be read"]


def test_other_kinds_of_tables(here: Path) -> None:
    import gzip

    (here / "a.jsonl").write_text('{"id": 1, "zip": "01234"}\n')
    (here / "a.tsv").write_text("id\tzip\n1\t01234\n")
    (here / "a.csv.gz").write_bytes(gzip.compress(b"id,zip\n1,01234\n"))
    columns = {"zip": {"type": "text", "matches": "0[0-9]{4}"}, "id": {"type": "whole"}}
    for name in ("a.jsonl", "a.tsv", "a.csv.gz"):
        assert bad(run(here, {"table": name, "columns": columns})) == {}, name


def keep(folder: Path, model: Any) -> None:
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    (folder / "input.csv").write_text("id,price,answer\n1,10,20\n2,20,40\n")


def test_a_model_as_it_should_be(here: Path) -> None:
    keep(here, Line())
    check = {
        "model": "model.pkl",
        "input": "input.csv",
        "drop": ["answer"],
        "min": 20,
        "max": 40,
        "latency": 5.0,
    }
    found = run(here, check)
    assert bad(found) == {}
    assert list(found) == [
        "it can be loaded",
        "its input can be read",
        "it predicts",
        "1 value for each row",
        "finite predictions",
        "predicts at least 20",
        "predicts at most 40",
        "the same when asked again",
        "the same when loaded again",
        "answers 2 rows within 5 s",
    ]


@pytest.mark.parametrize(
    ("model", "more", "names", "message"),
    [
        (Drifting(), {}, ["the same when asked again"], "its predictions differ"),
        (Drifting(), {"deterministic": False}, [], ""),
        (
            Slow(),
            {"latency": 0.001},
            ["finite predictions", "answers 2 rows within 0.001 s"],
            "it takes 0.02",
        ),
        (Line(), {"max": 30}, ["predicts at most 30"], "it predicts 40"),
        (Line(), {"min": 30}, ["predicts at least 30"], "it predicts 20"),
        (Line(), {"outputs": 2}, ["2 values for each row"], "2 rows give predictions of shape (2,)"),
        (Line(), {"columns": ["id"]}, ["it predicts"], "KeyError: 'price'"),
        (Line(), {"drop": ["anser"]}, ["its input can be read"], "input.csv has no column anser"),
        ({"no": "model"}, {}, ["it can be loaded"], "model.pkl holds a dict, which has no method `predict`"),
    ],
)
def test_a_model_that_is_not(
    here: Path, model: Any, more: dict[str, Any], names: list[str], message: str
) -> None:
    keep(here, model)
    found = bad(run(here, {"model": "model.pkl", "input": "input.csv", **more}))
    assert list(found) == names
    assert message in "; ".join(found.values())


def test_a_file_that_is_no_model(here: Path) -> None:
    keep(here, Line())
    (here / "model.pkl").write_text("not a pickle")
    found = run(here, {"model": "model.pkl", "input": "input.csv"})
    assert found["it can be loaded"][0] == "error"


def test_an_environment_without_pandas(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is then looked at by pipegen's own interpreter; a model only by the stage's."""
    (here / "bin").mkdir()
    bare = here / "bin" / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')  # -S: without what is installed
    bare.chmod(0o755)
    env = {"PATH": f"{bare.parent}:/usr/bin:/bin"}
    table = ArtifactTest(read(TableCheck, {"table": "sales.csv", "columns": {"id": {}}}, Source()), here, 1)
    line, _ = table.prepare(env, {})
    assert subprocess.run(["/bin/sh", "-c", line], env=env, capture_output=True).returncode == 0
    (suite,) = table.reported(here, 0).suites
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("table sales.csv", "3", "0")
    keep(here, Line())
    model = ArtifactTest(read(ModelCheck, {"model": "model.pkl", "input": "input.csv"}, Source()), here, 2)
    line, _ = model.prepare(env, {})
    assert subprocess.run(["/bin/sh", "-c", line], env=env, capture_output=True).returncode == 1
    (suite,) = model.reported(here, 0).suites
    (case,) = suite.iter("failure")
    assert "pandas, numpy: not installed for" in (case.get("message") or "")
    assert sorted(path.name for path in here.glob("test-*")) == []
