"""Builds: starting one, finding it again, and what it looks like while it goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pipegen.errors import NotOnServer, ServerError
from pipegen.plan.deployment import takes
from pipegen.records.run_view import State
from pipegen.servers.http import AnswerLost
from pipegen.servers.jenkins.rest import Rest, job_path
from pipegen.servers.model import Part, Place, Question, Run, RunRef

RESULTS: Mapping[str | None, State] = {
    "SUCCESS": "passed",
    "UNSTABLE": "warned",
    "FAILURE": "failed",
    "ABORTED": "cancelled",
    "NOT_BUILT": "skipped",
    None: "running",
}
"""A build's result."""
STAGES: Mapping[str, State] = {
    "SUCCESS": "passed",
    "UNSTABLE": "warned",
    "FAILED": "failed",
    "ABORTED": "cancelled",
    "NOT_EXECUTED": "skipped",
    "IN_PROGRESS": "running",
    "PAUSED_PENDING_INPUT": "approval",
}
"""A stage's status by `wfapi`."""
NODES: Mapping[str, State] = {
    "success": "passed",
    "unstable": "warned",
    "failure": "failed",
    "aborted": "cancelled",
    "not_built": "skipped",
    "skipped": "skipped",
    "running": "running",
    "paused": "approval",
    "queued": "queued",
}
"""A stage's state by `stages/tree`."""
INPUT_ACTION = "org.jenkinsci.plugins.workflow.support.steps.input.InputAction"
PARAMETERS = "hudson.model.ParametersDefinitionProperty"
APPEARS = 10.0
"""Seconds within which a build shows that was started without an answer."""
JOB = "tree=name,fullName,buildable,inQueue,nextBuildNumber,lastBuild[number,url],property[_class]"
BUILD = "number,result,building,timestamp,duration,url,displayName,queueId,actions[causes[shortDescription,userId]]"
TRIES = 3


