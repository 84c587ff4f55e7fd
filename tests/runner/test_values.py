"""The values that a run fixes at its start."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from pipegen.description.model import Input, On, Workflow
from pipegen.description.text import Cron, EnvName, Parameter, TimeZone
from pipegen.dvc.errors import StageError
from pipegen.dvc.set_params import set_params
from pipegen.errors import FileError, PipegenError
from pipegen.runner.values import Values, fix

LATE = datetime(2026, 11, 30, 23, 30, tzinfo=timezone.utc)


def workflow(inputs: dict[str, Input] | None = None, **set_: Any) -> Workflow:
    on = On(schedule=Cron("0 6 * * *"), timezone=TimeZone("Europe/Paris"))
    return Workflow(
        on=on,
        set={Parameter(name.replace("__", ".")): value for name, value in set_.items()},
        inputs={EnvName(name): asked for name, asked in (inputs or {}).items()},
    )


def test_dates_are_those_of_the_schedules_zone() -> None:
    fixed = fix("nightly", workflow(ingest__month="{date:%Y-%m}", name="a {date:%d} b", n=3), {}, LATE)
    assert fixed.set == {
        "params.yaml:ingest.month": "2026-12",
        "params.yaml:name": "a 01 b",
        "params.yaml:n": 3,
    }
    assert fixed.at == "2026-12-01T00:30:00+01:00"


@pytest.mark.parametrize(
    ("default", "text", "value"),
    [
        (0.1, "", 0.1),
        (0.1, "  ", 0.1),
        (0.1, "0.25", 0.25),
        (0.1, "1e-3", 0.001),
        (5, "7", 7),
        (True, "no", False),
        (False, "TRUE", True),
        ("x", "$(touch hit)", "$(touch hit)"),
    ],
)
def test_inputs(default: Any, text: str, value: Any) -> None:
    asked = Input(sets=Parameter("train.alpha"), default=default)
    found = fix("try", workflow({"alpha": asked}), {"alpha": text}).set["params.yaml:train.alpha"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("default", "choices", "text", "said"),
    [
        (0.1, [], "fast", "a number is expected"),
        (0.1, [], "nan", "a finite number is expected"),
        (True, [], "maybe", "true or false is expected"),
        ("a", ["a", "b"], "c", "none of a, b"),
    ],
)
def test_inputs_that_are_refused(default: Any, choices: list[Any], text: str, said: str) -> None:
    asked = Input(sets=Parameter("p"), default=default, choices=choices)
    with pytest.raises(PipegenError, match=said):
        fix("try", workflow({"alpha": asked}), {"alpha": text})


def test_the_stamp_is_of_the_values_alone() -> None:
    one = fix("nightly", workflow(month="{date:%Y-%m}"), {}, LATE)
    later = fix("nightly", workflow(month="{date:%Y-%m}"), {}, LATE.replace(minute=40))
    assert one.at != later.at
    assert one.stamp == later.stamp
    assert one.stamp != fix("nightly", workflow(month="{date:%Y}"), {}, LATE).stamp


def test_read_back(tmp_path: Path) -> None:
    fixed = fix("nightly", workflow(month="{date:%Y-%m}", rate=0.5), {}, LATE)
    fixed.write(tmp_path / "deep" / "values.json")
    assert Values.read(tmp_path / "deep" / "values.json") == fixed
    assert Values.read(tmp_path / "none.json") is None
    (tmp_path / "bad.json").write_text("[]")
    with pytest.raises(FileError, match="is no file of a run's values"):
        Values.read(tmp_path / "bad.json")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "p.yaml",
            "# kept\na:\n  b: 1  # so is this\nc: [1, 2]\n",
            "# kept\na:\n  b: 5  # so is this\nc: [1, 2]\n",
        ),
        ("p.json", '{"a": {"b": 1}}', '{"a": {"b": 5}}'),
        ("p.toml", "[a]\nb = 1 # kept\n", "[a]\nb = 5 # kept\n"),
    ],
)
def test_parameters_are_set_in_place(tmp_path: Path, name: str, before: str, after: str) -> None:
    (tmp_path / name).write_text(before)
    assert set_params(tmp_path, {f"{name}:a.b": 5}) == [name]
    assert (tmp_path / name).read_text() == after
    mark = (tmp_path / name).stat().st_mtime_ns
    assert set_params(tmp_path, {f"{name}:a.b": 5}) == []
    assert (tmp_path / name).stat().st_mtime_ns == mark


def test_parameters_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("a: {b: 1}\n")
    with pytest.raises(StageError, match=r"params.yaml has no parameter 'a.c'"):
        set_params(tmp_path, {"params.yaml:a.c": 1})
    with pytest.raises(StageError, match=r"there is no other.yaml"):
        set_params(tmp_path, {"other.yaml:a": 1})
    assert (tmp_path / "params.yaml").read_text() == "a: {b: 1}\n"
