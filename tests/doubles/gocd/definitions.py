"""Pipelines as the server understands them: read from the generated file, or from a recorded request of the API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.doubles.gocd.refusals import Uncited
from tests.targets.gocd.reader import read_file

JSON = dict[str, Any]


@dataclass(frozen=True)
class Variable:
    """An environment variable; a secure one is masked in logs."""

    name: str
    value: str
    secure: bool = False


@dataclass(frozen=True)
class Exec:
    """A program with its words; no shell sees them."""

    words: tuple[str, ...]
    folder: str
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Fetch:
    """A file or folder of another job's artifacts."""

    way: tuple[str, ...]
    """Pipelines from the producer's down to the one above; none for this run's own."""
    stage: str
    job: str
    source: str
    is_file: bool
    destination: str
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Artifact:
    """What a job publishes: `build`, or `test` for JUnit files."""

    kind: str
    source: str
    destination: str


@dataclass(frozen=True)
class Job:
    name: str
    resources: frozenset[str]
    elastic_profile: str | None
    timeout: int | None
    """Minutes of silence; None is the server's default, which is never [R 333]."""
    variables: tuple[Variable, ...]
    tasks: tuple[Exec | Fetch, ...]
    artifacts: tuple[Artifact, ...]


@dataclass(frozen=True)
class Stage:
    name: str
    manual: bool
    only_on_success: bool
    roles: frozenset[str]
    users: frozenset[str]
    clean: bool
    variables: tuple[Variable, ...]
    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Git:
    name: str | None
    url: str
    branch: str
    destination: str | None
    patterns: tuple[str, ...]
    only_these: bool
    """Whether only the patterns start a run (`includes`), or all but them (`ignore`)."""


@dataclass(frozen=True)
class Dependency:
    name: str
    pipeline: str
    stage: str


@dataclass(frozen=True)
class Pipeline:
    name: str
    group: str
    environment: str | None
    label: str
    lock: str
    timer: str | None
    only_on_changes: bool
    variables: tuple[Variable, ...]
    git: Git | None
    dependencies: tuple[Dependency, ...]
    stages: tuple[Stage, ...]

    def index(self, stage: str) -> int:
        """Where a stage stands; KeyError if there is none of that name."""
        for number, found in enumerate(self.stages):
            if found.name == stage:
                return number
        raise KeyError(stage)


def of_file(text: str, repository: tuple[str, str] | None) -> list[Pipeline]:
    """The pipelines of a `*.gocd.yaml` file.

    Args:
        text: the file's text.
        repository: URL and branch of the config repository, for materials of the type `configrepo` [F 4].
    """
    environments = (yaml.load(text, Loader=yaml.BaseLoader) or {}).get("environments") or {}
    holders = {name: env for env, of in environments.items() for name in of.get("pipelines", [])}
    return [
        of_api(entry["group"], entry["pipeline"], holders.get(entry["pipeline"]["name"]), repository)
        for entry in read_file(text)
    ]


def of_api(
    group: str, data: JSON, environment: str | None = None, repository: tuple[str, str] | None = None
) -> Pipeline:
    """A pipeline as `POST /go/api/admin/pipelines` takes it."""
    known(data, "template", "tracking_tool", "origin", unlike=(None,))
    names = {parameter["name"]: parameter["value"] for parameter in data.get("parameters") or []}
    gits = [m["attributes"] for m in data["materials"] if m["type"] == "git"]
    dependencies = [m["attributes"] for m in data["materials"] if m["type"] == "dependency"]
    if len(gits) > 1 or len(gits) + len(dependencies) < len(data["materials"]):
        raise Uncited(
            f"pipeline {data['name']}: several repositories, or a material that is neither git nor pipeline"
        )
    git = _git(gits[0], names, repository) if gits else None
    if git and git.patterns and dependencies:
        raise Uncited(f"pipeline {data['name']}: a path filter beside a dependency")
    timer = data.get("timer") or {}
    return Pipeline(
        name=data["name"],
        group=group,
        environment=environment,
        label=_plain(data.get("label_template") or "${COUNT}", names),
        lock=data.get("lock_behavior") or "none",
        timer=timer.get("spec"),
        only_on_changes=bool(timer.get("only_on_changes")),
        variables=_variables(data, names),
        git=git,
        dependencies=tuple(_dependency(of) for of in dependencies),
        stages=tuple(_stage(stage, names) for stage in data["stages"]),
    )


def known(data: Mapping[str, Any], *keys: str, unlike: tuple[Any, ...]) -> None:
    """Refuse keys that this double doesn't act upon, unless they say nothing."""
    for key in keys:
        if data.get(key) not in unlike:
            raise Uncited(f"{key} = {data[key]!r}")


