"""Schedules that have not fired: when each should have, and whether a run of its workflow is known since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from itertools import islice

from pipegen.description.cron import FIELDS, Field, Schedule
from pipegen.description.model import On, Pipeline, Workflow
from pipegen.description.text import seconds
from pipegen.dvc.run_records import RunRecords
from pipegen.plan.build import WHOLE_RUN
from pipegen.runner.doctor.findings import Finding
from pipegen.runner.gates.keeping import KeptGates

_FARTHEST = 1500
"""Days that are looked back for the last time a schedule fired: one on 29 February is found too."""
_RECORDS = 50
"""The newest run records that are read to learn of which workflow they are."""


def schedules(
    pipeline: Pipeline, kept: KeptGates, records: RunRecords | None, now: datetime
) -> Iterator[Finding]:
    """A finding for each workflow with a schedule.

    Args:
        pipeline: the description.
        kept: results of gates.
        records: run records; None where there is no remote that can list them.
        now: the present time, with its zone.
    """
    last_by_record: Mapping[str, datetime] | None = None
    for name, workflow in pipeline.workflows.items():
        if not isinstance(workflow.on, On) or workflow.on.schedule is None:
            continue
        expected = last_due(str(pipeline.name), workflow, now)
        if expected is None:
            continue
        if last_by_record is None:
            last_by_record = _by_record(str(pipeline.name), records)
        by_gates = next((datetime.fromisoformat(run.at) for run in kept.newest_first(name)), None)
        known = [at for at in (by_gates, last_by_record.get(name)) if at is not None]
        yield _finding(name, expected, max(known, default=None), now)


def _finding(name: str, due: datetime, last: datetime | None, now: datetime) -> Finding:
    topic, due_said = f"schedule of {name}", _said(due, now)
    if last is None:
        hint = "look whether the server has it; only runs whose records are on the DVC remote are known here"
        return Finding(topic, "unknown", f"no run is known; one was due on {due_said}", hint)
    last_said = _said(last.astimezone(due.tzinfo), now)
    if last < due:
        hint = "look at the server: is the job enabled, are its agents there?"
        message = f"it has not fired: one was due on {due_said}, the last run is of {last_said}"
        return Finding(topic, "stale", message, hint)
    return Finding(topic, "fresh", f"the last run is of {last_said}")


def _said(moment: datetime, now: datetime) -> str:
    """`2026-11-20 06:00 CET, 3 days ago`, in the zone that the moment has."""
    hours = (now - moment).total_seconds() / 3600
    days = round(hours / 24)
    ago = f"{hours:.0f} h ago" if hours < 48 else f"{days} days ago"
    return f"{moment:%Y-%m-%d %H:%M %Z}, {ago}"


def last_due(pipeline: str, workflow: Workflow, now: datetime) -> datetime | None:
    """When a run should last have begun that has had time to end; None where the schedule never fires.

    A minute or hour that `H` chooses differs between servers: then the beginning of that day counts.
    """
    assert isinstance(workflow.on, On) and workflow.on.schedule is not None
    text = workflow.on.schedule
    schedule = Schedule.parse(text).settled(pipeline)
    zone = _zone(workflow.on.timezone)
    latest = (now - timedelta(seconds=seconds(workflow.timeout or WHOLE_RUN))).astimezone(zone)
    minutes, hours, days, months, weekdays = (
        _numbers(word, field) for word, field in zip(schedule.fields, FIELDS, strict=True)
    )
    for back in range(_FARTHEST):
        day = (latest - timedelta(days=back)).date()
        if not _is_on(day, days, months, weekdays):
            continue
        moments = (datetime.combine(day, time(hour, minute), zone) for hour in hours for minute in minutes)
        due = max((moment for moment in moments if moment <= latest), default=None)
        if due is not None:
            return datetime.combine(day, time(), zone) if "H" in text else due
    return None


def _is_on(day: date, days: set[int], months: set[int], weekdays: set[int]) -> bool:
    return day.day in days and day.month in months and day.isoweekday() % 7 in weekdays


def _numbers(word: str, field: Field) -> set[int]:
    """The numbers that a field without `H` stands for."""
    found: set[int] = set()
    for part in word.split(","):
        base, _, step = part.partition("/")
        low, _, high = base.partition("-")
        first = field.low if base == "*" else int(low)
        last = field.high if base == "*" else int(high or low)
        found |= set(range(first, last + 1, int(step or 1)))
    return {number % 7 for number in found} if field.name == "day of week" else found


def _zone(name: str | None) -> tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(str(name)) if name else datetime.now(timezone.utc).astimezone().tzinfo or timezone.utc


def _by_record(pipeline: str, records: RunRecords | None) -> dict[str, datetime]:
    """For each workflow the last run that left a record, as far as the newest records tell."""
    if records is None:
        return {}
    newest = list(islice(records.newest_first(pipeline), _RECORDS))
    found: dict[str, datetime] = {}
    for kept, content in zip(newest, records.read(newest), strict=True):
        for name in json.loads(content).get("workflows") or ():
            found.setdefault(str(name), kept.began)
    return found
