"""A pipeline in the one form in which two are compared, and the difference between what is there and what is wanted.

GoCD answers with every key, defaults filled in; the generated definitions leave some out. The defaults are those that a
server gave to the smallest pipeline it takes. What is empty is left out, so that a key that a newer server adds is no
difference.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

JSON = dict[str, Any]

_APPROVAL: JSON = {"type": "success", "authorization": {}}
_PIPELINE: JSON = {"label_template": "${COUNT}", "lock_behavior": "none"}
_STAGE: JSON = {"fetch_materials": True, "approval": {}}
_MATERIALS: Mapping[str, JSON] = {
    "git": {"auto_update": True, "branch": "master"},
    "dependency": {"auto_update": True},
}
_SAID = ("_links", "origin", "errors")
"""What the server says about an object, beside what it is."""


def canonical(pipeline: Mapping[str, Any]) -> JSON:
    """A pipeline with all defaults, without what is empty, and without what the server says about it."""
    found = _filled(pipeline, _PIPELINE)
    found["environment_variables"] = _variables(found)
    found["materials"] = [_material(material) for material in found.get("materials") or ()]
    found["stages"] = [_stage(stage) for stage in found.get("stages") or ()]
    kept: JSON = _kept(found)
    return kept


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two pipelines mean the same to the server."""
    return canonical(one) == canonical(other)


def difference(there: Mapping[str, Any], wanted: Mapping[str, Any], name: str) -> str:
    """A unified diff of two pipelines, with a line for each value and its place: `train/lasso timeout: 50`."""
    before, after = (list(_leaves(canonical(pipeline), "")) for pipeline in (there, wanted))
    return _unified(before, after, name, context=0)


def text_difference(there: str, wanted: str, name: str) -> str:
    """A unified diff from what the server has to what it shall have."""
    return _unified(there.splitlines(), wanted.splitlines(), name, context=3)


def _unified(before: list[str], after: list[str], name: str, context: int) -> str:
    names = (f"{name} (on the server)", f"{name} (wanted)")
    return "".join(
        f"{line}\n" for line in difflib.unified_diff(before, after, *names, lineterm="", n=context)
    )


def _leaves(value: Any, place: str) -> Iterator[str]:
    """A line for each value; stages and jobs are known by their names, other things by their keys."""
    if isinstance(value, dict):
        for key in sorted(value):
            inner = place if key in ("stages", "jobs", "attributes") else f"{place} {key}"
            yield from _leaves(value[key], inner)
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        for number, each in enumerate(value, 1):
            yield from _leaves(_unnamed(each), _place(each, number, place))
    else:
        text = ", ".join(map(_word, value)) if isinstance(value, list) else _word(value)
        yield f"{place.strip()}: {text}"


def _place(item: Mapping[str, Any], number: int, place: str) -> str:
    if "jobs" in item or "tasks" in item:
        return f"{place}/{item['name']}" if place else str(item["name"])
    return f"{place} {item.get('name', number)}"


def _unnamed(item: Mapping[str, Any]) -> JSON:
    """Without the name, which its place has; a variable that is nothing but one keeps its value."""
    return {key: each for key, each in item.items() if key != "name"} or {"value": ""}


def _word(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() else repr(text)


def outline(pipeline: Mapping[str, Any], sign: str) -> str:
    """A pipeline that is to come or to go, in a few lines: what starts it, and which jobs run on what."""
    lines = [f"group {pipeline.get('group', '')}"]
    for material in pipeline.get("materials") or ():
        attributes = material["attributes"]
        if material["type"] == "git":
            lines.append(f"git {attributes.get('url', '')}, branch {attributes.get('branch', '')}")
        elif material["type"] == "dependency":
            lines.append(f"after {attributes['pipeline']}/{attributes['stage']}")
    if pipeline.get("timer"):
        lines.append(f"timer {pipeline['timer']['spec']}")
    for stage in pipeline.get("stages") or ():
        by_hand = " (by hand)" if (stage.get("approval") or {}).get("type") == "manual" else ""
        lines.append(f"stage {stage['name']}{by_hand}: {', '.join(map(_job_outline, stage['jobs']))}")
    return "".join(f"{sign} {line}\n" for line in lines)


def _job_outline(job: Mapping[str, Any]) -> str:
    machine = job.get("elastic_profile_id") or " and ".join(job.get("resources") or ())
    return f"{job['name']} on {machine}" if machine else str(job["name"])


def as_yaml(value: Mapping[str, Any]) -> str:
    """Plain data as people read it, names first."""
    import yaml

    text: str = yaml.dump(_names_first(value), sort_keys=False, allow_unicode=True, width=100)
    return text


def _names_first(value: Any) -> Any:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (key not in ("name", "id", "type"), key))
        return {key: _names_first(value[key]) for key in keys}
    return [_names_first(each) for each in value] if isinstance(value, list) else value


def _filled(value: Mapping[str, Any], defaults: Mapping[str, Any]) -> JSON:
    return {**defaults, **{key: each for key, each in value.items() if key not in _SAID}}


def _kept(value: Any) -> Any:
    """Without keys that say nothing; items of a list all stay."""
    if isinstance(value, dict):
        inner = {key: _kept(each) for key, each in value.items() if key not in _SAID}
        return {key: each for key, each in inner.items() if each not in (None, False, "", [], {})}
    return [_kept(each) for each in value] if isinstance(value, list) else value


def _variables(holder: Mapping[str, Any]) -> list[JSON]:
    """In one order: theirs means nothing, and a file has them as a map."""
    return sorted(holder.get("environment_variables") or (), key=lambda variable: str(variable["name"]))


def _material(material: Mapping[str, Any]) -> JSON:
    defaults = _MATERIALS.get(material["type"], {})
    return {**material, "attributes": _filled(material["attributes"], defaults)}


def _stage(stage: Mapping[str, Any]) -> JSON:
    found = _filled(stage, _STAGE)
    found["approval"] = _filled(found["approval"] or {}, _APPROVAL)
    found["environment_variables"] = _variables(found)
    found["jobs"] = [_job(job) for job in found.get("jobs") or ()]
    return found


def _job(job: Mapping[str, Any]) -> JSON:
    found = {**job, "environment_variables": _variables(job), "resources": sorted(job.get("resources") or ())}
    found["tasks"] = [_task(task) for task in job.get("tasks") or ()]
    return found


def _task(task: Mapping[str, Any]) -> JSON:
    attributes = dict(task["attributes"])
    if attributes.get("arguments"):
        # XML, in which the server keeps them, may lose white space at their ends
        attributes["arguments"] = [argument.strip() for argument in attributes["arguments"]]
    return {**task, "attributes": attributes}
