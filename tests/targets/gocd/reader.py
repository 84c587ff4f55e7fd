"""A strict reader of GoCD's YAML, format 10: it gives the pipelines in the form of the pipeline API, and refuses whatever a server refuses or ignores.

The server ignores unknown keys, so typing errors pass there; here they don't. Its rules are those of its recorded answers and of
`cruise-config.xsd`. Scalars are read as text, as the YAML plugin's own reader does.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from tests.targets.gocd.clocks import Quartz

JSON = dict[str, Any]
NAME = re.compile(r"[a-zA-Z0-9_\-][a-zA-Z0-9_\-.]*")
JOB_NAME = re.compile(r"[a-zA-Z0-9_\-.]+")
PATH = re.compile(r"(([.]/)?[.][^. ]+)|([^. ].+[^. ])|([^. ][^. ])|([^. ])")
RESOURCE = re.compile(r"[-\w\s|.]+")
COMMAND = re.compile(r"\S(.*\S)?")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Refused(Exception):
    """The file is wrong; says where and why."""


def read_file(text: str) -> list[JSON]:
    """`{"group": …, "pipeline": …}` for each pipeline of a file."""
    top = _keys(_parse(text), "the file", {"format_version", "pipelines"}, {"common", "environments"})
    if top["format_version"] != "10":
        raise Refused(f"format_version is {top['format_version']!r}")
    found = [_pipeline(name, value) for name, value in _map(top["pipelines"], "pipelines").items()]
    _unique((entry["pipeline"]["name"] for entry in found), "pipeline")
    by_name = {entry["pipeline"]["name"]: entry["pipeline"] for entry in found}
    _check_references(by_name)
    _check_environments(top.get("environments"), by_name)
    return found


def single(text: str, where: str = "a text") -> str:
    """What the server makes of a text: `##` is `#`. Anything else after `#` is a mistake, since no parameters are declared."""
    found = re.sub("##", "\0", text)
    if "#" in found:
        raise Refused(f"{where}: a single # in {text!r}")
    return found.replace("\0", "#")


# The text


class _Loader(yaml.BaseLoader):
    """Every scalar is text; no key stands twice."""


def _unique_mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    if len(set(keys)) < len(keys):
        raise Refused(f"a key stands twice: {keys}")
    return {loader.construct_object(key): loader.construct_object(value, deep=True) for key, value in node.value}


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


def _parse(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  (a BaseLoader)
    except yaml.YAMLError as error:
        raise Refused(f"not YAML: {error}") from None


# The shapes


def _map(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not value:
        raise Refused(f"{where}: not a mapping")
    return value


def _keys(value: Any, where: str, required: Iterable[str], optional: Iterable[str] = ()) -> Mapping[str, Any]:
    found = _map(value, where)
    unknown = found.keys() - {*required, *optional}
    if unknown:
        raise Refused(f"{where}: unknown {sorted(unknown)}")
    missing = set(required) - found.keys()
    if missing:
        raise Refused(f"{where}: missing {sorted(missing)}")
    return found


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise Refused(f"{where}: not a list")
    return value


def _text(value: Any, where: str, rule: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or (rule and not rule.fullmatch(value)):
        raise Refused(f"{where}: {value!r} is not right here")
    return value


def _literal(value: Any, where: str, rule: re.Pattern[str] | None = None) -> str:
    """A text in which the server looks for parameters."""
    single(_text(value, where), where)
    return _text(value, where, rule)


def _name(value: Any, where: str, rule: re.Pattern[str] = NAME) -> str:
    if len(_text(value, where, rule)) > 255:
        raise Refused(f"{where}: {len(value)} characters")
    return str(value)


def _flag(value: Any, where: str) -> bool:
    if value not in ("true", "false"):
        raise Refused(f"{where}: {value!r} is not true or false")
    return bool(value == "true")


def _choice(value: Any, where: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise Refused(f"{where}: {value!r} is none of {choices}")
    return str(value)


def _one(value: Any, where: str) -> tuple[str, Any]:
    found = _map(value, where)
    if len(found) != 1:
        raise Refused(f"{where}: {len(found)} keys where one is expected")
    return next(iter(found.items()))


def _unique(names: Iterable[str], kind: str) -> None:
    lower = [name.lower() for name in names]
    if len(set(lower)) < len(lower):
        raise Refused(f"two {kind}s have one name: {sorted(lower)}")


# The parts


def _pipeline(name: str, value: Any) -> JSON:
    where = f"pipeline {_name(name, 'pipeline')}"
    optional = {"lock_behavior", "timer", "environment_variables", "label_template"}
    found = _keys(value, where, {"group", "materials", "stages"}, optional)
    stages = [_stage(*_one(stage, where), where) for stage in _list(found["stages"], where)]
    _unique((stage["name"] for stage in stages), "stage")
    materials = [_material(*item, where) for item in _map(found["materials"], where).items()]
    _unique((material["attributes"]["name"] for material in materials), "material")
    pipeline = {
        "name": name,
        "label_template": _literal(found.get("label_template", "${COUNT}"), where),
        "lock_behavior": _choice(found.get("lock_behavior", "none"), where, ("none", "lockOnFailure", "unlockWhenFinished")),
        "parameters": [],
        "environment_variables": _variables(found, where),
        "materials": materials,
        "stages": stages,
        "tracking_tool": None,
        "timer": _timer(found.get("timer"), where),
    }
    return {"group": _name(found["group"], f"{where}: group"), "pipeline": pipeline}


def _timer(value: Any, where: str) -> JSON | None:
    if value is None:
        return None
    found = _keys(value, f"{where}: timer", {"spec"}, {"only_on_changes"})
    try:
        Quartz(_text(found["spec"], where))
    except ValueError as error:
        raise Refused(f"{where}: timer: {error}") from None
    return {"spec": found["spec"], "only_on_changes": _flag(found.get("only_on_changes", "false"), where)}


def _variables(holder: Mapping[str, Any], where: str) -> list[JSON]:
    if "environment_variables" not in holder:
        return []
    found = _map(holder["environment_variables"], where)
    return [
        {"name": _text(name, where, VARIABLE), "value": _literal(value, f"{where}: {name}"), "secure": False} for name, value in found.items()
    ]


def _material(name: str, value: Any, where: str) -> JSON:
    where = f"{where}: material {_name(name, where)}"
    if "pipeline" in _map(value, where):
        found = _keys(value, where, {"pipeline", "stage"}, {"ignore_for_scheduling"})
        attributes: JSON = {
            "pipeline": _name(found["pipeline"], where),
            "stage": _name(found["stage"], where),
            "name": name,
            "auto_update": True,
            "ignore_for_scheduling": _flag(found.get("ignore_for_scheduling", "false"), where),
        }
        return {"type": "dependency", "attributes": attributes}
    if "type" in value:
        found = _keys(value, where, {"type"}, {"includes"})
        _choice(found["type"], where, ("configrepo",))
        url, branch = None, None
    else:
        found = _keys(value, where, {"git", "branch"}, {"includes"})
        url, branch = _literal(found["git"], where, re.compile(r"\S.*")), _literal(found["branch"], where, re.compile(r"\S+"))
    only = [_text(pattern, where) for pattern in _list(found["includes"], where)] if "includes" in found else None
    attributes = {
        "url": url,
        "branch": branch,
        "destination": None,
        "filter": {"ignore": only} if only else None,
        "invert_filter": bool(only),
        "name": name,
        "auto_update": True,
        "submodule_folder": None,
        "shallow_clone": False,
    }
    return {"type": "git", "attributes": attributes}


def _stage(name: str, value: Any, where: str) -> JSON:
    where = f"{where}: stage {_name(name, where)}"
    found = _keys(value, where, {"jobs"}, {"approval", "clean_workspace", "fetch_materials", "keep_artifacts"})
    jobs = [_job(*item, where) for item in _map(found["jobs"], where).items()]
    _unique((job["name"] for job in jobs), "job")
    return {
        "name": name,
        "fetch_materials": _flag(found.get("fetch_materials", "true"), where),
        "clean_working_directory": _flag(found.get("clean_workspace", "false"), where),
        "never_cleanup_artifacts": _flag(found.get("keep_artifacts", "false"), where),
        "approval": _approval(found.get("approval", "success"), f"{where}: approval"),
        "environment_variables": [],
        "jobs": jobs,
    }


def _approval(value: Any, where: str) -> JSON:
    found = {"type": value} if isinstance(value, str) else _keys(value, where, {"type"}, {"allow_only_on_success", "roles", "users"})
    who = {kind: [_text(entry, where, re.compile(r".+")) for entry in _list(found[kind], where)] for kind in ("roles", "users") if kind in found}
    return {
        "type": _choice(found["type"], where, ("success", "manual")),
        "allow_only_on_success": _flag(found.get("allow_only_on_success", "false"), where),
        "authorization": {"roles": [], "users": [], **who},
    }


def _job(name: str, value: Any, where: str) -> JSON:
    where = f"{where}: job {_name(name, where, JOB_NAME)}"
    if re.search(r"run(Instance|OnAll)-", name):
        raise Refused(f"{where}: a reserved name")
    optional = {"resources", "elastic_profile_id", "timeout", "environment_variables", "artifacts", "tabs"}
    found = _keys(value, where, {"tasks"}, optional)
    if "resources" in found and "elastic_profile_id" in found:
        raise Refused(f"{where}: both resources and elastic_profile_id")
    job: JSON = {
        "name": name,
        "resources": [_literal(r, where, RESOURCE) for r in _list(found["resources"], where)] if "resources" in found else [],
        "timeout": int(_text(found["timeout"], where, re.compile("[1-9][0-9]*"))),
        "environment_variables": _variables(found, where),
        "tasks": [_task(*_one(task, where), where) for task in _flat(found["tasks"], where)],
        "artifacts": [_artifact(*_one(entry, where), where) for entry in _list(found["artifacts"], where)] if "artifacts" in found else [],
        "tabs": [_tab(*entry, where) for entry in _map(found["tabs"], where).items()] if "tabs" in found else [],
    }
    if "elastic_profile_id" in found:
        job["elastic_profile_id"] = _name(found["elastic_profile_id"], where)
    return job


def _flat(tasks: Any, where: str) -> list[Any]:
    """Lists in a list of tasks are laid flat: an alias of `common` is one."""
    found: list[Any] = []
    for task in _list(tasks, where):
        found += _flat(task, where) if isinstance(task, list) else [task]
    return found


def _task(kind: str, value: Any, where: str) -> JSON:
    where = f"{where}: {kind}"
    if kind == "exec":
        found = _keys(value, where, {"command"}, {"arguments", "working_directory", "run_if"})
        attributes: JSON = {
            "command": _literal(found["command"], where, COMMAND),
            "arguments": [_literal(argument, where) for argument in _list(found["arguments"], where)] if "arguments" in found else [],
            "run_if": [_choice(found["run_if"], where, ("passed", "failed", "any"))] if "run_if" in found else [],
        }
        if "working_directory" in found:
            attributes["working_directory"] = _path(found["working_directory"], where)
        return {"type": "exec", "attributes": attributes}
    if kind != "fetch":
        raise Refused(f"{where}: no such task")
    found = _keys(value, where, {"stage", "job", "source", "destination", "is_file"}, {"pipeline"})
    attributes = {
        "artifact_origin": "gocd",
        "pipeline": _text(found.get("pipeline", ""), where, re.compile(rf"|{NAME.pattern}(/{NAME.pattern})*")),
        "stage": _name(found["stage"], where),
        "job": _name(found["job"], where, JOB_NAME),
        "source": _path(found["source"], where),
        "is_source_a_file": _flag(found["is_file"], where),
        "destination": _path(found["destination"], where),
    }
    return {"type": "fetch", "attributes": attributes}


def _path(value: Any, where: str) -> str:
    path = _literal(value, where, PATH)
    if path.startswith("/") or ".." in path.split("/"):
        raise Refused(f"{where}: {path!r} leaves the working directory")
    return path


def _artifact(kind: str, value: Any, where: str) -> JSON:
    found = _keys(value, f"{where}: artifact", {"source", "destination"})
    source = _literal(found["source"], where, re.compile(r"\S.*"))
    if source.startswith("/") or ".." in source.split("/"):
        raise Refused(f"{where}: artifact {source!r} leaves the working directory")
    return {"type": _choice(kind, where, ("build", "test")), "source": source, "destination": _path(found["destination"], where)}


def _tab(name: str, path: Any, where: str) -> JSON:
    if len(_name(name, where)) > 15:
        raise Refused(f"{where}: the tab {name!r} has more than 15 characters")
    return {"name": name, "path": _text(path, where, re.compile(r"\S+"))}


# What one part says of another


def _check_references(pipelines: Mapping[str, JSON]) -> None:
    upstreams = {name: {d["attributes"]["pipeline"] for d in p["materials"] if d["type"] == "dependency"} for name, p in pipelines.items()}
    for name, pipeline in pipelines.items():
        if sum(material["type"] == "git" for material in pipeline["materials"]) != 1:
            raise Refused(f"pipeline {name}: needs one repository")
        for material in pipeline["materials"]:
            if material["type"] == "dependency":
                of = material["attributes"]
                if of["pipeline"] not in pipelines:
                    raise Refused(f"pipeline {name}: there is no pipeline {of['pipeline']!r}")
                _find(pipelines[of["pipeline"]]["stages"], of["stage"], f"pipeline {name}: material")
        _refuse_circle(name, upstreams)
        for index, stage in enumerate(pipeline["stages"]):
            for job in stage["jobs"]:
                for task in job["tasks"]:
                    if task["type"] == "fetch":
                        _check_fetch(task["attributes"], name, index, pipelines, upstreams)


def _refuse_circle(name: str, upstreams: Mapping[str, set[str]]) -> None:
    above, todo = set(), list(upstreams[name])
    while todo:
        other = todo.pop()
        if other not in above:
            above.add(other)
            todo += upstreams[other]
    if name in above:
        raise Refused(f"pipeline {name}: needs itself")


def _check_fetch(of: JSON, name: str, index: int, pipelines: Mapping[str, JSON], upstreams: Mapping[str, set[str]]) -> None:
    where = f"pipeline {name}: fetch of {of['source']}"
    if of["pipeline"] in ("", name):
        stages = pipelines[name]["stages"][:index]
    else:
        way = [*of["pipeline"].split("/"), name]
        for above, below in zip(way, way[1:], strict=False):
            if above not in upstreams[below]:
                raise Refused(f"{where}: {above!r} is not upstream of {below!r}")
        stages = pipelines[way[0]]["stages"]
    job = _find(_find(stages, of["stage"], where)["jobs"], of["job"], where)
    if not any(_publishes(artifact, of["source"]) for artifact in job["artifacts"]):
        raise Refused(f"{where}: {of['job']!r} does not publish it")


def _publishes(artifact: JSON, source: str) -> bool:
    """Whether a fetch finds `source` there: an artifact without wildcards keeps the last part of its path."""
    if artifact["type"] != "build" or "*" in artifact["source"]:
        return False
    return fnmatch.fnmatchcase(source, posixpath.join(artifact["destination"], posixpath.basename(artifact["source"])))


def _find(entries: Iterable[JSON], name: str, where: str) -> JSON:
    for entry in entries:
        if entry["name"] == name:
            return entry
    raise Refused(f"{where}: there is no {name!r} before it")


def _check_environments(value: Any, pipelines: Mapping[str, JSON]) -> None:
    if value is None:
        return
    held: list[str] = []
    for name, environment in _map(value, "environments").items():
        _name(name, "environment")
        found = _keys(environment, f"environment {name}", {"pipelines"})
        held += [_text(entry, f"environment {name}") for entry in _list(found["pipelines"], name)]
    _unique(held, "environment's pipeline")
    unknown = set(held) - pipelines.keys()
    if unknown:
        raise Refused(f"environments: there is no pipeline {sorted(unknown)}")