def _plain(text: str, parameters: Mapping[str, str]) -> str:
    """`##` is `#`, `#{NAME}` the parameter [F 2, R 505]."""

    def one(match: re.Match[str]) -> str:
        return "#" if match[0] == "##" else parameters[match[1]]

    found = re.sub(r"##|#\{([^}]*)\}", one, text)
    if "#" in re.sub(r"##|#\{([^}]*)\}", "", text):
        raise Uncited(f"a single # in {text!r}: the server refuses it on save [R 090]")
    return found


def _variables(holder: JSON, parameters: Mapping[str, str]) -> tuple[Variable, ...]:
    found = []
    for entry in holder.get("environment_variables") or []:
        if "value" not in entry:
            raise Uncited(f"variable {entry['name']}: an encrypted value needs the server's own key")
        if entry["name"] == "PATH":
            raise Uncited("a variable PATH: whether the agent then looks there for programs")
        found.append(Variable(entry["name"], _plain(entry["value"], parameters), bool(entry.get("secure"))))
    return tuple(found)


def _git(of: JSON, parameters: Mapping[str, str], repository: tuple[str, str] | None) -> Git:
    known(of, "submodule_folder", "shallow_clone", unlike=(None, False))
    if of.get("auto_update") is False:
        raise Uncited("a material that doesn't poll")
    url, branch = of["url"], of.get("branch") or "master"  # [F 2]: `master` where none is named
    if url is None:
        if repository is None:
            raise Uncited("a configrepo material without a config repository")
        url, branch = repository
    return Git(
        name=of.get("name"),
        url=_plain(url, parameters),
        branch=_plain(branch, parameters),
        destination=of.get("destination"),
        patterns=tuple((of.get("filter") or {}).get("ignore") or ()),
        only_these=bool(of.get("invert_filter")),
    )


def _dependency(of: JSON) -> Dependency:
    known(of, "ignore_for_scheduling", unlike=(None, False))
    return Dependency(of.get("name") or of["pipeline"], of["pipeline"], of["stage"])


def _stage(data: JSON, parameters: Mapping[str, str]) -> Stage:
    known(data, "fetch_materials", unlike=(None, True))
    approval = data.get("approval") or {"type": "success"}
    who = approval.get("authorization") or {}
    return Stage(
        name=data["name"],
        manual=approval["type"] == "manual",
        only_on_success=bool(approval.get("allow_only_on_success")),
        roles=frozenset(who.get("roles") or ()),
        users=frozenset(who.get("users") or ()),
        clean=bool(data.get("clean_working_directory")),
        variables=_variables(data, parameters),
        jobs=tuple(_job(job, parameters) for job in data["jobs"]),
    )


def _job(data: JSON, parameters: Mapping[str, str]) -> Job:
    known(data, "run_instance_count", unlike=(None,))
    if data.get("timeout") == "never":
        raise Uncited("a job timeout of `never`")
    return Job(
        name=data["name"],
        resources=frozenset(_plain(resource, parameters).lower() for resource in data.get("resources") or ()),
        elastic_profile=data.get("elastic_profile_id"),
        timeout=data.get("timeout"),
        variables=_variables(data, parameters),
        tasks=tuple(_task(task, parameters) for task in data["tasks"]),
        artifacts=tuple(
            Artifact(a["type"], _plain(a["source"], parameters), _plain(a["destination"], parameters))
            for a in data.get("artifacts") or ()
        ),
    )


def _task(data: JSON, parameters: Mapping[str, str]) -> Exec | Fetch:
    of = data["attributes"]
    known(of, "on_cancel", "args", unlike=(None,))
    conditions = tuple(of.get("run_if") or ("passed",))  # [F 2]: `passed` when empty
    if data["type"] == "exec":
        words = (of["command"], *(of.get("arguments") or ()))
        folder = _plain(of.get("working_directory") or "", parameters)
        return Exec(tuple(_plain(word, parameters) for word in words), folder, conditions)
    if data["type"] != "fetch" or of.get("artifact_origin") != "gocd":
        raise Uncited(f"a task {data['type']!r}")
    return Fetch(
        way=_way(of.get("pipeline") or ""),
        stage=of["stage"],
        job=of["job"],
        source=_plain(of["source"], parameters),
        is_file=bool(of.get("is_source_a_file")),
        destination=_plain(of.get("destination") or "", parameters),
        conditions=conditions,
    )


def _way(pipeline: str) -> tuple[str, ...]:
    return tuple(pipeline.split("/")) if pipeline else ()
