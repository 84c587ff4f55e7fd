"""Tracked runs for a terminal of 100 columns: a list of them, and one with all that is kept of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pipegen.records import StageRecord
from pipegen.records.tracked import Data, TrackedRun
from pipegen.runner.progress import duration
from pipegen.views.run_words import (
    COLOURS,
    MOST_NAME,
    SHORT,
    WIDTH,
    Style,
    cut,
    filled,
    is_number,
    number_text,
    short_key,
    size_text,
    table,
    unstyled,
    value_text,
    when,
    wrapped,
)

# ---------------------------------------------------------------------------------------------- many


def run_list(runs: Sequence[TrackedRun], wanted: Iterable[str] = (), style: Style = unstyled) -> str:
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
        cells[3] = style(cells[3], COLOURS.get(run.state, "cyan"))
        cells += [f"{column.cell(run):>{column.width}}" for column in metrics]
        lines.append("  ".join(cells).rstrip())
        if run.hypothesis:
            lines.append(style(" " * (SHORT + 2) + cut(run.hypothesis, WIDTH - SHORT - 2), "bright_black"))
    return "\n".join(lines)


def _cells(run: TrackedRun) -> list[str]:
    workflow = "local" if run.is_local else ", ".join(run.workflows)
    return [
        run.id[:SHORT],
        when(run),
        duration(run.seconds) if run.seconds is not None else "",
        run.state,
        cut(workflow, 14),
        cut(run.commit[:SHORT], SHORT),
    ]


class _Column:
    """A metric of a list."""

    def __init__(self, name: str, head: str, runs: Sequence[TrackedRun]) -> None:
        self._name, self.head = name, cut(head, 16)
        self.width = max(len(self.head), *(len(self.cell(run)) for run in runs))

    def cell(self, run: TrackedRun) -> str:
        value = run.metrics.get(self._name)
        return number_text(value, 4) if is_number(value) else ""


def _columns(runs: Sequence[TrackedRun], wanted: Iterable[str], room: int) -> list[_Column]:
    """The metrics that fit: those that are wanted; where no run has one of these, those that most runs have."""
    counts = Counter(name for run in runs for name, value in run.metrics.items() if is_number(value))
    names = [name for name in dict.fromkeys(wanted) if name in counts]
    names = names or [name for name, _ in counts.most_common()]
    short = Counter(short_key(name) for name in names)
    found: list[_Column] = []
    for name in names:
        column = _Column(
            name, short_key(name) if short[short_key(name)] == 1 else name.rpartition("/")[2], runs
        )
        room -= column.width + 2
        if room < 0:
            break
        found.append(column)
    return found


# ---------------------------------------------------------------------------------------------- one


def run_page(run: TrackedRun, style: Style = unstyled) -> str:
    """All that is kept of a run.

    Args:
        run: the run.
        style: colours a text, where colour is wanted.
    """
    head = f"{cut(run.experiment, 60)}, run {run.id}: {style(run.state, COLOURS.get(run.state, 'cyan'))}"
    parts = [[head], _facts(run), _stage_rows(run, style)]
    parts.append(_parameter_rows(run, style))
    parts.append(_metric_rows(run, style))
    parts.append(_data_rows(run.data, style))
    parts.append(_command_rows(run.commands, style))
    parts.append(_package_rows(run.packages, style))
    return "\n\n".join("\n".join(part) for part in parts if part)


def _facts(run: TrackedRun) -> list[str]:
    took = f", took {duration(run.seconds)}" if run.seconds is not None else ""
    facts = {
        "started": when(run) + took,
        "workflow": "none, run by hand" if run.is_local else ", ".join(run.workflows),
        "commit": run.commit[:SHORT] + (f" on {run.branch}" if run.branch else ""),
        "user": run.user,
        "source": run.source,
        "build": run.url,
        "agents": ", ".join(run.agents),
        "hypothesis": run.hypothesis,
        "tags": ", ".join(f"{key}={value}" for key, value in sorted(run.tags.items())),
    }
    return [line for name, text in facts.items() if text for line in wrapped(f"{name:<12}", text)]


def _stage_rows(run: TrackedRun, style: Style) -> list[str]:
    rows = [
        (cut(each.stage, MOST_NAME), each.outcome, duration(each.seconds), _tests(each))
        for each in run.stages
    ]
    heads = ("stage", "result", "took", "tests")
    lines = table(heads, rows, style)
    problems = [(each.stage, each.message) for each in run.stages if each.message]
    return [*lines, *(line for name, text in problems for line in wrapped("  ", f"{name}: {text}"))]


def _tests(record: StageRecord) -> str:
    counts = {word: number for word, number in record.tests.items() if isinstance(number, int)}
    bad = counts.get("failures", 0) + counts.get("errors", 0)
    return f"{counts.get('tests', 0)}, {bad} failed" if counts else ""


def _parameter_rows(run: TrackedRun, style: Style) -> list[str]:
    names = {name: cut(name, MOST_NAME) for name in sorted(run.params)}
    width = max(map(len, names.values()), default=0)
    lines = []
    for name, shown in names.items():
        mark = "  set for this run" if name in run.values else ""
        lines.append(
            f"  {shown:<{width}}  {cut(value_text(run.params[name]), WIDTH - width - 4 - len(mark))}{mark}"
        )
    return [style("parameters", "bright_black"), *lines] if lines else []


def _metric_rows(run: TrackedRun, style: Style) -> list[str]:
    """Those of one file side by side."""
    files: dict[str, list[str]] = {}
    for name, value in sorted(run.metrics.items()):
        file, _, key = name.partition(":")
        files.setdefault(file, []).append(f"{key} {value_text(value)}".lstrip())
    lines = [line for file, values in files.items() for line in filled(f"  {cut(file, MOST_NAME)}: ", values)]
    return [style("metrics", "bright_black"), *lines] if lines else []


def _data_rows(data: Mapping[str, Data], style: Style) -> list[str]:
    rows = [
        (each.role, cut(path, 60), cut(each.hash[:SHORT], SHORT), size_text(each.size))
        for path, each in sorted(data.items(), key=lambda item: (item[1].role == "made", item[0]))
    ]
    return table(("data", "", "", ""), rows, style, indent="  ") if rows else []


def _command_rows(commands: Mapping[str, str], style: Style) -> list[str]:
    lines = [
        line
        for stage, text in sorted(commands.items())
        for line in wrapped(f"  {cut(stage, MOST_NAME)}: ", text, hang=6)
    ]
    return [style("commands", "bright_black"), *lines] if lines else []


def _package_rows(packages: Mapping[str, str], style: Style) -> list[str]:
    lines = filled("  ", [f"{name} {version}" for name, version in packages.items()], indent="  ")
    return [style("packages", "bright_black"), *lines] if packages else []
