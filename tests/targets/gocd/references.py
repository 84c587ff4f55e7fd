"""What one part of the file says of another: upstream pipelines, fetched artifacts, environments."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from tests.targets.gocd.shapes import JSON, Refused, items, keys, mapping, named, text, unique


def check_references(pipelines: Mapping[str, JSON]) -> None:
    upstreams = {
        name: {d["attributes"]["pipeline"] for d in p["materials"] if d["type"] == "dependency"}
        for name, p in pipelines.items()
    }
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


def _check_fetch(
    of: JSON, name: str, index: int, pipelines: Mapping[str, JSON], upstreams: Mapping[str, set[str]]
) -> None:
    where = f"pipeline {name}: fetch of {of['source']}"
    if of["pipeline"] in ("", name):
        stages = pipelines[name]["stages"][:index]
    else:
        way = [*of["pipeline"].split("/"), name]
        for above, below in pairwise(way):
            if above not in upstreams[below]:
                raise Refused(f"{where}: {above!r} is not upstream of {below!r}")
        stages = pipelines[way[0]]["stages"]
    job = _find(_find(stages, of["stage"], where)["jobs"], of["job"], where)
    if not any(_publishes(artifact, of) for artifact in job["artifacts"]):
        raise Refused(f"{where}: {of['job']!r} does not publish it")


def _publishes(artifact: JSON, of: JSON) -> bool:
    """Whether a fetch finds its source there: an artifact without wildcards keeps the last part of its path, and what
    others match lies below their destination."""
    if artifact["type"] == "build" and not of["is_source_a_file"]:
        return "*" in artifact["source"] and artifact["destination"] == of["source"]
    if artifact["type"] != "build" or "*" in artifact["source"]:
        return False
    return fnmatch.fnmatchcase(
        of["source"], posixpath.join(artifact["destination"], posixpath.basename(artifact["source"]))
    )


def _find(entries: Iterable[JSON], name: str, where: str) -> JSON:
    for entry in entries:
        if entry["name"] == name:
            return entry
    raise Refused(f"{where}: there is no {name!r} before it")


def check_environments(value: Any, pipelines: Mapping[str, JSON]) -> None:
    if value is None:
        return
    held: list[str] = []
    for name, environment in mapping(value, "environments").items():
        named(name, "environment")
        found = keys(environment, f"environment {name}", {"pipelines"})
        held += [text(entry, f"environment {name}") for entry in items(found["pipelines"], name)]
    unique(held, "environment's pipeline")
    unknown = set(held) - pipelines.keys()
    if unknown:
        raise Refused(f"environments: there is no pipeline {sorted(unknown)}")
