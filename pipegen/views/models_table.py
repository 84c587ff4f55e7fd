"""Versions of models for a terminal of 100 columns, and as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

from pipegen.registry import notes
from pipegen.registry.history import History, Version
from pipegen.views.plain import count, plain

WIDTH = 100
_HEADS = ("model", "version", "in", "made", "by", "from")
_MOST, _MOST_NAME = 24, 14
"""Characters of a cell, and of a person's name."""

Style = Callable[[str, str], str]


def models_table(histories: Sequence[History], last: int, style: Style = lambda text, _: text) -> str:
    """One line for each version, its metrics at the end as far as they fit.

    Args:
        histories: of each model.
        last: so many versions of each, and all that are in an environment.
        style: colours a text, where colour is wanted.
    """
    rows: list[tuple[tuple[str, ...], str]] = []
    hidden = 0
    for history in histories:
        shown = _shown(history, last)
        hidden += len(history.versions) - len(shown)
        rows += [(_cells(history, version), _metrics(version)) for version in shown]
    if not rows:
        return "no model is registered yet: `pipegen register MODEL`"
    widths = [max(map(len, column)) for column in zip(_HEADS, *(cells for cells, _ in rows), strict=True)]
    lines = [style(f"{_line(_HEADS, widths)}  metrics", "bright_black")]
    for cells, metrics in rows:
        line = f"{_line(cells, widths)}  {metrics}"
        lines.append(line.rstrip() if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…")
    if hidden:
        lines.append(style(f"{count(hidden, 'older version')} not shown: --last", "bright_black"))
    return "\n".join(lines)


def as_data(history: History) -> dict[str, Any]:
    """A model for `--json`."""
    return {
        "model": history.model,
        "environments": {
            name: service.version.name
            for name in history.environments
            if (service := history.serving(name)) is not None
        },
        "versions": [_version_data(history, version) for version in reversed(history.versions.values())],
        "promotions": [
            {
                "environment": tag.environment,
                "commit": tag.commit,
                "tag": tag.name,
                "at": _iso(tag.time),
                "by": tag.by,
                "says": tag.notes.says,
                "approved_by": tag.notes.get(notes.APPROVED),
                "without_gates": tag.notes.get(notes.WITHOUT_GATES),
                "takes_back": tag.notes.get(notes.TAKES_BACK),
                "rolls_back": tag.notes.get(notes.ROLLS_BACK),
                "reason": tag.notes.get(notes.REASON),
            }
            for tag in history.tags
            if tag.environment
        ],
    }


def _version_data(history: History, version: Version) -> dict[str, Any]:
    said = version.notes
    return {
        "version": version.name,
        "tag": version.tag.name,
        "commit": version.commit,
        "built": version.built,
        "at": _iso(version.tag.time),
        "by": version.tag.by,
        "workflow": said.get(notes.WORKFLOW),
        "url": said.get(notes.BUILD),
        "environments": _environments(history, version),
        "set": dict(row.split(" = ", 1) for row in said.all(notes.SET) if " = " in row),
        "metrics": dict(_pairs(version)),
    }


def _environments(history: History, version: Version) -> list[str]:
    return [
        name
        for name in history.environments
        if (service := history.serving(name)) is not None and service.version == version
    ]


def _shown(history: History, last: int) -> list[Version]:
    newest = list(reversed(history.versions.values()))
    return [
        version for place, version in enumerate(newest) if place < last or _environments(history, version)
    ]


def _cells(history: History, version: Version) -> tuple[str, ...]:
    made = datetime.fromtimestamp(version.tag.time, timezone.utc).strftime("%Y-%m-%d %H:%M")
    cells = (
        history.model,
        version.name,
        ", ".join(_environments(history, version)),
        made,
        _short(version.tag.by, _MOST_NAME),
        version.built[:10],
    )
    return tuple(_short(cell) for cell in cells)


def _pairs(version: Version) -> list[tuple[str, float]]:
    found = []
    for row in version.notes.all(notes.METRIC):
        name, _, value = row.rpartition(" = ")
        try:
            found.append((name, float(value)))
        except ValueError:
            continue
    return found


def _metrics(version: Version) -> str:
    return ", ".join(f"{plain(name.rpartition(':')[2])} {value:.4g}" for name, value in _pairs(version))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))


def _short(text: str, most: int = _MOST) -> str:
    text = plain(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="seconds")
