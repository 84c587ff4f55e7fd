"""Runs one declared check. Stands alone: it is run by the interpreter of the stage's environment, which has pandas and
the model's libraries but not pipegen. Python 3.8 and later.

    python checker.py CHECK.json REPORT.json [--last]

The check comes as the description's words; the report has one entry for each thing that was looked at, and the facts
that a later run compares with. pipegen makes JUnit of it. Exit codes: 0 all is well, 1 something is not, 97 what it
needs is not installed for this interpreter (with `--last` no other one is tried: then that is reported).
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

LACKING = 97
LAST = "--last"
_EXAMPLES = 5
_CALLS = 5


class Bad(Exception):
    """What is not as it should be; the message says so."""


class Report:
    """What was looked at, one after the other."""

    def __init__(self) -> None:
        self.cases: list[dict[str, Any]] = []
        self.facts: dict[str, float] = {}

    def case(self, name: str, look: Callable[[], Any]) -> Any:
        """Look at one thing; what that gives, or None if it is not as it should be."""
        began = time.perf_counter()
        found: dict[str, Any] = {"name": name, "bad": None, "message": ""}
        answer = None
        try:
            answer = look()
        except Bad as error:
            found.update(bad="failure", message=str(error))
        except Exception as error:
            found.update(bad="error", message=f"{type(error).__name__}: {error}")
        found["seconds"] = round(time.perf_counter() - began, 3)
        self.cases.append(found)
        return answer

    def tell(self, name: str, is_met: bool, told: str) -> None:
        """One thing that has been looked at already; `told` is said where it is not met."""
        self.case(name, lambda: _met(is_met, told))

    def skip(self, name: str, reason: str) -> None:
        """One thing that can't be looked at yet."""
        self.cases.append({"name": name, "bad": "skipped", "message": reason, "seconds": 0.0})

    @property
    def is_good(self) -> bool:
        """Whether nothing is bad."""
        return all(case["bad"] in (None, "skipped") for case in self.cases)


# ------------------------------------------------------------------------------------------------- tables


def read_table(path: str, text_columns: list[str], rows: int | None = None) -> Any:
    """A table as pandas has it; columns of text are not taken for numbers."""
    import pandas as pd

    if not os.path.exists(path):
        raise Bad(f"{path} is not there")
    name = path
    for suffix in (".gz", ".bz2", ".xz", ".zip", ".zst"):
        name = name[: -len(suffix)] if name.endswith(suffix) else name
    if name.endswith((".parquet", ".pq")):
        frame = pd.read_parquet(path)
    elif name.endswith((".jsonl", ".ndjson")):
        frame = pd.read_json(path, lines=True, dtype=dict.fromkeys(text_columns, str) or True)
    elif name.endswith((".csv", ".tsv", ".txt")):
        separator = "\t" if name.endswith(".tsv") else ","
        return pd.read_csv(path, sep=separator, dtype=dict.fromkeys(text_columns, "string"), nrows=rows)
    else:
        raise Bad(f"{path} is no table that is known: .csv, .tsv, .parquet, .jsonl")
    return frame if rows is None else frame.head(rows)


def check_table(check: dict[str, Any], before: dict[str, float], report: Report) -> None:
    """Columns, values and rows of one table."""
    path, columns = check["table"], check.get("columns") or {}
    texts = [name for name, column in columns.items() if (column or {}).get("type") == "text"]
    frame = report.case("it can be read", lambda: read_table(path, texts))
    if frame is None:
        return
    report.facts[path] = len(frame)
    check_rows(check.get("rows") or {"min": 1}, len(frame), before.get(path), report)
    for name, column in columns.items():
        check_column(frame, name, column or {}, report)
    if check.get("only"):
        report.case("no other columns", lambda: _no_others(frame, columns))
    if check.get("unique"):
        report.case(f"{', '.join(check['unique'])}: unique together", lambda: _unique(frame, check["unique"]))


def check_rows(rule: dict[str, Any], count: int, before: float | None, report: Report) -> None:
    """The number of rows, by itself and against the last good run."""
    limit: Any
    for word, sign in (("min", 1), ("max", -1)):
        limit = rule.get(word)
        if limit is not None:
            asked = f"{'at least' if word == 'min' else 'at most'} {limit}"
            report.tell(f"rows: {asked}", sign * count >= sign * limit, f"{count} rows, not {asked}")
    for word, sign in (("max_increase", 1), ("max_decrease", -1)):
        limit = rule.get(word)
        if limit is None:
            continue
        name = f"rows: {word.replace('_', ' ')} {limit} since the last good run"
        if before is None:
            report.skip(name, f"{count} rows; no earlier run is known")
            continue
        share = float(limit[:-1]) / 100 if isinstance(limit, str) else None
        allowed = limit if share is None else share * before
        told = f"{count} rows, {before:.0f} in the last good run"
        report.tell(name, sign * (count - before) <= allowed, told)


