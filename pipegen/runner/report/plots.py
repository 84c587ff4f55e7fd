"""DVC's plots: which there are, and what is to be drawn of each.

Words and defaults are DVC's (`dvc.yaml` reference, "plots"): `template`, `x`, `y`, `title`; a line over the rows where
nothing else is said, `y` the last column.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipegen.dvc.errors import RemoteError, StageError
from pipegen.dvc.metric_files import BadMetrics, parse_metrics
from pipegen.dvc.stages import Stage
from pipegen.records.report import Chart, Plot, Series

MOST_PLOTS = 60
MOST_PICTURE = 1024 * 1024
"""Bytes of a picture that the page holds."""
MOST_DATA = 2 * 1024 * 1024
"""Bytes of data that are drawn."""
MOST_POINTS = 600
"""Points of one series that are drawn; of more, every second, third … one."""
_MOST_SERIES = 8
_LARGEST = 1e150
"""What is larger, infinite, or no number at all is not drawn."""
_PICTURES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".svg": "svg+xml"}
_MAGIC = {"png": (b"\x89PNG\r\n\x1a\n",), "jpeg": (b"\xff\xd8\xff",), "gif": (b"GIF87a", b"GIF89a")}
_SHAPES: dict[str, Literal["line", "scatter", "bar"]] = {
    "linear": "line",
    "simple": "line",
    "smooth": "line",
    "scatter": "scatter",
    "scatter_jitter": "scatter",
    "bar_horizontal": "bar",
    "bar_horizontal_sorted": "bar",
}


@dataclass(frozen=True)
class Asked:
    """A plot that a description asks for."""

    title: str
    path: str
    """From the description's folder."""
    words: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[tuple[str, str], ...] = ()
    """Files and columns of `y`, where it names several; empty for the file itself."""


class _Unfit(Exception):
    """It can't be drawn; the message is a sentence."""


def asked_of(
    stages: Iterable[Stage], top: Iterable[str | Mapping[str, Any]], folder: Path
) -> Iterator[Asked]:
    """The plots of stages, then those at top level.

    Args:
        stages: as DVC has them.
        top: `plots` at top level.
        folder: the description's.
    """
    import os

    for stage in stages:
        words = {str(path): said for path, said in _named(stage.definition.get("plots") or ())}
        for out in stage.outs:
            if out.kind == "plots" and out.is_local:
                said = words.get(out.path) or {}
                path = os.path.relpath(out.target, folder).replace(os.sep, "/")
                yield Asked(str(said.get("title") or path), path, said)
    for name, said in _named(top):
        y = said.get("y")
        sources = tuple(
            (str(file), str(column))
            for file, columns in (y.items() if isinstance(y, Mapping) else ())
            for column in (columns if isinstance(columns, list) else [columns])
        )
        path = sources[0][0] if sources else str(name)
        yield Asked(str(said.get("title") or name), path, said, sources)


