"""Runs of pipelines: found, read, and listed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipegen.errors import AccessRefused, NotOnServer
from pipegen.plan.deployment import Definition
from pipegen.records.run_view import State
from pipegen.servers.gocd import instances
from pipegen.servers.gocd.api import Api, path
from pipegen.servers.gocd.form import JSON
from pipegen.servers.gocd.instances import Attempt
from pipegen.servers.gocd.known import Known
from pipegen.servers.gocd.tickets import Ticket
from pipegen.servers.model import Part, Place, Question, Run, RunRef

PAGE = (10, 100)
"""The least and the most runs that a page of the history holds."""
LOUDEST: tuple[State, ...] = ("running", "approval", "queued", "cancelled", "failed", "passed")
"""Of several pipelines that are one run: while one goes on, the run does."""
PATIENT = 60.0
"""Seconds that a job may wait for an agent before we ask the server what it thinks of that."""


class Runs:
    """Reads runs.

    Args:
        api: the server.
        known: its lists.
    """

    def __init__(self, api: Api, known: Known) -> None:
        self._api, self._known = api, known
        self._lock = threading.Lock()
        self._stages: dict[Attempt, tuple[list[Any], JSON]] = {}
        self._hosts: dict[str, str] = {}

    # ------------------------------------------------------------------------------------------ asking

    def history(self, pipeline: str, most: int) -> list[JSON]:
        """The last runs of a pipeline, newest first. Raises NotOnServer where there is no such pipeline."""
        where = f"/api/pipelines{path(pipeline)}/history"
        query = {"page_size": str(min(max(most, PAGE[0]), PAGE[1]))}
        found: list[JSON] = []
        while True:
            try:
                page: JSON = self._api.get(where, 1, **query)
            except NotOnServer:
                raise NotOnServer(f"{pipeline} is not on GoCD: run `pipegen deploy gocd` first") from None
            found += page["pipelines"]
            after = _next_page(page)
            if len(found) >= most or not after:
                return found[:most]
            query["after"] = after

    def instance(self, pipeline: str, counter: int) -> JSON:
        """One run of a pipeline."""
        found: JSON = self._api.get(f"/api/pipelines{path(pipeline, counter)}", 1)
        return found

    def stage(self, attempt: Attempt) -> JSON:
        """One run of a stage."""
        found: JSON = self._api.get(f"/api/stages{path(*attempt)}", 3)
        return found

    def messages(self) -> list[JSON]:
        """What the server says of its health; nothing where we may not ask."""
        try:
            found: list[JSON] = self._api.get("/api/server_health_messages", 1)
        except AccessRefused:
            return []
        return found

    # ------------------------------------------------------------------------------------------ finding

    def find(self, ref: RunRef) -> int | None:
        """The counter of a run; None where the server has not begun it yet."""
        if ref.number is not None:
            return ref.number
        ticket = Ticket.read(ref.ticket)
        for instance in reversed(self.history(ref.place.definitions[0].name, PAGE[0])):
            if ticket.fits(instance):
                return int(instance["counter"])
        return None

    def instances(self, place: Place, counter: int) -> Iterator[tuple[Definition, JSON | None]]:
        """Each pipeline of a workflow with its run that belongs to the first one's; None where it has not begun."""
        first, *others = place.definitions
        begun = self.instance(first.name, counter)
        counters = {first.name.lower(): counter}
        yield first, begun
        for definition in others:
            found = self._following(definition, counters, instances.revision(begun))
            if found is not None:
                counters[definition.name.lower()] = int(found["counter"])
            yield definition, found

    def _following(self, definition: Definition, counters: Mapping[str, int], revision: str) -> JSON | None:
        """The newest run of a pipeline that is made of the runs in `counters` alone; of one that needs none, which
        begins beside the first, the newest run of the same commit."""
        needs_none = not instances.needed(definition)
        for instance in self.history(definition.name, PAGE[0]):
            made_of = dict(instances.upstream(instance))
            if needs_none and instances.revision(instance) == revision:
                return instance
            if made_of and all(counters.get(name) == number for name, number in made_of.items()):
                return instance
        return None

    # ------------------------------------------------------------------------------------------ reading

    def run(self, ref: RunRef) -> Run:
        """A run with its parts."""
        counter = self.find(ref)
        if counter is None:
            return self._awaited(ref)
        ref = RunRef(place=ref.place, number=counter)
        found = list(self.instances(ref.place, counter))
        states = instances.states(found)
        state = next(each for each in LOUDEST if each in states)
        parts = [
            part for definition, instance in found if instance for part in self._parts(definition, instance)
        ]
        first = found[0][1]
        assert first is not None
        return self._summary(ref, first, state, parts, tuple(self._questions(found)))

    def _summary(
        self,
        ref: RunRef,
        instance: JSON,
        state: Any,
        parts: Sequence[Part] = (),
        questions: Sequence[Question] = (),
    ) -> Run:
        started = instances.seconds(instance.get("scheduled_date"))
        ends = [part.started + part.seconds for part in parts if part.started and part.seconds is not None]
        cause = instance["build_cause"]
        reasons = list(dict.fromkeys(part.reason for part in parts if part.reason))
        return Run(
            ref=ref,
            state=state,
            label=str(instance["label"]),
            url=f"{self._api.connection.url}/pipelines/value_stream_map{path(instance['name'], instance['counter'])}",
            started=started,
            seconds=max(ends) - started if started and ends else None,
            cause=cause["trigger_message"],
            revision=instances.revision(instance),
            reason="; ".join(reasons[:3]),
            parts=tuple(parts),
            questions=tuple(questions),
        )

    def _awaited(self, ref: RunRef) -> Run:
        """A run that was asked for and is not there yet; the server says only in passing that it will never be."""
        ticket, name = Ticket.read(ref.ticket), ref.place.definitions[0].name
        said = list(instances.said_of(self.messages(), name, ticket.asked))
        refused = [m for m in said if "trigger" in m["message"] or "cannot be scheduled" in m["message"]]
        reason = "; ".join(map(instances.plain, refused or said))
        return Run(ref=ref, state="failed" if refused else "queued", reason=reason)

    def runs(self, place: Place, most: int) -> Sequence[Run]:
        """The last runs of a workflow's first pipeline, newest first, without their parts."""
        first = place.definitions[0]
        manual = instances.manual_stages(first)
        return [
            self._summary(
                RunRef(place=place, number=int(instance["counter"])),
                instance,
                instances.instance_state(instance, manual),
            )
            for instance in self.history(first.name, most)
        ]

    # ------------------------------------------------------------------------------------------ parts

    def _parts(self, definition: Definition, instance: JSON) -> Iterator[Part]:
        for stage in instance["stages"]:
            if instances.has_begun(stage):
                attempt = attempt_of(instance, stage)
                for job in self._stage(attempt, stage)["jobs"]:
                    yield self._part(definition, attempt, job)
        for name in definition.parts:
            if name.split("/")[0] == instances.asks(definition, instance):
                yield Part(name=name, state="approval", definition=definition.name)

    def _stage(self, attempt: Attempt, stage: JSON) -> JSON:
        """The stage's own answer, which has times and agents; asked for again only when one of its jobs went on."""
        states = [(job["name"], job["state"], job.get("result")) for job in stage["jobs"]]
        with self._lock:
            known = self._stages.get(attempt)
        if known is None or known[0] != states:
            known = states, self.stage(attempt)
            with self._lock:
                self._stages[attempt] = known
        return known[1]

    def _part(self, definition: Definition, attempt: Attempt, job: JSON) -> Part:
        state = instances.job_state(job)
        began = instances.transition(job, "Preparing", "Building", "Completing")
        ended = instances.transition(job, "Completed")
        asked = instances.seconds(job.get("scheduled_date"))
        name = f"{attempt.stage}/{job['name']}"
        waits = state == "queued" and asked is not None and time.time() - asked > PATIENT
        return Part(
            name=name,
            state=state,
            definition=definition.name,
            started=began,
            seconds=max(0.0, (ended or time.time()) - began) if began else None,
            agent=self._host(job.get("agent_uuid") or ""),
            url=f"{self._api.connection.url}/tab/build/detail{path(*attempt, job['name'])}",
            reason=self._why_waiting(f"{attempt.pipeline}/{name}") if waits else "",
            id="/".join(map(str, (*attempt, job["name"]))),
        )

    def _why_waiting(self, job: str) -> str:
        said = list(instances.said_of(self.messages(), job, 0.0))
        return "; ".join(map(instances.plain, said)) or "no agent has taken it yet"

    def _host(self, uuid: str) -> str:
        """An agent's name; its identifier where the server shows us no agents."""
        if uuid and uuid not in self._hosts:
            self._known.forget("agents")
            try:
                found = {agent["uuid"]: agent["hostname"] for agent in self._known.agents()}
            except (AccessRefused, NotOnServer):
                found = {}
            self._hosts.update({uuid: uuid, **found})
        return self._hosts.get(uuid, "")

    def _questions(self, found: Sequence[tuple[Definition, JSON | None]]) -> Iterator[Question]:
        for definition, instance in found:
            stage = instances.asks(definition, instance) if instance else None
            if instance and stage:
                people = instances.manual_stages(definition)[stage.lower()]
                yield Question(
                    id="/".join(map(str, (instance["name"], instance["counter"], stage))),
                    part=stage,
                    message=f"start {stage}" + (f" (for {people})" if people else ""),
                    url=f"{self._api.connection.url}/pipelines/value_stream_map"
                    f"{path(instance['name'], instance['counter'])}",
                )


def _next_page(page: JSON) -> str:
    """Where the older runs begin, as the server counts them; empty on the last page."""
    link = (page.get("_links") or {}).get("next") or {}
    return dict(parse_qsl(urlsplit(str(link.get("href", ""))).query)).get("after", "")


def attempt_of(instance: JSON, stage: JSON) -> Attempt:
    """Which run of a stage an instance shows: the last one."""
    return Attempt(instance["name"], int(instance["counter"]), stage["name"], int(stage["counter"]))
