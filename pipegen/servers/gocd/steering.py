"""Starting, approving, cancelling, unlocking and taking up runs: all that makes a server do something, and only once.

GoCD accepts such an order (202) and carries it out some seconds later. So what was ordered is looked for afterwards,
and where the answer to an order is lost, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pipegen.errors import NotOnServer, ServerError, ServerUnavailable
from pipegen.servers import failures
from pipegen.servers.gocd import instances
from pipegen.servers.gocd.api import TITLE, Api, path, words
from pipegen.servers.gocd.form import JSON
from pipegen.servers.gocd.runs import Runs, attempt_of
from pipegen.servers.gocd.tickets import Ticket
from pipegen.servers.http import AnswerLost
from pipegen.servers.model import Place, Question, Run, RunRef

if TYPE_CHECKING:
    from requests import Response

T = TypeVar("T")

LOOK = 45.0
"""Seconds in which what was ordered is expected to be seen: the server schedules every few seconds."""
PAUSE = 1.0
"""Seconds between two looks."""
SKEW = 2.0
"""Seconds by which the server's messages may seem older than the order that they are about: they are cut to seconds."""


class Steering:
    """Gives orders.

    Args:
        api: the server.
        runs: reads runs.
        user: who we are there, asked when needed.
    """

    def __init__(self, api: Api, runs: Runs, user: Callable[[], str]) -> None:
        self._api, self._runs, self._user = api, runs, user

    # ------------------------------------------------------------------------------------------ starting

    def trigger(self, place: Place, inputs: Mapping[str, str]) -> RunRef:
        """Start a run: the first pipeline, and where a workflow on push has several that need none, these too."""
        variables = [{"name": name, "value": value, "secure": False} for name, value in inputs.items()]
        ref = self._schedule(place, {"environment_variables": variables} if variables else None)
        for number, definition in enumerate(place.definitions[1:], 1):
            if not instances.needed(definition):
                self._schedule(replace(place, definitions=place.definitions[number:]), None)
        return ref

    def _schedule(self, place: Place, body: JSON | None) -> RunRef:
        """Start the first pipeline of a place."""
        name = place.definitions[0].name
        ticket = self._ticket(name, time.time())
        where = f"/api/pipelines{path(name)}/schedule"
        try:
            answer = self._api.send("POST", where, 1, body=body, accepting=(409, 422))
        except NotOnServer:
            raise NotOnServer(f"{name} is not on GoCD: run `pipegen deploy gocd` first") from None
        except AnswerLost as error:
            return self._look_for_start(place, ticket, error)
        if answer.status_code in (409, 422):
            raise self._refused(answer, name)
        ticket = Ticket(ticket.last, _date(answer) - SKEW, ticket.user)
        return RunRef(place=place, ticket=str(ticket))

    def _ticket(self, name: str, asked: float) -> Ticket:
        newest = next(iter(self._runs.history(name, 1)), None)
        return Ticket(int(newest["counter"]) if newest else 0, asked, self._user())

    def _look_for_start(self, place: Place, ticket: Ticket, lost: AnswerLost) -> RunRef:
        """Nobody knows whether the order came through. A second one could start a second run, so only look."""
        ref = RunRef(place=place, ticket=str(ticket))
        number = self._await(lambda: self._runs.find(ref))
        if number is not None:
            return RunRef(place=place, number=number)
        raise ServerUnavailable(
            f"{lost.message}, and no run of {place.definitions[0].name} began in {LOOK:g} s; "
            "look with `pipegen status` before you start it again"
        )

    def _refused(self, answer: Response, name: str) -> ServerError:
        said = words(answer)
        hints = {
            "is locked": "`pipegen unlock` frees it if that run is dead",
            "is paused": "someone paused it; resume it on the dashboard",
            "already triggered": "a start of it is under way; `pipegen watch` shows it",
            "still in progress": "wait for it with `pipegen watch`, or `pipegen cancel` it",
            "has not been configured": "`pipegen deploy gocd` brings the description there",
        }
        hint = next((hint for words_, hint in hints.items() if words_ in said), "")
        return ServerError(f"GoCD did not start {name}: {said}" + (f"; {hint}" if hint else ""))

    # ------------------------------------------------------------------------------------------ approving

    def approve(self, ref: RunRef, question: Question, *, accept: bool) -> None:
        """Start the stage that waits. A stage that began meanwhile is left alone: starting it would run it again."""
        pipeline, counter, stage = question.id.split("/")
        if not accept:
            raise ServerError(
                f"GoCD can't refuse {stage}: a run that nobody approves just stays as it is. The next run replaces it"
            )
        if self._has_begun(pipeline, int(counter), stage):
            raise ServerError(f"{stage} of {pipeline} {counter} was approved already")
        where = f"/api/stages{path(pipeline, counter, stage)}/run"
        try:
            answer = self._api.send("POST", where, 2, accepting=(409,))
        except AnswerLost as error:
            if self._await(lambda: self._has_begun(pipeline, int(counter), stage)):
                return
            raise ServerUnavailable(
                f"{error.message}, and {stage} did not begin in {LOOK:g} s; look with `pipegen status` before "
                "you approve again"
            ) from None
        if answer.status_code == 409:
            raise failures.refused(TITLE, self._api.connection, answer, words(answer))

    def _has_begun(self, pipeline: str, counter: int, stage: str) -> bool:
        instance = self._runs.instance(pipeline, counter)
        return any(each["name"] == stage and instances.has_begun(each) for each in instance["stages"])

    # ------------------------------------------------------------------------------------------ stopping

    def cancel(self, ref: RunRef) -> None:
        """Cancel every stage that works; cancelling one that is done does nothing."""
        number = self._await(lambda: self._runs.find(ref))
        if number is None:
            raise ServerError(
                f"the run of {ref.place.definitions[0].name} has not begun yet, and GoCD can't take it out of its "
                "queue; cancel it when `pipegen status` shows it"
            )
        for _, instance in list(self._runs.instances(ref.place, number)):
            for stage in instance["stages"] if instance else ():
                if instance and instances.has_begun(stage) and instances.is_active(stage):
                    where = f"/api/stages{path(*attempt_of(instance, stage))}/cancel"
                    self._api.send("POST", where, 3, idempotent=True)

    def unlock(self, place: Place) -> None:
        """Free the locks of a workflow's pipelines. Raises ServerError where none is locked."""
        names = [definition.name for definition in place.definitions]
        locked = [name for name in names if self._status(name)["locked"]]
        if not locked:
            raise ServerError(f"{place.workflow} is not locked")
        for name in locked:
            answer = self._api.send(
                "POST", f"/api/pipelines{path(name)}/unlock", 1, accepting=(409,), idempotent=True
            )
            if answer.status_code == 409 and self._status(name)["locked"]:
                raise failures.refused(TITLE, self._api.connection, answer, words(answer))

    def _status(self, name: str) -> JSON:
        found: JSON = self._api.get(f"/api/pipelines{path(name)}/status", 1)
        return found

    # ------------------------------------------------------------------------------------------ taking up

    def resume(self, run: Run) -> RunRef:
        """Run again the jobs that did not pass, in the same run: what follows them then goes on by itself. Where GoCD
        can't (the pipeline was changed since), a new run of the same commit."""
        number = self._runs.find(run.ref)
        if number is None:
            raise ServerError(
                f"the run did not begin: {run.reason or 'start it again with `pipegen trigger`'}"
            )
        ref = RunRef(place=run.ref.place, number=number)
        found = [instance for _, instance in self._runs.instances(ref.place, number) if instance]
        bad = [(i, stage) for i in found for stage in i["stages"] if _ended_badly(stage)]
        if not bad:
            raise ServerError(f"there is nothing to take up: no job of {run.label or number} failed")
        for instance, stage in bad:
            if not self._run_again(instance, stage):
                return self._anew(ref, found[0])
        return ref

    def _run_again(self, instance: JSON, stage: JSON) -> bool:
        """Run the bad jobs of a stage again; False where GoCD refuses."""
        attempt = attempt_of(instance, stage)
        jobs = [job["name"] for job in stage["jobs"] if instances.job_state(job) != "passed"]
        where = f"/api/stages{path(*attempt)}/run-selected-jobs"

        def next_attempt() -> bool | None:
            now = self._runs.instance(attempt.pipeline, attempt.counter)
            return any(
                int(each["counter"]) > attempt.number
                for each in now["stages"]
                if each["name"] == attempt.stage
            )

        try:
            answer = self._api.send("POST", where, 3, body={"jobs": jobs}, accepting=(400, 409, 422))
        except NotOnServer:
            return False  # a job is no longer in the pipeline
        except AnswerLost as error:
            if self._await(next_attempt):
                return True
            raise ServerUnavailable(
                f"{error.message}, and {attempt.stage} did not begin again in {LOOK:g} s; "
                "look with `pipegen status` before you take it up again"
            ) from None
        if answer.status_code >= 400:
            return False
        # who watches from here on must not see the old end
        if not self._await(next_attempt):
            raise ServerUnavailable(
                f"GoCD took the order to run {attempt.stage} again, and has not begun in {LOOK:g} s; "
                "`pipegen watch` shows when it does"
            )
        return True

    def _anew(self, ref: RunRef, instance: JSON) -> RunRef:
        revisions = [
            {
                "fingerprint": material["material"]["fingerprint"],
                "revision": material["modifications"][0]["revision"],
            }
            for material in instance["build_cause"]["material_revisions"]
            if material["modifications"]
        ]
        return self._schedule(ref.place, {"materials": revisions})

    def _await(self, look: Callable[[], T | None]) -> T | None:
        """What `look` finds at last; None if it finds nothing in time."""
        until = time.monotonic() + LOOK
        while True:
            found = look()
            if found or time.monotonic() > until:
                return found
            time.sleep(PAUSE)


def _ended_badly(stage: Mapping[str, Any]) -> bool:
    return (
        instances.has_begun(stage)
        and not instances.is_active(stage)
        and instances.stage_state(stage) in ("failed", "cancelled")
    )


def _date(answer: Response) -> float:
    """The server's own clock."""
    text = answer.headers.get("Date", "")
    return parsedate_to_datetime(text).timestamp() if text else time.time()
