"""A Jenkins controller that remembers: folders, jobs, the queue, builds with stages, logs and questions.

Every answer is a recorded one with other names and numbers in it; the recording stands beside it. What no recording
shows is answered 501, which fails the test.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from tests.servers.exchanges import Answer, Received
from tests.servers.exchanges import jenkins as recorded

Route = Callable[..., Answer]
jenkins = cache(recorded)
VALID = "Jenkinsfile successfully validated.\n"


@dataclass
class Stage:
    """One stage of a build: it works for a while, and may fail or ask."""

    name: str
    seconds: float = 0.05
    fails: bool = False
    asks: str = ""
    lines: tuple[str, ...] = ()


@dataclass
class Build:
    """A build: its stages one after the other, by the clock."""

    number: int
    ticket: int
    parameters: dict[str, str]
    stages: Sequence[Stage]
    began: float
    cause: str = "Started by user admin"
    stopped: float | None = None
    answered: dict[str, float] = field(default_factory=dict)

    def states(self) -> list[tuple[Stage, str, float]]:
        """Each stage with its state and the seconds it has been at it."""
        found, at, bad = [], self.began, False
        now = min(time.time(), self.stopped or float("inf"))
        for stage in self.stages:
            if bad or at > now:
                found.append((stage, "skipped" if bad or self.stopped else "queued", 0.0))
                continue
            if stage.asks and stage.name not in self.answered:
                found.append((stage, "aborted" if self.stopped else "paused", now - at))
                at, bad = float("inf"), bool(self.stopped)
                continue
            at = self.answered.get(stage.name, at)
            done = at + stage.seconds
            if now < done:
                found.append((stage, "aborted" if self.stopped else "running", now - at))
                bad = bool(self.stopped)
            else:
                found.append((stage, "failure" if stage.fails else "success", stage.seconds))
                bad = stage.fails
            at = done
        return found

    @property
    def result(self) -> str | None:
        """None while it goes on."""
        states = [state for _, state, _ in self.states()]
        if self.stopped:
            return "ABORTED"
        if any(state in ("queued", "running", "paused") for state in states):
            return None
        return "FAILURE" if "failure" in states else "SUCCESS"

    def log(self) -> str:
        """The console so far, with a note of Jenkins' in its first line."""
        text = f"{self.cause.replace('admin', NOTE + 'admin')}\n"
        for stage, state, _ in self.states():
            if state in ("queued", "skipped"):
                break
            text += f"[Pipeline] {{ ({stage.name})\n"
            if state in ("success", "failure"):
                text += "".join(f"{line}\n" for line in stage.lines)
        return text + (f"Finished: {self.result}\n" if self.result else "")


NOTE = "\x1b[8mha:////4D29AAAAlx+LCAAAAAAAAP9b85aBtbiIQTGjNKU4P08vOT+vOD8nVc83PyU1x6OyILUoJzM==\x1b[0m"


@dataclass
class Job:
    """A job or folder."""

    config: str
    builds: list[Build] = field(default_factory=list)
    queue: list[tuple[int, float, dict[str, str]]] = field(default_factory=list)

    @property
    def root(self) -> ElementTree.Element:
        """Its definition."""
        return ElementTree.fromstring(re.sub(r"^<\?xml[^>]*\?>", "", self.config))

    @property
    def parameters(self) -> dict[str, str]:
        """Names and defaults."""
        return {
            each.findtext("name", ""): each.findtext("defaultValue", "")
            for each in self.root.iterfind(".//parameterDefinitions/*")
        }


