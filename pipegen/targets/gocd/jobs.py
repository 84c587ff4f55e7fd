"""One job of the plan as GoCD's API takes it: tasks, artifacts, variables, agent."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipegen.plan import files
from pipegen.plan.model import TOOL, WORK, Job, Plan, Step
from pipegen.targets.gocd.places import Place, way
from pipegen.targets.gocd.published import KEPT, shelved

SILENCE = 10
"""Minutes that the server waits beyond the job's own time-out; it counts silence, `exec` counts the wall clock."""
TESTS = "testoutput"
"""Where GoCD makes its page of test results."""
REPORT_TAB, PAGE_TAB = "report", "pipegen"
WHOLE = {f"{files.REPORT}/**": REPORT_TAB, f"{files.LOCK}/**": "lock"}
"""Folders that are kept as they are, and what they are called among the artifacts."""
JSON = dict[str, Any]


def literal(text: str) -> str:
    """The one place of escaping for GoCD: it reads `#{NAME}` as a parameter and takes a single `#` for a mistake."""
    return text.replace("#", "##")


def variables(values: Mapping[str, str]) -> list[JSON]:
    """Environment variables."""
    return [{"name": name, "value": literal(value), "secure": False} for name, value in values.items()]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a job is written with: its plan, where all jobs stand, what the server calls its agents and secrets."""

    plan: Plan
    places: Mapping[str, Place]
    agents: Mapping[str, JSON]
    """For each kind of machine `resources` or `elastic_profile_id`."""
    secrets: Mapping[str, Mapping[str, str]]
    """For each secret its variables and what stands for their values."""
    shared: Mapping[str, str]
    """Variables that the whole pipeline has already."""

    def inside(self, path: str) -> str:
        """A path of the description as the agent sees it from its working directory."""
        folder = self.plan.folder
        return path if folder == "." else posixpath.normpath(posixpath.join(folder, path))


def job(job: Job, around: Surroundings) -> JSON:
    """The job."""
    env = {name: value for name, value in job.env.items() if around.shared.get(name) != value}
    secrets = {variable: value for name in job.secrets for variable, value in around.secrets[name].items()}
    return {
        "name": around.places[job.name].job,
        "resources": [],
        **around.agents.get(job.agent or "", {}),
        **_with_mutexes(job, around),
        "timeout": -(-job.timeout // 60) + SILENCE,
        "environment_variables": variables({**env, **secrets}),
        "tasks": [*_fetches(job, around), *_install(around), *(_run(step, around) for step in job.steps)],
        "artifacts": [*_fragments(job, around), *_kept(job, around), *_tests(job, around)],
        "tabs": _tabs(job),
    }


def _tabs(job: Job) -> Sequence[JSON]:
    """Pages of the job that are shown beside its log."""
    report = {REPORT_TAB: f"{REPORT_TAB}/index.html"} if f"{files.REPORT}/**" in job.artifacts else {}
    tabs = {**report, **({PAGE_TAB: shelved(job.page)} if job.page else {})}
    return [{"name": name, "path": path} for name, path in tabs.items()]


def begin(name: str) -> JSON:
    """A job that only says on which commit the run is."""
    return {
        "name": name,
        "resources": [],
        "timeout": SILENCE,
        "environment_variables": [],
        "tasks": [
            {
                "type": "exec",
                "attributes": {"command": "git", "arguments": ["rev-parse", "HEAD"], "run_if": []},
            }
        ],
        "artifacts": [],
        "tabs": [],
    }


def _with_mutexes(job: Job, around: Surroundings) -> JSON:
    if not job.mutexes:
        return {}
    held = around.agents.get(job.agent or "", {}).get("resources", [])
    return {"resources": [*held, *(f"mutex-{name}" for name in job.mutexes)]}


def _fetches(job: Job, around: Surroundings) -> Sequence[JSON]:
    return [_fetch(path, job, around) for path in job.reads]


def _fetch(path: str, job: Job, around: Surroundings) -> JSON:
    producer = around.plan.producers[path]
    place = around.places[producer.name]
    # what the change does not touch comes with it, as fragments beside it
    is_file = path != files.AFFECTED
    source = posixpath.join(_shelf(path), posixpath.basename(path)) if is_file else _shelf(path)
    return {
        "type": "fetch",
        "attributes": {
            "artifact_origin": "gocd",
            "pipeline": way(around.plan, around.places, producer, job),
            "stage": place.stage,
            "job": place.job,
            "source": literal(source),
            "is_source_a_file": is_file,
            "destination": literal(around.inside(posixpath.dirname(path) if is_file else WORK)),
        },
    }


def _install(around: Surroundings) -> Sequence[JSON]:
    """`install:` is shell text by definition, so it stands as it is, in a script of its own."""
    if not around.plan.install:
        return []
    script = f"set -e\npython3 -m venv {TOOL}\n. {TOOL}/bin/activate\n{around.plan.install.strip()}\n"
    return [_exec(("sh", "-c", script), around)]


def _run(step: Step, around: Surroundings) -> JSON:
    return _exec(step.command, around, always=step.always)


def _exec(command: Sequence[str], around: Surroundings, *, always: bool = False) -> JSON:
    """A task. No shell sees the words: GoCD hands them to the program as they are."""
    attributes: JSON = {"command": literal(command[0]), "arguments": [literal(word) for word in command[1:]]}
    if around.plan.folder != ".":
        attributes["working_directory"] = literal(around.plan.folder)
    return {"type": "exec", "attributes": {**attributes, "run_if": ["any"] if always else []}}


def _fragments(job: Job, around: Surroundings) -> Sequence[JSON]:
    return [_build(around.inside(_published(path)), _shelf(path)) for path in job.writes]


def _published(path: str) -> str:
    """What is published for a small file: itself, or with all fragments beside it."""
    return path if path != files.AFFECTED else f"{posixpath.dirname(path)}/*"


def _kept(job: Job, around: Surroundings) -> Sequence[JSON]:
    """What people keep. A pattern without a match fails a job that passed, so each one also matches the fragment,
    which always exists."""
    found: dict[str, str] = {}
    always = tuple(path.rpartition("/")[2] for path in job.writes)
    for path in (*job.artifacts, *([job.page] if job.page else ())):
        if path in WHOLE:
            # `report/**` would match the folder itself, which GoCD then publishes with the path that leads to it
            found[path.removesuffix("*")] = WHOLE[path]
        else:
            name = path.rpartition("/")[2]
            stem = name.rpartition(".")[0] or name
            if any(written.startswith(f"{stem}.") for written in always):
                found[f"{WORK}/*/{stem}.*"] = KEPT
            else:
                found[path] = posixpath.dirname(shelved(path))
    return [_build(around.inside(pattern), where) for pattern, where in found.items()]


def _tests(job: Job, around: Surroundings) -> Sequence[JSON]:
    folders = dict.fromkeys(posixpath.dirname(path) for path in job.junit)
    return [
        {"type": "test", "source": literal(around.inside(folder)), "destination": TESTS} for folder in folders
    ]


def _build(source: str, destination: str) -> JSON:
    return {"type": "build", "source": literal(source), "destination": literal(destination)}


def _shelf(path: str) -> str:
    """Where a file lies among the artifacts of its job: in a folder called as its own, without what leads to it, since
    a fetch takes no path with further dots after a leading one."""
    return posixpath.basename(posixpath.dirname(path))