def check_column(frame: Any, name: str, column: dict[str, Any], report: Report) -> None:
    """One column, by pandera."""
    if name not in frame.columns:
        if column.get("required", True):
            report.case(
                f"{name}: there", lambda: _fail(f"there is no column {name}{_nearest(name, frame.columns)}")
            )
        return
    nulls, empty = column.get("nulls", 0), int(frame[name].isna().sum())
    share = float(nulls[:-1]) / 100 if isinstance(nulls, str) else None
    allowed = nulls if share is None else share * len(frame)
    told = f"{empty} of {len(frame)} values are empty"
    report.tell(f"{name}: at most {_number(nulls)} empty", empty <= allowed, told)
    for rule, pandera_check in rules_of(column):
        report.case(f"{name}: {rule}", partial(_validated, frame, name, pandera_check))
    if column.get("unique"):
        report.case(f"{name}: unique", lambda: _unique(frame, [name]))


def rules_of(column: dict[str, Any]) -> Iterator[Any]:
    """What each value of a column must be, each with its name."""
    pa = pandera()
    kind = column.get("type")
    if kind:
        yield f"is {kind}", pa.Check(lambda series: _is_kind(series, kind), name=kind)
    if column.get("min") is not None:
        yield f"at least {_number(column['min'])}", pa.Check.ge(column["min"])
    if column.get("max") is not None:
        yield f"at most {_number(column['max'])}", pa.Check.le(column["max"])
    if column.get("values"):
        allowed = column["values"]
        yield "one of its values", pa.Check(lambda series: _is_among(series, allowed), name="values")
    if column.get("matches"):
        pattern = column["matches"]
        yield (
            f"matches {pattern}",
            pa.Check(
                lambda series: series.astype("string").str.fullmatch(pattern).astype(bool), name="matches"
            ),
        )


