"""A GoCD server that remembers: pipelines, groups, environments, config repositories and runs.

Every answer is a recorded one with other names and numbers in it; the number of the recording stands beside it. What no
recording shows is answered 501, which fails the test.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.servers.exchanges import PASSWORD, USER, Answer, Received, gocd

JSON = dict[str, Any]
Route = Callable[..., Answer]
ADMIN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@dataclass
class Job:
    """One job of a stage that runs: it waits, works and ends by the clock."""

    name: str
    began: float
    works: float
    """Seconds."""
    result: str = "Passed"
    ended: float | None = None
    lines: tuple[str, ...] = ("one", "two", "three")

    def state(self) -> tuple[str, str]:
        """State and result, as the API calls them."""
        now = time.time()
        if self.ended is not None:
            return "Completed", self.result
        if now < self.began + self.works / 4:
            return "Scheduled", "Unknown"
        if now < self.began + self.works:
            return "Building", "Unknown"
        return "Completed", self.result

    def console(self) -> str | None:
        """As much of the log as is written; None before an agent has it [R 299]."""
        state, _ = self.state()
        if state == "Scheduled":
            return None
        part = (time.time() - self.began) / self.works
        many = len(self.lines) if state == "Completed" else int(part * len(self.lines))
        text = "##|02:46:14.926 [go] Job Started\n" + "".join(
            f"&1|02:46:15.{n:03} {line}\n" for n, line in enumerate(self.lines[:many])
        )
        return text + ("ex|02:46:16.000 [go] Job completed\n" if state == "Completed" else "")


@dataclass
class Stage:
    """One attempt of a stage."""

    name: str
    counter: int = 0
    jobs: list[Job] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return bool(self.jobs) and all(job.state()[0] == "Completed" for job in self.jobs)

    @property
    def passed(self) -> bool:
        return self.done and all(job.result == "Passed" for job in self.jobs)


@dataclass
class Run:
    """One run of a pipeline."""

    counter: int
    user: str
    variables: list[JSON]
    stages: list[Stage]
    made_of: dict[str, int] = field(default_factory=dict)
    """The counters of the runs upstream, by pipeline."""


class GoCDModel:
    """Answers as GoCD 26.1.0 does.

    Args:
        works: seconds that a job takes.
        after: seconds until a run that was ordered is there.
        fails: jobs that fail the first time, as `stage/job`.
        lines: what jobs write, by `stage/job`; others write a line or two.
    """

    def __init__(
        self,
        *,
        works: float = 0.1,
        after: float = 0.05,
        fails: tuple[str, ...] = (),
        lines: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.works, self.after, self.fails, self.lines = works, after, set(fails), lines or {}
        self.pipelines: dict[str, JSON] = {}
        self.environments: dict[str, list[str]] = {}
        self.runs: dict[str, list[Run]] = {}
        self.locked: set[str] = set()
        self.paused: dict[str, str] = {}
        """Why, by pipeline."""
        self.maintenance = False
        self.agents: JSON = gocd(270).json()
        self.profiles: list[JSON] = []
        self.secrets: list[JSON] = []
        self._lock = threading.RLock()
        self._refused: list[str] = []
        self._ordered: dict[str, tuple[float, Run]] = {}

    # -------------------------------------------------------------------------------------- being asked

    def answer(self, got: Received) -> Answer:
        """The answer; permissions and versions first, as the server does."""
        path = got.path.removeprefix("/go")
        with self._lock:
            if got.headers.get("Authorization") != ADMIN and path != "/api/version":
                return gocd(22).answer
            for method, pattern, version, route in self._routes():
                found = re.fullmatch(pattern, path)
                if found and method == got.method:
                    accepted = f"application/vnd.go.cd{f'.v{version}' if version else ''}+json"
                    if version is not None and got.headers.get("Accept") != accepted:
                        return self._refuse(got, f"needs Accept: {accepted}", gocd(55).answer)
                    writes = got.method in ("POST", "PUT", "PATCH") and version is not None
                    if writes and not got.body and not got.headers.get("X-GoCD-Confirm"):
                        return self._refuse(got, "has neither body nor X-GoCD-Confirm", gocd(59).answer)
                    if writes and self.maintenance:
                        return gocd(341).answer
                    return route(got, *found.groups())
        return self._refuse(got, "is in no recording", Answer.of(501, "not recorded"))

    def _refuse(self, got: Received, why: str, answer: Answer) -> Answer:
        self._refused.append(f"{got} {why}")
        return answer

    def lost(self, got: Received) -> None:
        """What was done is done."""

    def failures(self) -> list[str]:
        """Requests that are in no recording, or not as in one."""
        return self._refused

    def _routes(self) -> tuple[tuple[str, str, int | str | None, Route], ...]:
        name = "([^/]+)"
        stage = f"/api/stages/{name}/([0-9]+)/{name}"
        return (
            ("GET", "/api/version", "", lambda got: gocd(1).answer),
            ("GET", "/api/current_user", 1, lambda got: gocd(29).answer),
            ("GET", "/api/admin/maintenance_mode/info", 1, self._maintenance),
            ("GET", "/api/agents", 7, lambda got: gocd(270).answered(200, self.agents).answer),
            # of these two only the path and version were recorded [R 009]; the form is that of all lists [R 484]
            ("GET", "/api/elastic/profiles", 2, lambda got: _list("profiles", self.profiles)),
            ("GET", "/api/admin/secret_configs", 3, lambda got: _list("secret_configs", self.secrets)),
            ("GET", "/api/admin/pipeline_groups", 1, self._groups),
            ("GET", "/api/admin/environments", 3, self._environments),
            ("PATCH", f"/api/admin/environments/{name}", 3, self._patch_environment),
            ("POST", "/api/admin/pipelines", 11, self._create),
            ("GET", f"/api/admin/pipelines/{name}", 11, self._get),
            ("PUT", f"/api/admin/pipelines/{name}", 11, self._update),
            ("DELETE", f"/api/admin/pipelines/{name}", 11, self._delete),
            ("POST", f"/api/pipelines/{name}/schedule", 1, self._schedule),
            ("POST", f"/api/pipelines/{name}/unlock", 1, self._unlock),
            ("GET", f"/api/pipelines/{name}/status", 1, self._status),
            ("POST", f"/api/pipelines/{name}/unpause", 1, self._unpause),
            ("GET", "/api/dashboard", 4, self._dashboard),
            ("GET", f"/api/pipelines/{name}/history", 1, self._history),
            ("GET", f"/api/pipelines/{name}/([0-9]+)", 1, self._instance),
            ("POST", f"{stage}/run", 2, self._run_stage),
            ("GET", f"{stage}/([0-9]+)", 3, self._stage),
            ("POST", f"{stage}/([0-9]+)/cancel", 3, self._cancel),
            ("POST", f"{stage}/([0-9]+)/run-selected-jobs", 3, self._run_jobs),
            ("GET", f"/api/jobs/{name}/([0-9]+)/{name}/([0-9]+)/{name}", 1, self._job),
            ("GET", "/api/server_health_messages", 1, lambda got: gocd(229).answer),
            (
                "GET",
                f"/files/{name}/([0-9]+)/{name}/([0-9]+)/{name}/cruise-output/console.log",
                None,
                self._console,
            ),
        )

    # -------------------------------------------------------------------------------------- configuration

    def _maintenance(self, got: Received) -> Answer:
        return gocd(338).answered(200, {**gocd(338).json(), "is_maintenance_mode": self.maintenance}).answer

    def _groups(self, got: Received) -> Answer:
        groups: dict[str, list[JSON]] = {}
        for pipeline in self.pipelines.values():
            groups.setdefault(pipeline["group"], []).append({"name": pipeline["name"]})
        found = [{"name": name, "authorization": {}, "pipelines": each} for name, each in groups.items()]
        return gocd(48).answered(200, {"_embedded": {"groups": found}}).answer

    def _environments(self, got: Received) -> Answer:
        found = [
            {"name": name, "pipelines": [{"name": each} for each in members], "environment_variables": []}
            for name, members in self.environments.items()
        ]
        return gocd(373).answered(200, {"_embedded": {"environments": found}}).answer

    def _patch_environment(self, got: Received, name: str) -> Answer:
        asked = got.json()["pipelines"]
        if name not in self.environments:
            return gocd(363).answer
        if any(each not in self.pipelines for each in asked["add"]):
            return gocd(533).answer
        kept = [each for each in self.environments[name] if each not in asked["remove"]]
        self.environments[name] = list(dict.fromkeys([*kept, *asked["add"]]))
        return gocd(368).answer

    def _create(self, got: Received) -> Answer:
        body = got.json()
        name = body["pipeline"]["name"]
        if name.lower() in (each.lower() for each in self.pipelines):
            return gocd(52).answered(422, {"message": f"Failed to add pipeline '{name}'."}).answer
        self.pipelines[name] = _as_kept({**body["pipeline"], "group": body["group"]})
        if got.headers.get("X-pause-pipeline") == "true":  # [149, 150]
            self.paused[name] = got.headers["X-pause-cause"]
        return self._shown(51, name)

    def _get(self, got: Received, name: str) -> Answer:
        if name not in self.pipelines:
            return gocd(67).answered(404, {"message": f"Pipeline with name '{name}' was not found!"}).answer
        return self._shown(64, name)

    def _update(self, got: Received, name: str) -> Answer:
        if name not in self.pipelines:
            return gocd(67).answer
        if got.headers.get("If-Match") != etag(self.pipelines[name]):
            return gocd(70).answer
        self.pipelines[name] = _as_kept(got.json())
        return self._shown(72, name)

    def _delete(self, got: Received, name: str) -> Answer:
        if name not in self.pipelines:
            return gocd(152).answer
        users = [
            pipeline["name"]
            for pipeline in self.pipelines.values()
            for material in pipeline["materials"]
            if material["attributes"].get("pipeline") == name
        ]
        if users:
            return gocd(380).answer
        del self.pipelines[name]
        return gocd(151).answer

    def _shown(self, number: int, name: str) -> Answer:
        pipeline = self.pipelines[name]
        return gocd(number).answered(200, pipeline, ETag=etag(pipeline)).answer

    # -------------------------------------------------------------------------------------- runs

    def _schedule(self, got: Received, name: str) -> Answer:
        if name not in self.pipelines:
            return gocd(219).answered(404, {"message": f"Pipeline '{name}' not found."}).answer
        self._settle(name)
        if name in self.locked:
            return gocd(262).answer
        if name in self.paused:
            return gocd(234).answer
        if name in self._ordered:
            return gocd(221).answer
        runs = self.runs.setdefault(name, [])
        if runs and not runs[-1].stages[0].done:
            return gocd(272).answer
        variables = got.json().get("environment_variables", []) if got.body else []
        known = {each["name"] for each in self.pipelines[name]["environment_variables"]}
        if any(each["name"] not in known for each in variables):
            return gocd(224).answer
        stages = [Stage(stage["name"]) for stage in self.pipelines[name]["stages"]]
        self._ordered[name] = time.time() + self.after, Run(len(runs) + 1, USER, variables, stages)
        return gocd(222 if got.body else 220).answered(202).answer

    def _unlock(self, got: Received, name: str) -> Answer:
        if name not in self.locked:
            return gocd(264).answer
        self.locked.remove(name)
        return gocd(263).answer

    def _status(self, got: Received, name: str) -> Answer:
        cause = self.paused.get(name, "")
        shown = {"locked": name in self.locked, "paused": name in self.paused, "paused_cause": cause}
        return gocd(261).answered(200, {**gocd(261).json(), **shown}).answer

    def _dashboard(self, got: Received) -> Answer:
        whole = gocd(302).json()
        form = whole["_embedded"]["pipelines"][0]
        whole["_embedded"]["pipelines"] = [
            {
                **form,
                "name": name,
                "pause_info": {
                    **form["pause_info"],
                    "paused": name in self.paused,
                    "pause_reason": self.paused.get(name),
                },
            }
            for name in self.pipelines
        ]
        return gocd(302).answered(200, whole).answer

    def _unpause(self, got: Received, name: str) -> Answer:
        return (gocd(236) if self.paused.pop(name, None) is None else gocd(235)).answer

    def _settle(self, name: str) -> None:
        """Let what is due happen."""
        due = self._ordered.get(name)
        if due and due[0] <= time.time():
            self._begin(name, due[1].stages[0])
            self.runs[name].append(due[1])
            del self._ordered[name]
        self._follow(name)
        for run in self.runs.get(name, ()):
            for stage, following in zip(run.stages, run.stages[1:], strict=False):
                if stage.passed and not following.jobs and not self._is_manual(name, following.name):
                    self._begin(name, following)

    def _follow(self, name: str) -> None:
        """Begin a run of what depends on others, once all of these have new runs that passed [254]."""
        upstream = {m["attributes"].get("pipeline") for m in self.pipelines[name]["materials"]} - {None}
        last = {}
        for other in upstream:
            self._settle(other)
            passed = [run for run in self.runs.get(other, ()) if all(stage.passed for stage in run.stages)]
            last[other] = passed[-1].counter if passed else 0
        runs = self.runs.setdefault(name, [])
        fresh = not runs or all(last[other] > runs[-1].made_of[other] for other in upstream)
        if upstream and all(last.values()) and fresh:
            stages = [Stage(stage["name"]) for stage in self.pipelines[name]["stages"]]
            runs.append(Run(len(runs) + 1, "changes", [], stages, last))
            self._begin(name, stages[0])

    def _begin(self, name: str, stage: Stage, only: list[str] | None = None) -> None:
        config = next(s for s in self.pipelines[name]["stages"] if s["name"] == stage.name)
        kept = [job for job in stage.jobs if only and job.name not in only]
        new = []
        for name_ in (job["name"] for job in config["jobs"] if not only or job["name"] in only):
            job = Job(name_, time.time(), self.works, self._result(f"{stage.name}/{name_}"))
            job.lines = self.lines.get(f"{stage.name}/{name_}", job.lines)
            new.append(job)
        stage.jobs = [*kept, *new]
        stage.counter += 1

    def _result(self, job: str) -> str:
        if job in self.fails:
            self.fails.remove(job)
            return "Failed"
        return "Passed"

    def _is_manual(self, name: str, stage: str) -> bool:
        config = next(s for s in self.pipelines[name]["stages"] if s["name"] == stage)
        return bool((config.get("approval") or {}).get("type") == "manual")

    def _history(self, got: Received, name: str) -> Answer:
        if name not in self.pipelines:
            return gocd(175).answer
        if not 10 <= int(got.query.get("page_size", 10)) <= 100:
            return gocd(176).answer
        self._settle(name)
        runs, size = list(reversed(self.runs.get(name, []))), int(got.query.get("page_size", 10))
        if "after" in got.query:  # [177]; the form of the link is not recorded
            runs = [run for run in runs if run.counter < int(got.query["after"])]
        found = {"pipelines": [self._run_json(name, run) for run in runs[:size]]}
        if len(runs) > size:
            after = f"/go/api/pipelines/{name}/history?after={runs[size - 1].counter}"
            found["_links"] = {"next": {"href": f"http://127.0.0.1:8153{after}"}}
        return gocd(171).answered(200, found).answer

    def _instance(self, got: Received, name: str, counter: str) -> Answer:
        self._settle(name)
        run = self._run(name, counter)
        return gocd(172).answered(200, self._run_json(name, run)).answer if run else gocd(174).answer

    def _run(self, name: str, counter: str) -> Run | None:
        return next((run for run in self.runs.get(name, ()) if run.counter == int(counter)), None)

    def _run_json(self, name: str, run: Run) -> JSON:
        found: JSON = copy.deepcopy(gocd(172).json())
        done, waiting = found["stages"]
        cause = {"trigger_message": f"Forced by {run.user}", "trigger_forced": True, "approver": run.user}
        began = min(job.began for stage in run.stages for job in stage.jobs)
        found.update(name=name, counter=run.counter, label=str(run.counter), scheduled_date=int(began * 1000))
        found["build_cause"].update(cause)
        (shape_of_upstream,) = gocd(254).json()["build_cause"]["material_revisions"]
        for other, number in run.made_of.items():
            stage = self.pipelines[other]["stages"][-1]["name"]
            modification = {
                **shape_of_upstream["modifications"][0],
                "revision": f"{other}/{number}/{stage}/1",
            }
            found["build_cause"]["material_revisions"].append(
                {**shape_of_upstream, "modifications": [modification]}
            )
        found["stages"] = []
        for stage in run.stages:
            shape = copy.deepcopy(done if stage.jobs else waiting)
            shape.update(name=stage.name, counter=str(stage.counter or 1))
            shape["jobs"] = [
                {"name": j.name, "scheduled_date": int(j.began * 1000), "state": s, "result": r}
                for j in stage.jobs
                for s, r in (j.state(),)
            ]
            found["stages"].append(shape)
        return found

    def _find(self, name: str, counter: str, stage: str) -> Stage | None:
        self._settle(name)
        run = self._run(name, counter)
        return next((each for each in run.stages if each.name == stage), None) if run else None

    def _stage(self, got: Received, name: str, counter: str, stage: str, number: str) -> Answer:
        found = self._find(name, counter, stage)
        if found is None or not found.jobs:
            return gocd(179).answer
        shape: JSON = copy.deepcopy(gocd(178).json())
        job_shape = shape["jobs"][0]
        shape.update(name=stage, counter=found.counter, pipeline_name=name, pipeline_counter=int(counter))
        shape["jobs"] = [self._job_json(job_shape, job) for job in found.jobs]
        return gocd(178).answered(200, shape).answer

    def _job(self, got: Received, name: str, counter: str, stage: str, number: str, job: str) -> Answer:
        found = self._find(name, counter, stage)
        each = next(j for j in found.jobs if j.name == job) if found else None
        return (
            gocd(181).answered(200, self._job_json(gocd(181).json(), each)).answer
            if each
            else gocd(174).answer
        )

    @staticmethod
    def _job_json(shape: Mapping[str, Any], job: Job) -> JSON:
        state, result = job.state()
        times = [("Scheduled", job.began)]
        times += [("Building", job.began + job.works / 4)] if state != "Scheduled" else []
        times += [("Completed", job.ended or job.began + job.works)] if state == "Completed" else []
        return {
            **shape,
            "name": job.name,
            "state": state,
            "result": result,
            "scheduled_date": int(job.began * 1000),
            "agent_uuid": gocd(270).json()["_embedded"]["agents"][0]["uuid"]
            if state != "Scheduled"
            else None,
            "job_state_transitions": [{"state": s, "state_change_time": int(t * 1000)} for s, t in times],
        }

    def _run_stage(self, got: Received, name: str, counter: str, stage: str) -> Answer:
        found = self._find(name, counter, stage)
        if found is None:
            return gocd(212).answer
        self._begin(name, found)
        return gocd(209).answer

    def _run_jobs(self, got: Received, name: str, counter: str, stage: str, number: str) -> Answer:
        found = self._find(name, counter, stage)
        jobs = got.json()["jobs"]
        if found is None or any(job not in (each.name for each in found.jobs) for job in jobs):
            return gocd(214).answer
        self._begin(name, found, jobs)
        return gocd(213).answer

    def _cancel(self, got: Received, name: str, counter: str, stage: str, number: str) -> Answer:
        found = self._find(name, counter, stage)
        if found is None or found.done:
            return gocd(277).answer
        for job in found.jobs:
            if job.state()[0] != "Completed":
                job.result, job.ended = "Cancelled", time.time()
        return gocd(276).answer

    def _console(self, got: Received, name: str, counter: str, stage: str, number: str, job: str) -> Answer:
        found = self._find(name, counter, stage)
        each = next((j for j in found.jobs if j.name == job), None) if found else None
        if each is None:
            return gocd(187).answer
        text = each.console()
        if text is None:
            return gocd(299).answer
        lines = text.splitlines(keepends=True)[int(got.query.get("startLineNumber", 0)) :]
        return gocd(184).answered(200, "".join(lines)).answer


def _list(name: str, entries: list[JSON]) -> Answer:
    return gocd(484).answered(200, {"_embedded": {name: entries}}).answer


def _as_kept(pipeline: JSON) -> JSON:
    """A pipeline as the server shows it again: with its defaults [R 524] and who defines it."""
    kept = copy.deepcopy(pipeline)
    minimal = gocd(524).json()
    for key, value in minimal.items():
        kept.setdefault(key, value)
    for stage in kept["stages"]:
        for key, value in minimal["stages"][0].items():
            stage.setdefault(key, value)
        for job in stage["jobs"]:
            for key, value in minimal["stages"][0]["jobs"][0].items():
                job.setdefault(key, value)
    return kept


def etag(pipeline: JSON) -> str:
    """Strong, quoted, 64 hex digits."""
    return f'"{hashlib.sha256(json.dumps(pipeline, sort_keys=True).encode()).hexdigest()}"'