def _named(items: Iterable[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for item in items:
        if isinstance(item, Mapping):
            for name, said in item.items():
                yield str(name), said if isinstance(said, Mapping) else {}
        else:
            yield str(item), {}


def plot(asked: Asked, content: Callable[[str], bytes]) -> Plot:
    """One plot as it is to be shown; a sentence where it can't be.

    Args:
        asked: the plot.
        content: what a file of this run holds. May raise StageError or RemoteError.
    """
    kind = _PICTURES.get(Path(asked.path).suffix.lower(), "")
    try:
        if kind:
            return Plot(
                title=asked.title, path=asked.path, picture=_picture(content(asked.path), kind), kind=kind
            )
        return Plot(title=asked.title, path=asked.path, chart=_chart(asked, content))
    except _Unfit as unfit:
        return Plot(title=asked.title, path=asked.path, says=str(unfit))
    except (StageError, RemoteError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.message
        return Plot(title=asked.title, path=asked.path, says=f"It can't be shown: {asked.path} {reason}.")


def _picture(data: bytes, kind: str) -> bytes:
    if len(data) > MOST_PICTURE:
        raise _Unfit(f"It is {len(data) / 1e6:.1f} MB, too large for a report.")
    if kind in _MAGIC and not data.startswith(_MAGIC[kind]):
        raise _Unfit(f"It is no {kind.upper()} picture, though its name says so.")
    return data


# ---------------------------------------------------------------------------------------------- data


def _chart(asked: Asked, content: Callable[[str], bytes]) -> Chart:
    template = str(asked.words.get("template") or "linear")
    if template not in _SHAPES:
        raise _Unfit(f"Plots with the template {template!r} are drawn by `dvc plots show`.")
    shape = _SHAPES[template]
    read: dict[str, list[Mapping[str, Any]]] = {}

    def rows(path: str) -> list[Mapping[str, Any]]:
        if path not in read:
            read[path] = _rows(path, content(path))
        return read[path]

    labels: dict[str, int] = {}
    series: list[Series] = []
    wanted = asked.sources or [(asked.path, y) for y in _ys(asked.words.get("y"), rows(asked.path))]
    for path, y in wanted[:_MOST_SERIES]:
        x = _x_of(asked.words.get("x"), path)
        if shape == "bar":
            found = _lengths(rows(path), x, y, labels)
            found = sorted(found, reverse=True) if template.endswith("_sorted") else found
        else:
            found = _points(rows(path), x, y, labels)
        series.append(Series(name=y, points=tuple(found)))
    if not any(each.points for each in series):
        raise _Unfit("There are no numbers to draw.")
    x_label = asked.words.get("x_label") or (
        asked.words.get("x") if isinstance(asked.words.get("x"), str) else ""
    )
    y_label = asked.words.get("y_label") or (wanted[0][1] if len(wanted) == 1 else "")
    return Chart(
        shape=shape, x=str(x_label or ""), y=str(y_label or ""), series=tuple(series), labels=tuple(labels)
    )


def _x_of(x: Any, path: str) -> str:
    """The column of `x`; empty for the rows' order."""
    if isinstance(x, Mapping):
        x = x.get(path) or next(iter(x.values()), "")
    return str(x) if x else ""


def _ys(y: Any, rows: list[Mapping[str, Any]]) -> list[str]:
    if isinstance(y, list):
        return [str(each) for each in y]
    if y and not isinstance(y, Mapping):
        return [str(y)]
    return [str(list(rows[0])[-1])] if rows and rows[0] else []


def _lengths(
    rows: list[Mapping[str, Any]], x: str, y: str, labels: dict[str, int]
) -> list[tuple[float, float]]:
    """Of bars: the number of `x`, and the place of what `y` says in words, a number as well as a name."""
    found: list[tuple[float, float]] = []
    for index, row in enumerate(rows[:MOST_POINTS]):
        number = _place(row.get(x), {}) if x else float(index)
        if number is not None and not _is_word(row.get(x) if x else index):
            found.append((number, float(labels.setdefault(str(row.get(y, "")), len(labels)))))
    return found


def _points(
    rows: list[Mapping[str, Any]], x: str, y: str, labels: dict[str, int]
) -> list[tuple[float, float]]:
    """Pairs of numbers; what is a word on one side is numbered by `labels`."""
    step = max(1, math.ceil(len(rows) / MOST_POINTS))
    found: list[tuple[float, float]] = []
    for index in range(0, len(rows), step):
        one, other = (
            float(index) if not column else _place(rows[index].get(column), labels) for column in (x, y)
        )
        if one is not None and other is not None:
            found.append((one, other))
    return found


def _place(value: Any, labels: dict[str, int]) -> float | None:
    if isinstance(value, bool) or value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return float(labels.setdefault(str(value), len(labels)))
    return number if abs(number) <= _LARGEST else None


def _is_word(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return True
    return False


def _rows(path: str, data: bytes) -> list[Mapping[str, Any]]:
    if len(data) > MOST_DATA:
        raise _Unfit(f"Its data, {len(data) / 1e6:.1f} MB, is too much to draw in a report.")
    suffix = Path(path).suffix.lower()
    if suffix in (".csv", ".tsv"):
        try:
            text = data.decode("utf-8-sig")
            return list(csv.DictReader(io.StringIO(text), delimiter="\t" if suffix == ".tsv" else ","))
        except (UnicodeDecodeError, csv.Error) as error:
            raise _Unfit(f"Its data can't be read: {error}.") from None
    if suffix not in (".json", ".yaml", ".yml"):
        raise _Unfit("It is no kind of plot that a report can show.")
    try:
        found = json.loads(data) if suffix == ".json" else parse_metrics(data, Path(path).name)
    except BadMetrics as error:
        raise _Unfit(f"Its data {error}.") from None
    except (ValueError, RecursionError) as error:
        raise _Unfit(f"Its data can't be read: {error}.") from None
    rows = _list_in(found)
    if rows is None:
        raise _Unfit("Its data holds no list of rows.")
    return rows


def _list_in(data: Any, depth: int = 0) -> list[Mapping[str, Any]] | None:
    """The first list of mappings, as DVC looks for it."""
    if isinstance(data, list) and data and all(isinstance(row, Mapping) for row in data):
        return list(data)
    if isinstance(data, Mapping) and depth < 10:
        for value in data.values():
            found = _list_in(value, depth + 1)
            if found is not None:
                return found
    return None
