"""Tracked runs for a terminal of 100 columns: a list of them, one with all that is kept of it, two side by side."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipegen.records import StageRecord
from pipegen.records.tracked import Data, TrackedRun
from pipegen.registry.differences import Difference, Kind, without_result
from pipegen.runner.progress import duration
from pipegen.views.plain import count, plain

WIDTH = 100
SHORT = 8
"""Digits of a run's id, of a commit and of a hash that are shown; a run is found by at least four of its own."""
_MOST_NAME = 44
_MOST_VALUE = 24
_COLOURS = {"passed": "green", "failed": "red", "cancelled": "yellow"}

Style = Callable[[str, str], str]
"""Gives a text a colour."""


def _unstyled(text: str, _: str) -> str:
    return text


# ---------------------------------------------------------------------------------------------- many


def run_list(runs: Sequence[TrackedRun], wanted: Iterable[str] = (), style: Style = _unstyled) -> str:
    """One line for each run, with the metrics that fit, and its hypothesis below it.

    Args:
        runs: the newest first.
        wanted: metrics that are shown first, as `FILE:KEY`.
        style: colours a text, where colour is wanted.
    """
    rows = [_cells(run) for run in runs]
    heads = ["run", "started", "took", "result", "workflow", "commit"]
    widths = [max(len(head), *(len(row[i]) for row in rows)) for i, head in enumerate(heads)]
    metrics = _columns(runs, wanted, WIDTH - sum(widths) - 2 * len(widths))
    head = [f"{head:<{width}}" for head, width in zip(heads, widths, strict=True)]
    head += [f"{column.head:>{column.width}}" for column in metrics]
    lines = [style("  ".join(head).rstrip(), "bright_black")]
    for run, row in zip(runs, rows, strict=True):
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        cells[3] = style(cells[3], _COLOURS.get(run.state, "cyan"))
        cells += [f"{column.cell(run):>{column.width}}" for column in metrics]
        lines.append("  ".join(cells).rstrip())
        if run.hypothesis:
            lines.append(style(" " * (SHORT + 2) + _cut(run.hypothesis, WIDTH - SHORT - 2), "bright_black"))
    return "\n".join(lines)


def _cells(run: TrackedRun) -> list[str]:
    workflow = "here" if run.is_local else ", ".join(run.workflows)
    return [
        run.id[:SHORT],
        _when(run),
        duration(run.seconds) if run.seconds is not None else "",
        run.state,
        _cut(workflow, 14),
        run.commit[:SHORT],
    ]


class _Column:
    """A metric of a list."""

    def __init__(self, name: str, head: str, runs: Sequence[TrackedRun]) -> None:
        self._name, self.head = name, _cut(head, 16)
        self.width = max(len(self.head), *(len(self.cell(run)) for run in runs))

    def cell(self, run: TrackedRun) -> str:
        value = run.metrics.get(self._name)
        return _number(value, 4) if _is_number(value) else ""


def _columns(runs: Sequence[TrackedRun], wanted: Iterable[str], room: int) -> list[_Column]:
    """The metrics that fit: those that are wanted, then those that most of the runs have."""
    counts = Counter(name for run in runs for name, value in run.metrics.items() if _is_number(value))
    names = [*(name for name in dict.fromkeys(wanted) if name in counts)]
    names += [name for name, _ in counts.most_common() if name not in names]
    short = Counter(_key(name) for name in names)
    found: list[_Column] = []
    for name in names:
        column = _Column(name, _key(name) if short[_key(name)] == 1 else name.rpartition("/")[2], runs)
        room -= column.width + 2
        if room < 0:
            break
        found.append(column)
    return found


# ---------------------------------------------------------------------------------------------- one


def run_page(run: TrackedRun, style: Style = _unstyled) -> str:
    """All that is kept of a run.

    Args:
        run: the run.
        style: colours a text, where colour is wanted.
    """
    head = f"{plain(run.experiment)}, run {run.id}: {style(run.state, _COLOURS.get(run.state, 'cyan'))}"
    parts = [[head], _facts(run), _stage_rows(run, style)]
    fixed = run.values
    parts.append(
        _section("parameters", run.params, style, lambda name: "  set for this run" if name in fixed else "")
    )
    parts.append(_section("metrics", run.metrics, style))
    parts.append(_data_rows(run.data, style))
    parts.append(_command_rows(run.commands, style))
    parts.append(_package_rows(run.packages, style))
    return "\n\n".join("\n".join(part) for part in parts if part)


