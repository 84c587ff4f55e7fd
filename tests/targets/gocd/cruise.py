"""Pipelines of the API as `cruise-config.xml`, in the form of the server's recorded configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree

from tests.targets.gocd.shapes import JSON

SCHEMA_VERSION = "139"


def to_xml(entries: Iterable[JSON]) -> Any:
    """The whole configuration with these pipelines."""
    root = etree.Element("cruise", schemaVersion=SCHEMA_VERSION)
    groups: dict[str, Any] = {}
    for entry in entries:
        if entry["group"] not in groups:
            groups[entry["group"]] = etree.SubElement(root, "pipelines", group=entry["group"])
        _pipeline(groups[entry["group"]], entry["pipeline"])
    return etree.ElementTree(root)


def _pipeline(parent: Any, of: JSON) -> None:
    element = etree.SubElement(
        parent,
        "pipeline",
        name=of["name"],
        labeltemplate=of["label_template"],
        lockBehavior=of["lock_behavior"],
    )
    if of["timer"]:
        timer = etree.SubElement(element, "timer", onlyOnChanges=_flag(of["timer"]["only_on_changes"]))
        timer.text = of["timer"]["spec"]
    _variables(element, of)
    materials = etree.SubElement(element, "materials")
    for material in of["materials"]:
        _material(materials, material["type"], material["attributes"])
    for stage in of["stages"]:
        _stage(element, stage)


def _variables(parent: Any, of: JSON) -> None:
    if of["environment_variables"]:
        element = etree.SubElement(parent, "environmentvariables")
        for variable in of["environment_variables"]:
            etree.SubElement(
                etree.SubElement(element, "variable", name=variable["name"]), "value"
            ).text = variable["value"]


def _material(parent: Any, kind: str, of: JSON) -> None:
    if kind == "dependency":
        etree.SubElement(
            parent, "pipeline", pipelineName=of["pipeline"], stageName=of["stage"], materialName=of["name"]
        )
        return
    element = etree.SubElement(parent, "git", url=of["url"], branch=of["branch"], materialName=of["name"])
    if of["filter"]:
        element.set("invertFilter", _flag(of["invert_filter"]))
        only = etree.SubElement(element, "filter")
        for pattern in of["filter"]["ignore"]:
            etree.SubElement(only, "ignore", pattern=pattern)


def _stage(parent: Any, of: JSON) -> None:
    element = etree.SubElement(
        parent, "stage", name=of["name"], cleanWorkingDir=_flag(of["clean_working_directory"])
    )
    approval = etree.SubElement(
        element,
        "approval",
        type=of["approval"]["type"],
        allowOnlyOnSuccess=_flag(of["approval"]["allow_only_on_success"]),
    )
    who = of["approval"]["authorization"]
    if who["roles"] or who["users"]:
        authorization = etree.SubElement(approval, "authorization")
        for kind in ("role", "user"):
            for name in who[f"{kind}s"]:
                etree.SubElement(authorization, kind).text = name
    jobs = etree.SubElement(element, "jobs")
    for job in of["jobs"]:
        _job(jobs, job)


def _job(parent: Any, of: JSON) -> None:
    element = etree.SubElement(parent, "job", name=of["name"], timeout=str(of["timeout"]))
    if "elastic_profile_id" in of:
        element.set("elasticProfileId", of["elastic_profile_id"])
    _variables(element, of)
    tasks = etree.SubElement(element, "tasks")
    for task in of["tasks"]:
        {"exec": _exec, "fetch": _fetch}[task["type"]](tasks, task["attributes"])
    if of["tabs"]:
        tabs = etree.SubElement(element, "tabs")
        for tab in of["tabs"]:
            etree.SubElement(tabs, "tab", name=tab["name"], path=tab["path"])
    if of["resources"]:
        resources = etree.SubElement(element, "resources")
        for resource in of["resources"]:
            etree.SubElement(resources, "resource").text = resource
    if of["artifacts"]:
        artifacts = etree.SubElement(element, "artifacts")
        for artifact in of["artifacts"]:
            etree.SubElement(
                artifacts,
                "artifact",
                type=artifact["type"],
                src=artifact["source"],
                dest=artifact["destination"],
            )


def _exec(parent: Any, of: JSON) -> None:
    element = etree.SubElement(parent, "exec", command=of["command"])
    if "working_directory" in of:
        element.set("workingdir", of["working_directory"])
    for argument in of["arguments"]:
        etree.SubElement(element, "arg").text = argument
    for status in of["run_if"]:
        etree.SubElement(element, "runif", status=status)


def _fetch(parent: Any, of: JSON) -> None:
    source = "srcfile" if of["is_source_a_file"] else "srcdir"
    attributes = {
        "pipeline": of["pipeline"],
        "stage": of["stage"],
        "job": of["job"],
        "dest": of["destination"],
        source: of["source"],
    }
    etree.SubElement(parent, "fetchartifact", artifactOrigin=of["artifact_origin"], **attributes)


def _flag(value: bool) -> str:
    return str(value).lower()