class Builds:
    """The builds of one controller's jobs."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest

    # ------------------------------------------------------------------------------------------ starting

    def trigger(self, place: Place, inputs: Mapping[str, str]) -> RunRef:
        """Start a build, once."""
        name, definition = job_name(place), place.definitions[0]
        try:
            job = self._job(name)
        except NotOnServer:
            return self._first_of_branch(place)
        if not job.get("buildable", True):
            raise ServerError(f"{name} is disabled on Jenkins: enable it there, or `pipegen deploy` it again")
        # a branch's own job learns the parameters of its file in its first build
        asks = any(PARAMETERS in (each.get("_class") or "") for each in job.get("property") or ())
        asks = asks or bool(inputs) or bool(definition.inputs and place.branch is None)
        for _ in range(TRIES):
            try:
                ticket = self.rest.build(name, dict(inputs) if asks else None)
            except AnswerLost:
                found = self.started_since(place, job["nextBuildNumber"])
                if found is None:
                    continue
                return found
            if ticket:
                return RunRef(place=place, ticket=ticket)
            found = self.started_since(place, job["nextBuildNumber"])
            if found:
                return found
            break
        raise ServerError(
            f"it is not known whether {name} was started: look at {self.rest.http.connection.url}{job_path(name)}/"
        )

    def _job(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.rest.get(f"{job_path(name)}/api/json?{JOB}")
        return found

    def _first_of_branch(self, place: Place) -> RunRef:
        """Have a multibranch job look for the branch; finding it starts its first build."""
        definition, whole = place.definitions[0], multibranch_name(place)
        if place.branch is None:
            raise NotOnServer(f"{whole} is not on Jenkins: run `pipegen deploy jenkins` first")
        if not takes(definition, place.branch):
            raise NotOnServer(
                f"{whole} takes no branch {place.branch!r}, only {', '.join(definition.branches)}"
            )
        try:
            self.rest.scan(whole)
        except NotOnServer:
            raise NotOnServer(f"{whole} is not on Jenkins: run `pipegen deploy jenkins` first") from None
        self.rest.http.connection.say(f"Jenkins looks for the branch {place.branch}")
        found = self.started_since(place, 1, wait=self.rest.http.connection.patience)
        if found is None:
            raise NotOnServer(
                f"Jenkins found no branch {place.branch!r} with a {definition.script}: is it pushed? "
                f"{self.rest.http.connection.url}{job_path(whole)}/indexing/console says what was found"
            )
        return found

    def started_since(self, place: Place, number: int, *, wait: float | None = None) -> RunRef | None:
        """The build or queue item that appeared from build `number` on; None where none does in time."""
        until = time.monotonic() + (APPEARS if wait is None else wait)
        pause = 0.2
        while True:
            try:
                newest = next(iter(self.runs(place, 1)), None)
            except NotOnServer:
                newest = None
            if newest is not None and (newest.ref.number is None or newest.ref.number >= number):
                return newest.ref
            if time.monotonic() + pause > until:
                return None
            time.sleep(pause)
            pause = min(pause * 2, 3.0)

    # ------------------------------------------------------------------------------------------ looking

    def runs(self, place: Place, most: int) -> Sequence[Run]:
        """What waits in the queue, then the last builds."""
        name = job_name(place)
        tree = f"tree=inQueue,queueItem[id,why],builds[{BUILD}]{{0,{most}}}"
        try:
            job = self.rest.get(f"{job_path(name)}/api/json?{tree}")
        except NotOnServer:
            raise NotOnServer(_not_there(place)) from None
        found = []
        waiting = job.get("queueItem")
        if waiting:
            ref = RunRef(place=place, ticket=str(waiting["id"]))
            found.append(Run(ref=ref, state="queued", reason=waiting.get("why") or ""))
        found += [self._of_build(place, build) for build in job.get("builds", [])]
        return found[:most]

    def run(self, ref: RunRef) -> Run:
        """A build, or the queue item that becomes one."""
        if ref.number is None:
            waiting = self._queued(ref)
            if waiting.ref.number is None:
                return waiting
            ref = waiting.ref
        name = job_name(ref.place)
        assert ref.number is not None
        try:
            build = self.rest.get(f"{job_path(name)}/{ref.number}/api/json")
        except NotOnServer:
            raise NotOnServer(f"{name} has no build {ref.number}; old ones are discarded") from None
        return self._with_parts(self._of_build(ref.place, build), build)

    def _queued(self, ref: RunRef) -> Run:
        try:
            item = self.rest.get_queue_item(int(ref.ticket))
        except NotOnServer:
            return self._left_long_ago(ref)
        number = (item.get("executable") or {}).get("number")
        if number is not None:
            return Run(
                ref=RunRef(place=ref.place, number=number, ticket=ref.ticket),
                state="running",
                label=f"#{number}",
            )
        if item.get("cancelled"):
            return Run(ref=ref, state="cancelled", reason="taken out of the queue")
        return Run(ref=ref, state="queued", reason=item.get("why") or "")

    def _left_long_ago(self, ref: RunRef) -> Run:
        """Jenkins forgets queue items after some minutes; builds remember theirs."""
        for run, build in self._recent(ref.place):
            if str(build.get("queueId")) == ref.ticket:
                return run
        raise NotOnServer(f"Jenkins has forgotten the queue item {ref.ticket}, and no build came of it")

    def _recent(self, place: Place) -> Iterator[tuple[Run, dict[str, Any]]]:
        job = self.rest.get(f"{job_path(job_name(place))}/api/json?tree=builds[{BUILD}]{{0,20}}")
        for build in job.get("builds", []):
            yield self._of_build(place, build), build

    def _of_build(self, place: Place, build: Mapping[str, Any]) -> Run:
        number, actions = build["number"], [a for a in build.get("actions") or () if a]
        causes = [c.get("shortDescription", "") for a in actions for c in a.get("causes") or ()]
        revisions = [a["lastBuiltRevision"]["SHA1"] for a in actions if a.get("lastBuiltRevision")]
        started = build["timestamp"] / 1000
        building = bool(build.get("building"))
        return Run(
            ref=RunRef(place=place, number=number, ticket=str(build.get("queueId") or "")),
            state="running" if building else RESULTS.get(build.get("result"), "failed"),
            label=build.get("displayName") or f"#{number}",
            url=f"{self.rest.http.connection.url}{job_path(job_name(place))}/{number}/",
            started=started,
            seconds=max(0.0, time.time() - started) if building else build.get("duration", 0) / 1000,
            cause="; ".join(dict.fromkeys(cause for cause in causes if cause)),
            revision=revisions[0] if revisions else "",
        )

    # ------------------------------------------------------------------------------------------ stages

    def _with_parts(self, run: Run, build: Mapping[str, Any]) -> Run:
        parts = self._parts(run)
        questions: tuple[Question, ...] = ()
        actions = [action.get("_class", "") for action in build.get("actions") or () if action]
        if not run.over and (INPUT_ACTION in actions or any(p.state == "approval" for p in parts)):
            questions = self._questions(run, parts)
        state: State = "approval" if questions else run.state
        reason = run.reason
        if run.state == "failed" and not any(part.state == "failed" for part in parts):
            reason = "it failed outside of any stage; `pipegen logs` shows how"
        return replace(run, parts=parts, questions=questions, state=state, reason=reason)

    def _parts(self, run: Run) -> tuple[Part, ...]:
        try:
            return tuple(_flat(self.tree(run.ref), run))
        except NotOnServer:  # without the plugin pipeline-graph-view
            pass
        try:
            found = self.rest.get(f"{build_path(run.ref)}/wfapi/describe")
        except NotOnServer:
            return ()
        return tuple(
            Part(
                name=stage["name"],
                state=STAGES.get(stage["status"], "waiting"),
                definition=run.ref.place.definitions[0].name,
                started=stage["startTimeMillis"] / 1000,
                seconds=max(0, stage["durationMillis"]) / 1000,
                reason=(stage.get("error") or {}).get("message", ""),
                url=run.url,
                id=stage["id"],
            )
            for stage in found["stages"]
        )

    def tree(self, ref: RunRef) -> list[dict[str, Any]]:
        """The stages of a build within each other, as pipeline-graph-view tells them."""
        found: list[dict[str, Any]] = self.rest.get(f"{build_path(ref)}/stages/tree")["data"]["stages"]
        return found

    def _questions(self, run: Run, parts: Sequence[Part]) -> tuple[Question, ...]:
        found = self.rest.get(f"{build_path(run.ref)}/wfapi/pendingInputActions")
        paused = [part.name for part in parts if part.state == "approval"]
        return tuple(
            Question(
                id=asked["id"],
                part=(paused[i] if i < len(paused) else "").removeprefix("approve "),
                message=asked.get("message") or "",
                url=f"{run.url}input/",
            )
            for i, asked in enumerate(found)
        )


def _flat(stages: Sequence[Mapping[str, Any]], run: Run) -> Iterator[Part]:
    """Each stage after the one that holds it."""
    for stage in stages:
        if stage.get("placeholder"):
            continue
        started = stage.get("startTimeMillis") or 0
        taken = stage.get("totalDurationMillis")
        yield Part(
            name=stage["name"],
            state=NODES.get(stage["state"], "waiting"),
            definition=run.ref.place.definitions[0].name,
            started=started / 1000 if started else None,
            seconds=max(0, taken) / 1000 if taken is not None else None,
            agent=stage.get("agent") or "",
            url=f"{run.url}stages/?selected-node={stage['id']}",
            id=stage["id"],
        )
        yield from _flat(stage.get("children") or (), run)


def multibranch_name(place: Place) -> str:
    """The job of a place with its folders, without the branch."""
    return f"{place.folder}/{place.definitions[0].name}".lstrip("/")


def job_name(place: Place) -> str:
    """The job that builds: a branch's own job is named by the quoted branch."""
    name = multibranch_name(place)
    return f"{name}/{quote(place.branch, safe='')}" if place.branch is not None else name


def build_path(ref: RunRef) -> str:
    """The path of a build."""
    return f"{job_path(job_name(ref.place))}/{ref.number}"


def _not_there(place: Place) -> str:
    if place.branch is not None:
        return f"{multibranch_name(place)} has no branch {place.branch!r} on Jenkins; `pipegen trigger` looks for it"
    return f"{multibranch_name(place)} is not on Jenkins: run `pipegen deploy jenkins` first"