def _facts(run: TrackedRun) -> list[str]:
    took = f", took {duration(run.seconds)}" if run.seconds is not None else ""
    facts = {
        "started": _when(run) + took,
        "workflow": "on this machine, for no server" if run.is_local else ", ".join(run.workflows),
        "commit": run.commit[:SHORT] + (f" on {run.branch}" if run.branch else ""),
        "user": run.user,
        "source": run.source,
        "build": run.url,
        "agents": ", ".join(run.agents),
        "hypothesis": run.hypothesis,
        "tags": ", ".join(f"{key}={value}" for key, value in sorted(run.tags.items())),
    }
    return [line for name, text in facts.items() if text for line in _wrapped(f"{name:<12}", text)]


def _stage_rows(run: TrackedRun, style: Style) -> list[str]:
    rows = [
        (_cut(each.stage, _MOST_NAME), each.outcome, duration(each.seconds), _tests(each))
        for each in run.stages
    ]
    heads = ("stage", "result", "took", "tests")
    lines = _table(heads, rows, style)
    problems = [(each.stage, each.message) for each in run.stages if each.message]
    return [*lines, *(line for name, text in problems for line in _wrapped("  ", f"{name}: {text}"))]


def _tests(record: StageRecord) -> str:
    counts = {word: number for word, number in record.tests.items() if isinstance(number, int)}
    bad = counts.get("failures", 0) + counts.get("errors", 0)
    return f"{counts.get('tests', 0)}, {bad} failed" if counts else ""


def _section(
    title: str, values: Mapping[str, Any], style: Style, beside: Callable[[str], str] = lambda _: ""
) -> list[str]:
    if not values:
        return []
    names = {name: _cut(name, _MOST_NAME) for name in sorted(values)}
    width = max(map(len, names.values()))
    room = WIDTH - width - 4
    return [
        style(title, "bright_black"),
        *(
            f"  {short:<{width}}  {_cut(_text(values[n]), room - len(beside(n)))}{beside(n)}"
            for n, short in names.items()
        ),
    ]


def _data_rows(data: Mapping[str, Data], style: Style) -> list[str]:
    rows = [
        (each.role, _cut(path, 60), each.hash[:SHORT], _size(each.size))
        for path, each in sorted(data.items(), key=lambda item: (item[1].role == "made", item[0]))
    ]
    return _table(("data", "", "", ""), rows, style, indent="  ") if rows else []


def _command_rows(commands: Mapping[str, str], style: Style) -> list[str]:
    lines = [
        line
        for stage, text in sorted(commands.items())
        for line in _wrapped(f"  {plain(stage)}: ", text, hang=6)
    ]
    return [style("commands", "bright_black"), *lines] if lines else []


def _package_rows(packages: Mapping[str, str], style: Style) -> list[str]:
    text = ", ".join(f"{name} {version}" for name, version in packages.items())
    return [style("packages", "bright_black"), *_wrapped("  ", text, most=40)] if text else []


# ---------------------------------------------------------------------------------------------- two


_TITLES: Mapping[Kind, str] = {
    "parameters": "parameters",
    "commands": "commands",
    "data": "data",
    "metrics": "metrics",
    "packages": "packages",
}


def comparison(
    one: TrackedRun, other: TrackedRun, found: Sequence[Difference], style: Style = _unstyled
) -> str:
    """What two runs have not alike.

    Args:
        one: the first.
        other: the second.
        found: how they differ.
        style: colours a text, where colour is wanted.
    """
    blocks = ["\n".join(_named(sign, run, style) for sign, run in (("-", one), ("+", other)))]
    unknown = without_result(one, other)
    if unknown:
        blocks.append(
            "\n".join(
                _wrapped("", f"left out, since one of the runs has no result of it: {', '.join(unknown)}")
            )
        )
    if not found:
        same = "parameters, commands, data, metrics and packages"
        blocks.append(f"no difference in {same}" if not unknown else f"no other difference in {same}")
    for kind, title in _TITLES.items():
        lines = list(_differences([each for each in found if each.kind == kind], style))
        if lines:
            blocks.append("\n".join([style(title, "bright_black"), *lines]))
    return "\n\n".join(blocks)