class JenkinsModel:
    """Answers as Jenkins 2.579 does.

    Args:
        stages: what each build does.
        after: seconds that a build waits in the queue.
        branches: the branches that the repository of each multibranch job has.
    """

    def __init__(
        self, stages: Sequence[Stage] = (Stage("one"),), *, after: float = 0.05, branches: Sequence[str] = ()
    ) -> None:
        self.stages, self.after, self.branches = stages, after, branches
        self.jobs: dict[str, Job] = {}
        self.plugins: dict[str, str] = {
            each["shortName"]: each["version"] for each in jenkins("93e").json()["plugins"]
        }
        self.labels: dict[str, int] = {"linux": 1, "gpu": 1}
        self.credentials: list[dict[str, Any]] = jenkins("73").json()["credentials"]
        self.linted: str = VALID
        self.quiet = False
        self._numbers = 1
        self._lock = threading.RLock()
        self._refused: list[str] = []

    def answer(self, got: Received) -> Answer:
        """The answer to a request as a recording shows it."""
        path = urlsplit(got.target).path.removeprefix("/jenkins")
        with self._lock:
            self._leave_queues()
            for method, pattern, route in self._routes():
                found = re.fullmatch(pattern, path)
                if found and method == got.method:
                    return route(got, *found.groups())
        self._refused.append(f"{got} is in no recording")
        return Answer.of(501, "not recorded")

    def lost(self, got: Received) -> None:
        """What was done is done."""

    def failures(self) -> list[str]:
        """Requests that no recording shows."""
        return self._refused

    def _routes(self) -> Iterator[tuple[str, str, Route]]:
        job = r"((?:/job/[^/]+)+)"
        yield "GET", r"/api/json", self._root
        yield "GET", r"/whoAmI/api/json", lambda got: jenkins("ctl-c").answer
        yield "GET", r"/pluginManager/api/json", self._plugins
        yield "GET", r"/label/([^/]+)/api/json", self._label
        yield "GET", r"/credentials/store/system/domain/_/api/json", self._credentials
        yield "POST", r"/pipeline-model-converter/validate", self._lint
        yield "GET", r"/queue/item/(\d+)/api/json", self._queue_item
        yield "POST", r"/queue/cancelItem", self._cancel_item
        yield "POST", rf"{job}?/createItem", self._create
        yield "GET", rf"{job}/config.xml", self._config
        yield "POST", rf"{job}/config.xml", self._reconfig
        yield "POST", rf"{job}/doDelete", self._delete
        yield "GET", rf"{job}/api/json", self._job
        yield "POST", rf"{job}/(build|buildWithParameters)", self._build
        yield "GET", rf"{job}/(\d+)/api/json", self._build_json
        yield "GET", rf"{job}/(\d+)/stages/tree", self._tree
        yield "GET", rf"{job}/(\d+)/wfapi/pendingInputActions", self._pending
        yield "POST", rf"{job}/(\d+)/wfapi/inputSubmit", self._submit
        yield "POST", rf"{job}/(\d+)/input/([^/]+)/abort", self._abort
        yield "GET", rf"{job}/(\d+)/logText/progressiveText", self._progressive
        yield "GET", rf"{job}/(\d+)/execution/node/(\d+)/wfapi/describe", self._node
        yield "GET", rf"{job}/(\d+)/execution/node/(\d+)/wfapi/log", self._node_log
        yield "POST", rf"{job}/(\d+)/stop", self._stop
        yield "POST", rf"{job}/(\d+)/restart/restartPipeline", self._restart

    # -------------------------------------------------------------------------------------- the controller

    def _root(self, got: Received) -> Answer:
        if "jobs[" in unquote(got.target):
            return _json("93m", jobs=self._listing(""))
        return _json("ctl-c2", quietingDown=self.quiet)

    def _listing(self, folder: str) -> list[dict[str, Any]]:
        depth = folder.count("/") + 1 if folder else 0
        return [
            {"name": name.rpartition("/")[2], "description": job.root.findtext("description")}
            for name, job in self.jobs.items()
            if name.count("/") == depth and name.startswith(f"{folder}/" if folder else "")
        ]

    def _plugins(self, got: Received) -> Answer:
        found = [
            {"shortName": name, "version": version, "active": True, "enabled": True}
            for name, version in self.plugins.items()
        ]
        return _json("93e", plugins=found)

    def _label(self, got: Received, label: str) -> Answer:
        if label in self.labels:
            return _json("ctl-b", name=label, totalExecutors=self.labels[label])
        return _json("ctl-b2", name=label)

    def _credentials(self, got: Received) -> Answer:
        return _json("73", credentials=self.credentials)

    def _lint(self, got: Received) -> Answer:
        assert got.form["jenkinsfile"].strip()
        return jenkins("98a").answered(body=self.linted).answer

    # -------------------------------------------------------------------------------------- jobs

    def _find(self, path: str) -> Job | None:
        return self.jobs.get(_name(path))

    def _create(self, got: Received, path: str | None) -> Answer:
        folder, name = _name(path or ""), got.query["name"]
        if folder and folder not in self.jobs:
            return jenkins("24").answer
        whole = f"{folder}/{name}".lstrip("/")
        if whole in self.jobs:
            return jenkins("11").answered(X_Error=f"A job already exists with the name  {name} ").answer
        if got.headers.get("Content-Type") != "application/xml":
            return jenkins("17").answer
        self.jobs[whole] = Job(_rewritten(got.body.decode()))
        return jenkins("10").answer

    def _config(self, got: Received, path: str) -> Answer:
        job = self._find(path)
        return jenkins("20").answered(body=job.config).answer if job else jenkins("24").answer

    def _reconfig(self, got: Received, path: str) -> Answer:
        job = self._find(path)
        if job is None:
            return jenkins("22c").answer
        job.config = _rewritten(got.body.decode())
        return jenkins("21").answer

    def _delete(self, got: Received, path: str) -> Answer:
        if self.jobs.pop(_name(path), None) is None:
            return jenkins("95d").answer
        return jenkins("95c").answer

    def _job(self, got: Received, path: str) -> Answer:
        job = self._find(path)
        if job is None:
            return jenkins("24").answer
        if "jobs[" in unquote(got.target):
            return _json("94c", jobs=self._listing(_name(path)))
        waiting = job.queue[0] if job.queue else None
        return _json(
            "27",
            name=_name(path),
            buildable=job.root.findtext("disabled") != "true",
            nextBuildNumber=len(job.builds) + 1 + len(job.queue),
            inQueue=bool(waiting),
            queueItem={"id": waiting[0], "why": "In the quiet period. Expires in 1 sec"} if waiting else None,
            builds=[self._facts(build) for build in reversed(job.builds)],
        )

    # -------------------------------------------------------------------------------------- builds

    def _build(self, got: Received, path: str, how: str) -> Answer:
        job, name = self._find(path), _name(path)
        if job is None:
            return jenkins("24").answer
        if "WorkflowMultiBranchProject" in job.config:
            return self._scan(name)
        if job.root.findtext("disabled") == "true":
            return jenkins("59b").answer
        if how == "buildWithParameters" and not job.parameters:
            return jenkins("46").answer
        if how == "build" and job.parameters:
            return jenkins("49c").answer
        self._numbers += 1
        given = {n: v for n, v in got.form.items() if n in job.parameters} if got.body else {}
        job.queue.append((self._numbers, time.time() + self.after, {**job.parameters, **given}))
        location = f"http://127.0.0.1:18080/jenkins/queue/item/{self._numbers}/"
        return jenkins("30").answered(Location=location).answer

    def _scan(self, name: str) -> Answer:
        for branch in self.branches:
            quoted = branch.replace("/", "%2F")
            if f"{name}/{quoted}" not in self.jobs:
                self._numbers += 1
                job = self.jobs[f"{name}/{quoted}"] = Job(_rewritten("<flow-definition/>"))
                job.queue.append((self._numbers, time.time() + self.after, {}))
        return jenkins("mb-a9").answer

    def _leave_queues(self) -> None:
        for job in self.jobs.values():
            while job.queue and job.queue[0][1] <= time.time():
                ticket, _, parameters = job.queue.pop(0)
                build = Build(len(job.builds) + 1, ticket, parameters, self.stages, time.time())
                job.builds.append(build)

    def _queue_item(self, got: Received, number: str) -> Answer:
        for name, job in self.jobs.items():
            for ticket, _, _ in job.queue:
                if str(ticket) == number:
                    return _json("51", id=ticket)
            for build in job.builds:
                if str(build.ticket) == number:
                    return _json("32", id=build.ticket, executable={"number": build.number, "url": name})
        return jenkins("45").answer

    def _cancel_item(self, got: Received) -> Answer:
        for job in self.jobs.values():
            for item in job.queue:
                if str(item[0]) == got.query["id"]:
                    job.queue.remove(item)
                    return jenkins("52").answer
        return jenkins("54").answer

    def _facts(self, build: Build) -> dict[str, Any]:
        facts: dict[str, Any] = dict(jenkins("33").json())
        over = build.result is not None
        parameters = [{"name": name, "value": value} for name, value in build.parameters.items()]
        actions = [
            {"causes": [{"shortDescription": build.cause, "userId": "admin"}]},
            {"lastBuiltRevision": {"SHA1": "3f53f07a01662d75a195c60d5cfe387e75409693"}},
            {"parameters": parameters} if parameters else {},
            {},
        ]
        if any(state == "paused" for _, state, _ in build.states()):
            actions.append({"_class": "org.jenkinsci.plugins.workflow.support.steps.input.InputAction"})
        seconds = sum(each[2] for each in build.states())
        return facts | {
            "actions": actions,
            "building": not over,
            "result": build.result,
            "number": build.number,
            "displayName": f"#{build.number}",
            "queueId": build.ticket,
            "timestamp": int(build.began * 1000),
            "duration": int(seconds * 1000) if over else 0,
        }

    def _of(self, path: str, number: str) -> Build | None:
        job = self._find(path)
        if job is None or not 0 < int(number) <= len(job.builds):
            return None
        return job.builds[int(number) - 1]

    def _build_json(self, got: Received, path: str, number: str) -> Answer:
        build = self._of(path, number)
        return _json("33", **self._facts(build)) if build else jenkins("42").answer

    def _tree(self, got: Received, path: str, number: str) -> Answer:
        build = self._of(path, number)
        if build is None:
            return jenkins("42").answer
        shape = jenkins("68c").json()["data"]["stages"][0]
        stages = [
            shape
            | {
                "id": str(at + 6),
                "name": stage.name,
                "title": stage.name,
                "state": state,
                "totalDurationMillis": int(seconds * 1000),
                "agent": "ag1" if state not in ("queued", "skipped") else "",
            }
            for at, (stage, state, seconds) in enumerate(build.states())
            if state != "queued"
        ]
        return _json("68c", data={"stages": stages, "complete": build.result is not None})

    def _pending(self, got: Received, path: str, number: str) -> Answer:
        build = self._of(path, number)
        assert build
        shape = jenkins("67").json()[0]
        asked = [
            shape | {"id": f"id-{stage.name}", "message": stage.asks, "inputs": []}
            for stage, state, _ in build.states()
            if state == "paused"
        ]
        return jenkins("67").answered(body=json.dumps(asked)).answer

    def _submit(self, got: Received, path: str, number: str) -> Answer:
        build = self._of(path, number)
        name = got.query["inputId"].removeprefix("id-")
        if build is None or name not in [s.name for s, state, _ in build.states() if state == "paused"]:
            return jenkins("67i").answer
        assert json.loads(got.form["json"]) == {"parameter": []}
        build.answered[name] = time.time()
        return jenkins("67f").answer

    def _abort(self, got: Received, path: str, number: str, asked: str) -> Answer:
        build = self._of(path, number)
        assert build
        build.stopped = time.time()
        return jenkins("67j").answer

    def _progressive(self, got: Received, path: str, number: str) -> Answer:
        build = self._of(path, number)
        assert build
        whole, start = build.log().encode(), int(got.query["start"])
        more = {"X_More_Data": "true"} if build.result is None else {}
        text = whole if start > len(whole) else whole[start:]
        found = jenkins("36").answered(body=text.decode(), X_Text_Size=str(len(whole)), **more)
        return found.answer

    def _node(self, got: Received, path: str, number: str, node: str) -> Answer:
        step = jenkins("65c").json()["stageFlowNodes"][0] | {"id": f"{node}00"}
        return _json("65c", id=node, stageFlowNodes=[step])

    def _node_log(self, got: Received, path: str, number: str, node: str) -> Answer:
        build = self._of(path, number)
        assert build
        stage, state, _ = build.states()[int(node.removesuffix("00")) - 6]
        text = "".join(f"{line}\n" for line in stage.lines) if state in ("success", "failure") else ""
        return _json("65d", nodeId=node, text=text, length=len(text))

    def _stop(self, got: Received, path: str, number: str) -> Answer:
        build = self._of(path, number)
        if build is None:
            return jenkins("58b").answer
        if build.result is None:
            build.stopped = time.time()
        return jenkins("56").answer

    def _restart(self, got: Received, path: str, number: str) -> Answer:
        job, build = self._find(path), self._of(path, number)
        assert job and build
        name = got.form["stageName"]
        at = [stage.name for stage in build.stages].index(name)
        self._numbers += 1
        again = Build(len(job.builds) + 1, self._numbers, build.parameters, self.stages[at:], time.time())
        again.cause = f"Restarted from build #{number}, stage {name}"
        job.builds.append(again)
        return jenkins("96c").answer


def _name(path: str) -> str:
    """`a/b` of `/job/a/job/b`."""
    return "/".join(unquote(part) for part in path.split("/job/")[1:])


def _json(recording: str, **changes: Any) -> Answer:
    """A recorded answer with other values."""
    found = jenkins(recording)
    return found.answered(body=json.dumps({**found.json(), **changes})).answer


def _rewritten(config: str) -> str:
    """What Jenkins makes of a definition: another declaration, versions of plugins, empty elements in short [20]."""
    text = re.sub(r"^<\?xml[^>]*\?>", '<?xml version="1.1" encoding="UTF-8"?>', config)
    text = text.replace(
        "<flow-definition>", '<flow-definition plugin="workflow-job@1581.ve4b_d0db_fcb_b_b_">'
    )
    return re.sub(r"<(properties|triggers)>\s*</\1>", r"<\1/>", text)
