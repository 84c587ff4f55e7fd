"""Builds that go on: answering what they ask, stopping them, and taking up one that ended badly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipegen.errors import NotOnServer, ServerError
from pipegen.servers.http import AnswerLost
from pipegen.servers.jenkins.builds import NODES, TRIES, Builds, build_path, job_name
from pipegen.servers.jenkins.rest import job_path
from pipegen.servers.model import Question, Run, RunRef

BAD = ("failed", "cancelled", "warned")


class Steering:
    """Steers the builds of one controller."""

    def __init__(self, builds: Builds) -> None:
        self._builds, self._rest = builds, builds.rest

    def answer(self, ref: RunRef, question: Question, *, accept: bool) -> None:
        """Go on, or end the build. An answer that was given already is an error, unless it may have been ours."""
        path = build_path(ref)
        for left in (2, 1, 0):
            try:
                if accept:
                    body = {"json": json.dumps({"parameter": []}), "proceed": "Proceed"}
                    self._rest.send("POST", f"{path}/wfapi/inputSubmit?inputId={question.id}", data=body)
                else:
                    self._rest.send("POST", f"{path}/input/{question.id}/abort")
                return
            except NotOnServer:
                raise NotOnServer(
                    f"nobody waits any more for {question.message!r}: it was answered, or the build is over"
                ) from None
            except AnswerLost:
                asked = [each.id for each in self._builds.run(ref).questions]
                if question.id not in asked:
                    return
                if not left:
                    raise

    def cancel(self, ref: RunRef) -> None:
        """Stop a build, or take it out of the queue. Stopping what is over does nothing."""
        if ref.number is None:
            run = self._builds.run(ref)
            if run.ref.number is None:
                self._rest.cancel_queue(ref.ticket)
                return
            ref = run.ref
        self._rest.stop_build(job_name(ref.place), ref.number)

    # ------------------------------------------------------------------------------------------ taking up

    def resume(self, run: Run) -> RunRef:
        """From the stage that failed, with what those before it stashed, where Jenkins can; else as a new build with
        the same inputs, in which unchanged stages come from DVC's run cache."""
        if not run.over:
            raise ServerError(f"{run.label} still runs: there is nothing to resume; `pipegen watch` shows it")
        if run.state == "passed":
            raise ServerError(f"{run.label} passed: there is nothing to resume")
        stage = self._first_bad(run)
        again = self._restarted(run, stage) if stage is not None else None
        return again or self._builds.trigger(run.ref.place, self._parameters(run.ref))

    def _restarted(self, run: Run, stage: str) -> RunRef | None:
        """The build that goes on from a stage; None where Jenkins can't restart this one."""
        place = run.ref.place
        before = self._rest.get(f"{job_path(job_name(place))}/api/json?tree=nextBuildNumber")
        for _ in range(TRIES):
            try:
                if not self._restart(run, stage):
                    return None
            except AnswerLost:
                found = self._builds.started_since(place, before["nextBuildNumber"])
                if found is None:
                    continue
                return found
            found = self._builds.started_since(place, before["nextBuildNumber"])
            if found is not None:
                return found
            break
        raise ServerError(
            f"it is not known whether {run.label} was restarted from {stage!r}: `pipegen status` shows its last run"
        )

    def _first_bad(self, run: Run) -> str | None:
        """The first stage of the top level that did not end well: Jenkins restarts from these alone."""
        try:
            tree = self._builds.tree(run.ref)
        except NotOnServer:
            return None
        stages = (stage for stage in tree if not stage.get("synthetic"))
        return next((stage["name"] for stage in stages if NODES.get(stage["state"]) in BAD), None)

    def _restart(self, run: Run, stage: str) -> bool:
        """Restart from a stage; whether Jenkins could. It can't for scripted files, which have no such action."""
        try:
            answer = self._rest.send(
                "POST", f"{build_path(run.ref)}/restart/restartPipeline", data={"stageName": stage}
            )
        except NotOnServer:
            return False
        said: Mapping[str, Any] = self._rest.http.decoded(answer)
        return said.get("status") == "ok" and str((said.get("data") or {}).get("success")) == "true"

    def _parameters(self, ref: RunRef) -> dict[str, str]:
        """What the build was started with, of what the job still asks for."""
        build = self._rest.get(f"{build_path(ref)}/api/json?tree=actions[parameters[name,value]]")
        given = {
            each["name"]: str(each.get("value", ""))
            for action in build.get("actions") or ()
            for each in (action or {}).get("parameters") or ()
        }
        return {name: given[name] for name in ref.place.definitions[0].inputs if name in given}
