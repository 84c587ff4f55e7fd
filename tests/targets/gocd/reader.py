"""A strict reader of GoCD's YAML, format 10, that gives the pipelines in the form of the pipeline API.

The server ignores unknown keys, so typing errors pass there; here they don't. The rules are those of its recorded
answers and of `cruise-config.xsd`. Scalars are read as text, as the YAML plugin's own reader does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.targets.gocd.clocks import Quartz
from tests.targets.gocd.references import check_environments, check_references
from tests.targets.gocd.shapes import (
    COMMAND,
    JOB_NAME,
    JSON,
    NAME,
    PATH,
    RESOURCE,
    VARIABLE,
    Refused,
    choice,
    flag,
    items,
    keys,
    literal,
    mapping,
    named,
    one,
    text,
    unique,
)


def read_file(text: str) -> list[JSON]:
    """`{"group": …, "pipeline": …}` for each pipeline of a file."""
    top = keys(_parse(text), "the file", {"format_version", "pipelines"}, {"common", "environments"})
    if top["format_version"] != "10":
        raise Refused(f"format_version is {top['format_version']!r}")
    found = [_pipeline(name, value) for name, value in mapping(top["pipelines"], "pipelines").items()]
    unique((entry["pipeline"]["name"] for entry in found), "pipeline")
    by_name = {entry["pipeline"]["name"]: entry["pipeline"] for entry in found}
    check_references(by_name)
    check_environments(top.get("environments"), by_name)
    return found


# The text


class _Loader(yaml.BaseLoader):
    """Every scalar is text; no key stands twice."""


def _unique_mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    if len(set(keys)) < len(keys):
        raise Refused(f"a key stands twice: {keys}")
    return {
        loader.construct_object(key): loader.construct_object(value, deep=True) for key, value in node.value
    }


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


def _parse(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise Refused(f"not YAML: {error}") from None


# The parts


def _pipeline(name: str, value: Any) -> JSON:
    where = f"pipeline {named(name, 'pipeline')}"
    optional = {"lock_behavior", "timer", "environment_variables", "label_template"}
    found = keys(value, where, {"group", "materials", "stages"}, optional)
    stages = [_stage(*one(stage, where), where) for stage in items(found["stages"], where)]
    unique((stage["name"] for stage in stages), "stage")
    materials = [_material(*item, where) for item in mapping(found["materials"], where).items()]
    unique((material["attributes"]["name"] for material in materials), "material")
    pipeline = {
        "name": name,
        "label_template": literal(found.get("label_template", "${COUNT}"), where),
        "lock_behavior": choice(
            found.get("lock_behavior", "none"), where, ("none", "lockOnFailure", "unlockWhenFinished")
        ),
        "parameters": [],
        "environment_variables": _variables(found, where),
        "materials": materials,
        "stages": stages,
        "tracking_tool": None,
        "timer": _timer(found.get("timer"), where),
    }
    return {"group": named(found["group"], f"{where}: group"), "pipeline": pipeline}


def _timer(value: Any, where: str) -> JSON | None:
    if value is None:
        return None
    found = keys(value, f"{where}: timer", {"spec"}, {"only_on_changes"})
    try:
        Quartz(text(found["spec"], where))
    except ValueError as error:
        raise Refused(f"{where}: timer: {error}") from None
    return {"spec": found["spec"], "only_on_changes": flag(found.get("only_on_changes", "false"), where)}


def _variables(holder: Mapping[str, Any], where: str) -> list[JSON]:
    if "environment_variables" not in holder:
        return []
    found = mapping(holder["environment_variables"], where)
    return [
        {"name": text(name, where, VARIABLE), "value": literal(value, f"{where}: {name}"), "secure": False}
        for name, value in found.items()
    ]


def _material(name: str, value: Any, where: str) -> JSON:
    where = f"{where}: material {named(name, where)}"
    if "pipeline" in mapping(value, where):
        found = keys(value, where, {"pipeline", "stage"}, {"ignore_for_scheduling"})
        attributes: JSON = {
            "pipeline": named(found["pipeline"], where),
            "stage": named(found["stage"], where),
            "name": name,
            "auto_update": True,
            "ignore_for_scheduling": flag(found.get("ignore_for_scheduling", "false"), where),
        }
        return {"type": "dependency", "attributes": attributes}
    if "type" in value:
        found = keys(value, where, {"type"}, {"includes", "ignore"})
        choice(found["type"], where, ("configrepo",))
        url, branch = None, None
    else:
        found = keys(value, where, {"git", "branch"}, {"includes", "ignore"})
        url, branch = (
            literal(found["git"], where, re.compile(r"\S.*")),
            literal(found["branch"], where, re.compile(r"\S+")),
        )
    if {"includes", "ignore"} <= found.keys():
        raise Refused(f"{where}: `includes` and `ignore` together")
    filters = [items(found[word], where) for word in ("includes", "ignore") if word in found]
    patterns = [text(pattern, where) for pattern in (filters[0] if filters else ())]
    attributes = {
        "url": url,
        "branch": branch,
        "destination": None,
        "filter": {"ignore": patterns} if patterns else None,
        "invert_filter": "includes" in found,
        "name": name,
        "auto_update": True,
        "submodule_folder": None,
        "shallow_clone": False,
    }
    return {"type": "git", "attributes": attributes}


def _stage(name: str, value: Any, where: str) -> JSON:
    where = f"{where}: stage {named(name, where)}"
    found = keys(value, where, {"jobs"}, {"approval", "clean_workspace", "fetch_materials", "keep_artifacts"})
    jobs = [_job(*item, where) for item in mapping(found["jobs"], where).items()]
    unique((job["name"] for job in jobs), "job")
    return {
        "name": name,
        "fetch_materials": flag(found.get("fetch_materials", "true"), where),
        "clean_working_directory": flag(found.get("clean_workspace", "false"), where),
        "never_cleanup_artifacts": flag(found.get("keep_artifacts", "false"), where),
        "approval": _approval(found.get("approval", "success"), f"{where}: approval"),
        "environment_variables": [],
        "jobs": jobs,
    }


def _approval(value: Any, where: str) -> JSON:
    found = (
        {"type": value}
        if isinstance(value, str)
        else keys(value, where, {"type"}, {"allow_only_on_success", "roles", "users"})
    )
    who = {
        kind: [text(entry, where, re.compile(r".+")) for entry in items(found[kind], where)]
        for kind in ("roles", "users")
        if kind in found
    }
    return {
        "type": choice(found["type"], where, ("success", "manual")),
        "allow_only_on_success": flag(found.get("allow_only_on_success", "false"), where),
        "authorization": {"roles": [], "users": [], **who},
    }


def _job(name: str, value: Any, where: str) -> JSON:
    where = f"{where}: job {named(name, where, JOB_NAME)}"
    if re.search(r"run(Instance|OnAll)-", name):
        raise Refused(f"{where}: a reserved name")
    optional = {"resources", "elastic_profile_id", "environment_variables", "artifacts", "tabs"}
    found = keys(value, where, {"tasks", "timeout"}, optional)
    if "resources" in found and "elastic_profile_id" in found:
        raise Refused(f"{where}: both resources and elastic_profile_id")
    job: JSON = {
        "name": name,
        "resources": [literal(r, where, RESOURCE) for r in items(found["resources"], where)]
        if "resources" in found
        else [],
        "timeout": int(text(found["timeout"], where, re.compile("[1-9][0-9]*"))),
        "environment_variables": _variables(found, where),
        "tasks": [_task(*one(task, where), where) for task in _flat(found["tasks"], where)],
        "artifacts": [_artifact(*one(entry, where), where) for entry in items(found["artifacts"], where)]
        if "artifacts" in found
        else [],
        "tabs": [_tab(*entry, where) for entry in mapping(found["tabs"], where).items()]
        if "tabs" in found
        else [],
    }
    if "elastic_profile_id" in found:
        job["elastic_profile_id"] = named(found["elastic_profile_id"], where)
    return job


def _flat(tasks: Any, where: str) -> list[Any]:
    """Lists in a list of tasks are laid flat: an alias of `common` is one."""
    found: list[Any] = []
    for task in items(tasks, where):
        found += _flat(task, where) if isinstance(task, list) else [task]
    return found


def _task(kind: str, value: Any, where: str) -> JSON:
    where = f"{where}: {kind}"
    if kind == "exec":
        found = keys(value, where, {"command"}, {"arguments", "working_directory", "run_if"})
        attributes: JSON = {
            "command": literal(found["command"], where, COMMAND),
            "arguments": [literal(argument, where) for argument in items(found["arguments"], where)]
            if "arguments" in found
            else [],
            "run_if": [choice(found["run_if"], where, ("passed", "failed", "any"))]
            if "run_if" in found
            else [],
        }
        if "working_directory" in found:
            attributes["working_directory"] = _path(found["working_directory"], where)
        return {"type": "exec", "attributes": attributes}
    if kind != "fetch":
        raise Refused(f"{where}: no such task")
    found = keys(value, where, {"stage", "job", "source", "destination", "is_file"}, {"pipeline"})
    attributes = {
        "artifact_origin": "gocd",
        "pipeline": text(found.get("pipeline", ""), where, re.compile(rf"|{NAME.pattern}(/{NAME.pattern})*")),
        "stage": named(found["stage"], where),
        "job": named(found["job"], where, JOB_NAME),
        "source": _path(found["source"], where),
        "is_source_a_file": flag(found["is_file"], where),
        "destination": _path(found["destination"], where),
    }
    return {"type": "fetch", "attributes": attributes}


def _path(value: Any, where: str) -> str:
    path = literal(value, where, PATH)
    if path.startswith("/") or ".." in path.split("/"):
        raise Refused(f"{where}: {path!r} leaves the working directory")
    return path


def _artifact(kind: str, value: Any, where: str) -> JSON:
    found = keys(value, f"{where}: artifact", {"source", "destination"})
    source = literal(found["source"], where, re.compile(r"\S.*"))
    if source.startswith("/") or ".." in source.split("/"):
        raise Refused(f"{where}: artifact {source!r} leaves the working directory")
    return {
        "type": choice(kind, where, ("build", "test")),
        "source": source,
        "destination": _path(found["destination"], where),
    }


def _tab(name: str, path: Any, where: str) -> JSON:
    if len(named(name, where)) > 15:
        raise Refused(f"{where}: the tab {name!r} has more than 15 characters")
    return {"name": name, "path": text(path, where, re.compile(r"\S+"))}
