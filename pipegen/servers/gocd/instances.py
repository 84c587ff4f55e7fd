"""What GoCD says of a run, read: pipeline instances, their stages and jobs, and what state all that means.

A stage's own `result` is no verdict while its jobs work: it says Failed as soon as one job has failed. A stage is done
when all its jobs are Completed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pipegen.plan.deployment import Definition
from pipegen.records.run_view import State
from pipegen.servers.gocd.form import JSON

_WORKING: Mapping[str, State] = {
    "Scheduled": "queued",
    "Assigned": "queued",
    "Preparing": "running",
    "Building": "running",
    "Completing": "running",
}
_ENDED: Mapping[str, State] = {"Passed": "passed", "Failed": "failed", "Cancelled": "cancelled"}


class Attempt(NamedTuple):
    """One run of a stage, by the four names under which GoCD finds it."""

    pipeline: str
    counter: int
    stage: str
    number: int


def job_state(job: Mapping[str, Any]) -> State:
    """The state of a job, in a pipeline instance or a stage instance."""
    if job["state"] == "Completed":
        return _ENDED.get(job.get("result", ""), "failed")
    return _WORKING.get(job["state"], "queued")


def has_begun(stage: Mapping[str, Any]) -> bool:
    """Whether a stage of an instance was started; one that wasn't has no jobs."""
    return bool(stage["scheduled"] and stage["jobs"])


def is_active(stage: Mapping[str, Any]) -> bool:
    """Whether a job of a stage still works or waits."""
    return any(job["state"] != "Completed" for job in stage["jobs"])


def stage_state(stage: Mapping[str, Any]) -> State:
    """The state of a stage that has begun."""
    states = [job_state(job) for job in stage["jobs"]]
    if is_active(stage):
        return "queued" if set(states) == {"queued"} else "running"
    for state in ("cancelled", "failed"):
        if state in states:
            return state
    return "passed"


def instance_state(instance: Mapping[str, Any], manual: Mapping[str, str]) -> State:
    """The state of a run.

    Args:
        instance: from the history or by its counter.
        manual: the stages that wait for a person, as `manual_stages` finds them.
    """
    begun = [stage for stage in instance["stages"] if has_begun(stage)]
    active = [stage for stage in begun if is_active(stage)]
    if active:
        alone = len(begun) == len(active)
        return "queued" if alone and all(stage_state(s) == "queued" for s in active) else "running"
    states = [stage_state(stage) for stage in begun]
    for state in ("cancelled", "failed"):
        if state in states:
            return state
    following = next_stage(instance)
    if following is None:
        return "passed" if begun else "queued"
    return "approval" if following.lower() in manual else "running"


def states(found: Iterable[tuple[Definition, JSON | None]]) -> list[State]:
    """The states of the pipelines of one run, in order. One that has not begun counts as running if all that it needs
    passed, since it begins some seconds later; else it never will, and is left out."""
    by_name: dict[str, State] = {}
    for definition, instance in found:
        if instance is not None:
            by_name[definition.name.lower()] = instance_state(instance, manual_stages(definition))
        elif all(by_name.get(name) in ("passed", "running") for name in needed(definition)):
            by_name[definition.name.lower()] = "running"
    return list(by_name.values())


def needed(definition: Definition) -> list[str]:
    """The pipelines, in lower case, that a pipeline depends on."""
    materials = json.loads(definition.text)["pipeline"]["materials"]
    return [str(m["attributes"]["pipeline"]).lower() for m in materials if m["type"] == "dependency"]


def next_stage(instance: Mapping[str, Any]) -> str | None:
    """The first stage that has not begun after those that have; None where all have."""
    left = [stage["name"] for stage in instance["stages"] if not has_begun(stage)]
    return left[0] if left else None


def asks(definition: Definition, instance: Mapping[str, Any]) -> str | None:
    """The stage that waits for a person; None where none does."""
    waits = instance_state(instance, manual_stages(definition)) == "approval"
    return next_stage(instance) if waits else None


def manual_stages(definition: Definition) -> Mapping[str, str]:
    """The stages, in lower case, that a person starts, with who may. A run's first stage starts with the run."""
    found = {}
    for stage in json.loads(definition.text)["pipeline"]["stages"][1:]:
        approval = stage.get("approval") or {}
        if approval.get("type") == "manual":
            allowed = approval.get("authorization") or {}
            found[stage["name"].lower()] = ", ".join([*allowed.get("roles", ()), *allowed.get("users", ())])
    return found


def revision(instance: Mapping[str, Any]) -> str:
    """The commit of the first git material."""
    for material in instance["build_cause"]["material_revisions"]:
        if material["material"]["type"] == "Git" and material["modifications"]:
            return str(material["modifications"][0]["revision"])
    return ""


def upstream(instance: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The runs of other pipelines that an instance was made of: their names, in lower case, and counters."""
    for material in instance["build_cause"]["material_revisions"]:
        if material["material"]["type"] == "Pipeline" and material["modifications"]:
            name, counter, *_ = material["modifications"][0]["revision"].split("/")
            yield name.lower(), int(counter)


def seconds(milliseconds: float | None) -> float | None:
    """GoCD's times in runs are milliseconds since 1970."""
    return None if milliseconds is None else milliseconds / 1000


def moment(text: str) -> float:
    """GoCD's other times are ISO 8601; as seconds since 1970."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def transition(job: Mapping[str, Any], *states: str) -> float | None:
    """When a job first reached one of these states, in seconds since 1970."""
    times = [t["state_change_time"] for t in job["job_state_transitions"] if t["state"] in states]
    return seconds(min(times)) if times else None


def said_of(messages: Iterable[JSON], name: str, since: float) -> Iterator[JSON]:
    """The server's health messages that name a pipeline or job and are not older than `since`."""
    word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
    for message in messages:
        if moment(message["time"]) >= since and word.search(f"{message['message']}\n{message['detail']}"):
            yield message


def plain(message: JSON) -> str:
    """A health message in one line, without its links."""
    text = re.sub(r"<[^>]*>", "", message["detail"] or message["message"])
    return " ".join(text.split())
