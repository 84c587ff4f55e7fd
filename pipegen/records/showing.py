"""From what is kept of a stage to what people see of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, get_args

from pipegen.records.events import Outcome
from pipegen.records.run_view import Counts, Metric, StageView, State
from pipegen.records.stage import StageRecord

STATES: Mapping[Outcome, State] = {
    "ran": "passed",
    "restored": "passed",
    "verified": "passed",
    "unchanged": "passed",
    "failed": "failed",
    "skipped": "skipped",
    "stopped": "cancelled",
}
"""What an outcome is in the picture."""
_MOST_METRICS = 6


def record_from_data(data: Any) -> StageRecord:
    """A stage's record out of its JSON; fields that this version doesn't know are passed over.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("stage"), str):
        raise ValueError("this is no record of a stage")
    if data.get("outcome") not in get_args(Outcome):
        raise ValueError(f"the record of {data['stage']} has the outcome {data.get('outcome')!r}")
    empty = StageRecord(stage="", outcome="ran")
    known: dict[str, Any] = {}
    for field in fields(StageRecord):
        value, usual = data.get(field.name), getattr(empty, field.name)
        value = tuple(value) if isinstance(value, list) else value
        if isinstance(value, type(usual)) or (isinstance(usual, float) and isinstance(value, int)):
            known[field.name] = value
    return StageRecord(**known)


def stage_view(record: StageRecord, wanted: Iterable[str] = ()) -> StageView:
    """How a stage looks by its record; needs, group and links are for the caller to add.

    Args:
        record: what its agent wrote.
        wanted: metrics that are shown first, as `FILE:KEY`.
    """
    tests = {word: count for word, count in record.tests.items() if isinstance(count, int)}
    return StageView(
        name=record.stage,
        state=STATES[record.outcome],
        outcome=record.outcome,
        started=record.started,
        seconds=record.seconds,
        agent=record.agent,
        attempts=record.attempts,
        message=record.message,
        tests=Counts(
            tests.get("tests", 0),
            tests.get("failures", 0) + tests.get("errors", 0),
            tests.get("skipped", 0),
        )
        if tests
        else None,
        metrics=key_metrics(record.metrics, wanted),
    )


def key_metrics(found: Mapping[str, Any], wanted: Iterable[str] = ()) -> tuple[Metric, ...]:
    """The few metrics that a picture has room for.

    Args:
        found: what metrics files hold, by path.
        wanted: those that are shown first, as `FILE:KEY`, if they are there.
    """
    values = {
        f"{path}:{name}": (name, value) for path, content in found.items() for name, value in _flat(content)
    }
    first = [name for name in wanted if name in values]
    chosen = [*dict.fromkeys([*first, *values])][:_MOST_METRICS]
    short = [values[each][0] for each in chosen]
    return tuple(
        Metric(each if short.count(name) > 1 else name, value)
        for each, (name, value) in ((each, values[each]) for each in chosen)
    )


def _flat(content: Any, before: str = "") -> Iterator[tuple[str, float | int | str | bool | None]]:
    """The values of nested mappings by dotted keys; lists and long texts are left out."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _flat(value, f"{before}.{key}" if before else str(key))
    elif (before and isinstance(content, (int, float))) or (
        before and isinstance(content, str) and len(content) <= 40
    ):
        yield before, content