def _named(sign: str, run: TrackedRun, style: Style) -> str:
    cells = [f"{sign} {run.id[:SHORT]}", _when(run), run.state, run.commit[:SHORT]]
    line = "  ".join(cell for cell in cells if cell)
    return style(_cut(f"{line}  {run.hypothesis}".rstrip(), WIDTH), "red" if sign == "-" else "green")


def _differences(found: Sequence[Difference], style: Style) -> Iterator[str]:
    """Short values in columns; of what is longer, each side has a line of its own."""
    found = sorted(found, key=lambda each: (each.is_made, each.name))
    rows = [(each, _side(each, each.one), _side(each, each.other)) for each in found]
    short = [
        row for row in rows if max(len(row[1]), len(row[2])) <= _MOST_VALUE and "\n" not in row[1] + row[2]
    ]
    if short:
        name = max(len(_cut(row[0].name, _MOST_NAME)) for row in short)
        left, right = max(len(row[1]) for row in short), max(len(row[2]) for row in short)
        for each, one, other in short:
            beside = _beside(each)
            line = f"  {_cut(each.name, _MOST_NAME):<{name}}  {one:<{left}}  {other:<{right}}  {beside}"
            yield line.rstrip()
    for each, one, other in (row for row in rows if row not in short):
        yield f"  {_cut(each.name, WIDTH - 2)}"
        yield from (style(line, "red") for line in _wrapped("    - ", one))
        yield from (style(line, "green") for line in _wrapped("    + ", other))


def _side(difference: Difference, value: Any) -> str:
    if value is None:
        return "none"
    if difference.kind == "data":
        return f"{value['hash'][:SHORT] or 'no hash'} {_size(value['size'])}".strip()
    return _text(value)


def _beside(difference: Difference) -> str:
    if difference.kind == "data":
        return "made by the run" if difference.is_made else "read"
    change = difference.change
    if difference.kind != "metrics" or change is None or not math.isfinite(change):
        return ""
    share = f" ({change / abs(difference.one):+.1%})" if difference.one else ""
    return f"{change:+.4g}{share}"


# ---------------------------------------------------------------------------------------------- words


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], style: Style, indent: str = "") -> list[str]:
    rows = [[plain(cell) for cell in row] for row in rows]
    widths = [max(len(head), *(len(row[i]) for row in rows)) for i, head in enumerate(heads)]
    line = "  ".join(f"{head:<{width}}" for head, width in zip(heads, widths, strict=True))
    return [
        style(line.rstrip(), "bright_black"),
        *(
            (indent + "  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True))).rstrip()
            for row in rows
        ),
    ]


def _wrapped(head: str, text: str, *, most: int = 12, hang: int | None = None) -> list[str]:
    """A text behind a head, on several lines where it is long."""
    indent = " " * (len(head) if hang is None else hang)
    lines = [
        line
        for number, part in enumerate(text.splitlines() or [""])
        for line in textwrap.wrap(
            plain(part),
            WIDTH,
            initial_indent=indent if number else head,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
        or [indent]
    ]
    return (
        lines if len(lines) <= most else [*lines[:most], f"{indent}… {count(len(lines) - most, 'more line')}"]
    )


def _when(run: TrackedRun) -> str:
    return run.began.astimezone().strftime("%Y-%m-%d %H:%M") if run.began else ""


def _key(name: str) -> str:
    """`rmse` of `metrics/best.json:models.best.rmse`."""
    return name.rpartition(":")[2].rpartition(".")[2]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any, digits: int) -> str:
    """A number with so many significant digits, and with all digits before its point where these are few enough."""
    if isinstance(value, int) and abs(value) < 10**12:
        return str(value)
    try:
        number = float(value)
    except OverflowError:
        return "huge"
    return f"{number:.0f}" if 10**digits <= abs(number) < 10**9 else f"{number:.{digits}g}"


def _text(value: Any) -> str:
    """A value for people, on one line."""
    if _is_number(value):
        return _number(value, 10)
    if isinstance(value, str):
        return value or '""'
    import json

    return plain(json.dumps(value, ensure_ascii=False, default=str))


def _size(size: int | None) -> str:
    if size is None:
        return ""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size} B"


def _cut(text: str, most: int) -> str:
    text = plain(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
