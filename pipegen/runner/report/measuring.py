"""The metrics of a run beside those of production and of earlier runs, and over groups."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipegen.description.model import Gate, Pipeline
from pipegen.description.text import Metric
from pipegen.dvc.stages import Stage
from pipegen.quality.gates import files_of
from pipegen.quality.metrics import File, Unusable, numbers, select
from pipegen.quality.rules import Baseline
from pipegen.records.report import Direction, Group, Groups, Measure

MOST_BEFORE = 20
"""Earlier runs that a sparkline shows."""
MOST = 2_000
"""Metrics of a report, those of gates first."""
_HIGHER = ("min", "max_decrease", "worst_min")
_LOWER = ("max", "max_increase", "worst_max")


def metrics_files(stages: Iterable[Stage], pipeline: Pipeline, folder: str) -> list[str]:
    """The metrics files of a pipeline: those of its gates first, then those of its stages."""
    written = [
        os.path.relpath(out.target, folder).replace(os.sep, "/")
        for stage in stages
        for out in stage.outs
        if out.kind == "metrics" and out.is_local
    ]
    return list(dict.fromkeys([*files_of(pipeline.gates.values()), *written, *map(str, pipeline.metrics)]))


def values_of(files: Mapping[str, File]) -> dict[str, float]:
    """All numbers of metrics files, by `FILE:KEY`."""
    return {
        f"{path}:{key}": number
        for path, file in files.items()
        if not file.problem
        for key, number in numbers(file.content)
    }


def measures(
    values: Mapping[str, float],
    gates: Mapping[str, Gate],
    base: Baseline | None,
    earlier: Sequence[Mapping[str, float]],
    last: Mapping[str, float] | None,
) -> Iterator[Measure]:
    """The metrics, those of gates first; what a gate judges over groups is left to `groups`.

    Args:
        values: of this run.
        gates: the description's.
        base: what they are compared with.
        earlier: the values of earlier runs, oldest first.
        last: those of the last report.
    """
    gated = {str(metric) for gate in gates.values() for metric in (gate.metric, gate.compare) if metric}
    grouped = {name.partition("*")[0] for name in gated if "*" in name}
    better = directions(gates)
    for name in sorted(values, key=lambda name: name not in gated):
        if any(name.startswith(prefix) for prefix in grouped) and name not in gated:
            continue
        before = [run[name] for run in earlier if name in run]
        yield Measure(
            name=name,
            value=values[name],
            base=_number(base.values.get(name)) if base else None,
            last=(last or {}).get(name),
            before=tuple(before[-MOST_BEFORE:]),
            better=better.get(name) or better.get(_key(name), ""),
            is_gated=name in gated,
        )


def directions(gates: Mapping[str, Gate]) -> dict[str, Direction]:
    """Which way metrics get better, as far as gates say: by `FILE:PATH`, and by last key where all agree."""
    found: dict[str, set[Direction]] = {}
    for gate in gates.values():
        higher = any(getattr(gate, word) is not None for word in _HIGHER)
        lower = any(getattr(gate, word) is not None for word in _LOWER)
        if higher != lower:
            for metric in (gate.metric, gate.compare):
                if metric:
                    for name in (str(metric), _key(str(metric))):
                        found.setdefault(name, set()).add("up" if higher else "down")
    return {name: next(iter(said)) for name, said in found.items() if len(said) == 1}


def groups(files: Mapping[str, File], gates: Mapping[str, Gate], base: Baseline | None) -> Iterator[Groups]:
    """The metrics that gates judge over groups, the worst group first."""
    better = directions(gates)
    for name, gate in gates.items():
        metric = Metric(str(gate.metric))
        file = files.get(metric.file)
        if "*" not in metric.path or file is None or file.problem:
            continue
        try:
            found = {
                key: float(value)
                for key, value in select(file.content, metric.path).items()
                if isinstance(value, (int, float)) and not isinstance(value, bool)
            }
        except (Unusable, OverflowError):
            continue
        way = better.get(str(gate.metric)) or better.get(_key(str(gate.metric)), "")
        order, keys = _worst_first(found, way)
        if keys:
            before = base.values if base else {}
            yield Groups(
                gate=name,
                metric=str(gate.metric),
                groups=tuple(
                    Group(
                        name=_group(key, metric.path),
                        value=found[key],
                        base=_number(before.get(f"{metric.file}:{key}")),
                    )
                    for key in keys
                ),
                order=order,
            )


def _worst_first(found: Mapping[str, float], better: Direction) -> tuple[str, list[str]]:
    finite = [value for value in found.values() if math.isfinite(value)]
    middle = sum(finite) / len(finite) if finite else 0.0
    order = {"up": "lowest first", "down": "highest first"}.get(better, "farthest from the mean first")

    def rank(key: str) -> tuple[bool, float, str]:
        value = found[key]
        if not math.isfinite(value):
            return (False, 0.0, key)
        return (True, {"up": value, "down": -value}.get(better, -abs(value - middle)), key)

    return order, sorted(found, key=rank)


def _group(key: str, path: str) -> str:
    """What stands for `*` in a path with one; else the whole key."""
    head, _, end = path.partition("*")
    inside = key.startswith(head) and key.endswith(end) and path.count("*") == 1
    return key[len(head) : len(key) - len(end)] if inside else key


def _key(name: str) -> str:
    """The last key of a metric: what `rmse` is here, it is there."""
    return name.rpartition(":")[2].rpartition(".")[2]


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    except OverflowError:
        return None
