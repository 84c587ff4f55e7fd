"""The conditions of a gate fit together."""

from __future__ import annotations

from collections.abc import Iterator

from pipegen.description.model import Gate, Pipeline
from pipegen.description.places import Stages, unknown
from pipegen.description.text import Metric
from pipegen.errors import Problem

_CONDITIONS = (
    "min",
    "max",
    "max_increase",
    "max_decrease",
    "max_gap",
    "max_spread",
    "worst_min",
    "worst_max",
)
_CHANGES = ("max_increase", "max_decrease")
_OF_GROUPS = ("max_spread", "worst_min", "worst_max")


def gates(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    """Each gate has a condition, and each condition what it needs."""
    for name, gate in pipeline.gates.items():
        if gate.model is not None and gate.model not in pipeline.models:
            yield unknown(
                pipeline, ("gates", name, "model"), "the model", gate.model, pipeline.models, "models"
            )
        for word, message, hint in _mistakes(gate):
            yield pipeline.source.problem(
                ("gates", name, word) if word else ("gates", name), message, hint, key=True
            )


def _mistakes(gate: Gate) -> Iterator[tuple[str, str, str]]:
    said = [word for word in _CONDITIONS if getattr(gate, word) is not None]
    if not said:
        yield "", "the gate has no condition", f"one of: {', '.join(_CONDITIONS)}"
    changes = [word for word in said if word in _CHANGES]
    if changes and gate.against is None:
        yield (
            changes[0],
            f"{changes[0]!r} needs something to compare with",
            "add `against: production`, `last` or `branch:NAME`",
        )
    if gate.against is not None and not changes:
        yield "against", "'against' needs a condition", "add `max_increase` or `max_decrease`"
    if gate.model is not None and gate.against != "production":
        yield "model", "'model' goes with `against: production`", ""
    if gate.max_gap is not None and gate.compare is None:
        yield "max_gap", "'max_gap' needs a second metric", "add `compare: FILE:PATH`"
    if gate.compare is not None and gate.max_gap is None:
        yield "compare", "'compare' needs a condition", "add `max_gap`"
    if gate.compare is not None and (gate.compare == gate.metric or "*" in gate.compare):
        yield "compare", f"{str(gate.compare)!r} is no second metric: one other value is expected", ""
    grouped = "*" in Metric(gate.metric).path
    for word in said:
        if grouped and word not in _OF_GROUPS:
            hint = (
                f"did you mean 'worst_{word}'?"
                if word in ("min", "max")
                else f"with `*`: {', '.join(_OF_GROUPS)}"
            )
            yield word, f"{word!r} is about one value, but the metric's `*` stands for several", hint
        if not grouped and word in _OF_GROUPS:
            yield (
                word,
                f"{word!r} is about groups, but the metric has no `*`",
                "write `*` for the key of the group",
            )
    for low, high in (("min", "max"), ("worst_min", "worst_max")):
        least, most = getattr(gate, low), getattr(gate, high)
        if least is not None and most is not None and least > most:
            yield low, f"{low!r} is above {high!r}: no value meets both", ""