def _validated(frame: Any, name: str, check: Any) -> None:
    pa = pandera()
    schema = pa.DataFrameSchema({name: pa.Column(nullable=True, checks=[check])})
    try:
        schema.validate(frame[[name]], lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        values = list(cases["failure_case"])
        rows = [int(row) + 1 for row in cases["index"].dropna()][:_EXAMPLES]
        shown = ", ".join(repr(value)[:40] for value in values[:_EXAMPLES])
        more = f" and {len(values) - _EXAMPLES} more" if len(values) > _EXAMPLES else ""
        where = f"; first in row {rows[0]}" if rows else ""
        raise Bad(f"{shown}{more}{where}") from None


def _is_kind(series: Any, kind: str) -> Any:
    """For each value that is not empty, whether it is of a kind."""
    import pandas as pd

    types = pd.api.types
    if kind == "text":
        return series.map(lambda value: isinstance(value, str)).astype(bool)
    if kind == "flag":
        return series.map(lambda value: str(value).lower() in ("true", "false")).astype(bool)
    if kind == "date":
        dates = series if types.is_datetime64_any_dtype(series) else pd.to_datetime(series, errors="coerce")
        return dates.notna() & (not types.is_numeric_dtype(series))
    if types.is_bool_dtype(series):
        return series.map(lambda _: False).astype(bool)
    numbers = pd.to_numeric(series, errors="coerce")
    finite = numbers.notna() & (numbers.abs() != float("inf"))
    return finite if kind == "number" else finite & (numbers % 1 == 0)


def _is_among(series: Any, allowed: list[Any]) -> Any:
    """For each value whether it is one of those; a number is one whether it is written 1 or 1.0."""
    texts = {str(value) for value in allowed}
    return series.map(lambda value: value in allowed or str(value) in texts).astype(bool)


def _no_others(frame: Any, columns: dict[str, Any]) -> None:
    others = [str(name) for name in frame.columns if name not in columns]
    _met(not others, f"other columns: {', '.join(others[:20])}")


def _unique(frame: Any, names: list[str]) -> None:
    missing = [name for name in names if name not in frame.columns]
    _met(not missing, f"there is no column {', '.join(missing)}")
    again = frame.duplicated(subset=names)
    if again.any():
        first = frame.loc[again, names].iloc[0].tolist()
        raise Bad(
            f"{int(again.sum())} rows stand there again, the first is {', '.join(map(repr, first))[:100]}"
        )


def pandera() -> Any:
    """pandera with its checks for pandas."""
    with contextlib.suppress(ImportError):
        import pandera.pandas

        return pandera.pandas
    import pandera

    return pandera


# ------------------------------------------------------------------------------------------------- models


def check_model(check: dict[str, Any], report: Report) -> None:
    """A model's loadability, and what it predicts."""
    model = report.case("it can be loaded", lambda: load_model(check["model"]))
    frame = report.case("its input can be read", lambda: model_input(check))
    if model is None or frame is None:
        return
    predicted = report.case("it predicts", lambda: model.predict(frame))
    if predicted is None:
        return
    import numpy as np

    values = np.asarray(predicted)
    outputs = check.get("outputs", 1)
    shape = (len(frame),) if outputs == 1 else (len(frame), outputs)
    shapes = {shape, (len(frame), 1)} if outputs == 1 else {shape}
    name = f"{outputs} value{'' if outputs == 1 else 's'} for each row"
    told = f"{len(frame)} rows give predictions of shape {values.shape}"
    report.tell(name, values.shape in shapes, told)
    if np.issubdtype(values.dtype, np.number):
        report.tell("finite predictions", bool(np.isfinite(values).all()), _infinite(values))
    limit: Any
    for word, sign in (("min", 1), ("max", -1)):
        limit = check.get(word)
        if limit is not None:
            edge = values.min() if sign > 0 else values.max()
            asked = f"{'at least' if sign > 0 else 'at most'} {_number(limit)}"
            report.tell(f"predicts {asked}", bool(sign * edge >= sign * limit), f"it predicts {edge}")
    if check.get("deterministic", True):
        again, anew = (lambda: model), (lambda: load_model(check["model"]))
        report.case("the same when asked again", lambda: _same(values, again, frame))
        report.case("the same when loaded again", lambda: _same(values, anew, frame))
    if check.get("latency") is not None:
        limit = check["latency"]
        name = f"answers {len(frame)} rows within {_number(limit)} s"
        report.case(name, lambda: _fast_enough(model, frame, limit))


def load_model(path: str) -> Any:
    """A model as joblib or pickle wrote it."""
    if not os.path.exists(path):
        raise Bad(f"{path} is not there")
    if importlib.util.find_spec("joblib"):
        import joblib

        model = joblib.load(path)
    else:
        import pickle

        with open(path, "rb") as file:
            model = pickle.load(file)
    if not callable(getattr(model, "predict", None)):
        raise Bad(f"{path} holds a {type(model).__name__}, which has no method `predict`")
    return model


def model_input(check: dict[str, Any]) -> Any:
    """The rows that the model is tried on."""
    frame = read_table(check["input"], [], check.get("rows", 100))
    names = check.get("columns") or [name for name in frame.columns if name not in (check.get("drop") or [])]
    missing = [str(name) for name in [*names, *(check.get("drop") or [])] if name not in frame.columns]
    _met(not missing, f"{check['input']} has no column {', '.join(missing)}")
    _met(len(frame) > 0, f"{check['input']} has no rows")
    return frame[names]


def _same(values: Any, model: Callable[[], Any], frame: Any) -> None:
    import numpy as np

    again = np.asarray(model().predict(frame))
    equal = values.shape == again.shape and bool(
        (values == again).all() or np.array_equal(values, again, equal_nan=values.dtype.kind == "f")
    )
    _met(equal, "its predictions differ")


def _fast_enough(model: Any, frame: Any, limit: float) -> None:
    taken = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        model.predict(frame)
        taken.append(time.perf_counter() - began)
    median = sorted(taken)[_CALLS // 2]
    _met(median <= limit, f"it takes {median:.3g} s")


def _infinite(values: Any) -> str:
    import numpy as np

    return f"{int((~np.isfinite(values)).sum())} of {values.size} predictions are no finite numbers"


# ------------------------------------------------------------------------------------------------- common


def _met(is_met: bool, told: str) -> None:
    if not is_met:
        raise Bad(told)


def _fail(told: str) -> None:
    raise Bad(told)


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _nearest(name: str, known: Any) -> str:
    import difflib

    near = difflib.get_close_matches(name, [str(column) for column in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def lacking(check: dict[str, Any]) -> list[str]:
    """What this interpreter has not, found without importing it."""
    needed = ["pandas", "pandera"] if "table" in check else ["pandas", "numpy"]
    return [name for name in needed if importlib.util.find_spec(name) is None]


def main(check_file: str, report_file: str, last: str = "") -> int:
    """Run the check in one file, and write the report to another."""
    with open(check_file, encoding="utf-8") as file:
        task = json.load(file)
    check, before = task["check"], task["before"]
    missing = lacking(check)
    if missing and not last:
        return LACKING
    sys.path.insert(0, os.getcwd())  # what a pickle names may lie beside the description
    report = Report()
    if missing:
        where = f"not installed for {sys.executable}: name them in the requirements of `python:`"
        report.case("what it needs", lambda: _fail(f"{', '.join(missing)}: {where}"))
    elif "table" in check:
        check_table(check, before, report)
    else:
        check_model(check, report)
    with open(report_file, "w", encoding="utf-8") as file:
        json.dump({"cases": report.cases, "facts": report.facts}, file)
    for case in report.cases:
        state = "skipped" if case["bad"] == "skipped" else "FAILED" if case["bad"] else "ok"
        print(f"{state:<8}{case['name']}" + (f": {case['message']}" if case["message"] else ""))
    return 0 if report.is_good else 1


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file is pipegen's
    sys.exit(main(*sys.argv[1:]))
