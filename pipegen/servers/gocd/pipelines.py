"""Deploying through the pipeline API: each pipeline is an object of its own, with an ETag and our mark."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from pipegen.errors import EditedOnServer, NotOnServer, ServerError, ServerUnavailable
from pipegen.plan.deployment import Definition, Deployment
from pipegen.servers import failures
from pipegen.servers.gocd import preflight
from pipegen.servers.gocd.api import TITLE, Api, path, words
from pipegen.servers.gocd.form import JSON, difference, outline, same
from pipegen.servers.gocd.known import Known
from pipegen.servers.gocd.mark import bare, edited, mark_of, marked
from pipegen.servers.http import AnswerLost
from pipegen.servers.model import Change

VERSION = 11
TRIES = 3
PIPELINE, ENVIRONMENT = "pipeline", "environment"


class There(NamedTuple):
    """A pipeline as the server has it."""

    pipeline: JSON
    etag: str


class Seen(NamedTuple):
    """What `apply` needs besides the change."""

    wanted: JSON
    """The pipeline with its group and mark."""
    there: There | None
    files: dict[str, str]
    """The generated files, from which preflight tells what is wrong."""
    environment: str = ""
    """The environment that it is to join."""


class Joining(NamedTuple):
    """The pipelines that begin in an environment."""

    missing: tuple[str, ...]
    """They are not in it yet."""
    waiting: tuple[str, ...]
    """They are, and still paused."""


class ByApi:
    """Compares and applies pipelines one by one.

    Args:
        api: the server.
        known: its lists.
    """

    def __init__(self, api: Api, known: Known) -> None:
        self._api, self._known = api, known

    # ------------------------------------------------------------------------------------------ comparing

    def compare(self, deployment: Deployment, *, prune: bool) -> Sequence[Change]:
        """What would have to be done, in the order in which it can be done."""
        changes = [self._pipeline(definition, deployment) for definition in deployment.definitions]
        if deployment.options.get("environment"):
            changes += self._membership(deployment.options["environment"], deployment)
        if prune:
            changes += self._left_over(deployment)
        return changes

    def _pipeline(self, definition: Definition, deployment: Deployment) -> Change:
        wanted = marked(wanted_of(definition, deployment), deployment.origin)
        there = self.find(definition.name)
        seen = Seen(wanted, there, dict(deployment.files), deployment.options.get("environment", ""))
        change = Change(kind="create", name=definition.name, what=PIPELINE, definition=definition, seen=seen)
        if there is None:
            reason = self._new_group(str(wanted["group"]))
            return replace(change, difference=outline(wanted, "+"), reason=reason)
        if same(there.pipeline, wanted):
            return replace(change, kind="unchanged")
        refusal = _refusal(there.pipeline, deployment.origin)
        shown = difference(bare(there.pipeline), bare(wanted), definition.name)
        return replace(change, kind="refused" if refusal else "update", difference=shown, reason=refusal)

    def _new_group(self, group: str) -> str:
        known = {name.lower() for name in self._known.groups()}
        return "" if group.lower() in known else f"it begins the pipeline group {group!r}"

    def _membership(self, environment: str, deployment: Deployment) -> Iterator[Change]:
        """The pipelines that the environment does not hold yet; an environment itself is never made."""
        environments = self._known.environments()
        holders = {name.lower(): holder for holder, names in environments.items() for name in names}
        missing = [d.name for d in deployment.definitions if holders.get(d.name.lower()) != environment]
        waiting = [d.name for d in deployment.definitions if d.name not in missing and self._waits(d.name)]
        elsewhere = [f"{name} is in {holders[name.lower()]!r}" for name in missing if name.lower() in holders]
        if not missing and not waiting:
            return
        shown = "".join(f"+ {name}\n" for name in missing)
        shown += "".join(f"- {name} is paused, as pipegen left it\n" for name in waiting)
        seen = Joining(tuple(missing), tuple(waiting))
        change = Change(kind="update", name=environment, what=ENVIRONMENT, difference=shown, seen=seen)
        if environment not in environments:
            reason = "there is no such environment; an administrator makes it and gives it agents"
            yield replace(change, kind="refused", reason=reason)
        elif elsewhere:
            reason = f"a pipeline can be in one environment only, and {', '.join(elsewhere)}"
            yield replace(change, kind="refused", reason=reason)
        else:
            yield change

    def _waits(self, name: str) -> bool:
        """Whether an earlier deployment paused a pipeline and did not come to resume it."""
        return self._known.paused().get(name) == JOINS

    def _left_over(self, deployment: Deployment) -> Sequence[Change]:
        """What this description made here and no longer has, each before what it needs."""
        wanted = {definition.name.lower() for definition in deployment.definitions}
        prefix = f"{deployment.pipeline}-".lower()
        names = [name for group in self._known.groups().values() for name in group]
        ours: dict[str, There] = {}
        for name in names:
            if name.lower().startswith(prefix) and name.lower() not in wanted:
                there = self.find(name)
                mark = mark_of(there.pipeline) if there else None
                if there and mark and mark.origin == deployment.origin:
                    ours[name] = there
        return [
            Change(
                kind="refused" if edited(ours[name].pipeline) else "delete",
                name=name,
                what=PIPELINE,
                difference=outline(ours[name].pipeline, "-"),
                reason=EDITED if edited(ours[name].pipeline) else "",
                seen=Seen({}, ours[name], {}),
            )
            for name in _users_first(ours)
        ]

    def find(self, name: str) -> There | None:
        """A pipeline; None where there is none."""
        try:
            response = self._api.response(f"/api/admin/pipelines{path(name)}", VERSION)
        except NotOnServer:
            return None
        return There(self._api.http.decoded(response), response.headers.get("ETag", ""))

    # ------------------------------------------------------------------------------------------ applying

    def apply(self, change: Change, *, force: bool) -> None:
        """Make one change."""
        if change.kind == "unchanged":
            return
        if change.kind == "refused" and not force:
            raise EditedOnServer(
                f"{change.what} {change.name}: {change.reason}\n{change.difference}".rstrip()
            )
        if change.what == ENVIRONMENT:
            self._add_to(change.name, change.seen)
        elif change.definition is None:
            self._delete(change.name, change.seen)
        elif change.seen.there is None:
            self._create(change.name, change.seen)
        else:
            self._update(change.name, change.seen)

    def _create(self, name: str, seen: Seen) -> None:
        """Make a pipeline, once: where an answer is lost, look before asking again."""
        inner = {key: each for key, each in seen.wanted.items() if key != "group"}
        body = {"group": seen.wanted["group"], "pipeline": inner}
        # it would begin at once, on any agent: it waits until it is in its environment
        paused = {"X-pause-pipeline": "true", "X-pause-cause": JOINS} if seen.environment else {}
        for _ in range(TRIES):
            try:
                answer = self._api.send(
                    "POST", "/api/admin/pipelines", VERSION, body=body, headers=paused, accepting=(422,)
                )
            except AnswerLost:
                if self._is_there(name, seen):
                    break
                continue
            except NotOnServer as error:
                raise self._why_not(name, seen, error) from None
            if answer.status_code == 422 and not self._is_there(name, seen):
                raise failures.refused(TITLE, self._api.connection, answer, words(answer))
            break
        else:
            raise ServerUnavailable(
                f"GoCD was asked {TRIES} times to make {name}, answered none of them and has not made it; "
                "deploy again when the connection is better"
            )
        self._known.forget("groups")

    def _is_there(self, name: str, seen: Seen) -> bool:
        """Whether the pipeline exists as wanted. Raises EditedOnServer where another one does."""
        there = self.find(name)
        if there is not None and not same(there.pipeline, seen.wanted):
            raise self._edited(name, there.pipeline, seen)
        return there is not None

    def _why_not(self, name: str, seen: Seen, error: NotOnServer) -> ServerError:
        """GoCD 26.1 answers 404 to a pipeline that it finds wrong, and keeps the reasons to itself; 25.4 tells them."""
        if "lookup by Pipeline" not in error.message:
            group = seen.wanted["group"]
            return ServerError(
                f"GoCD did not make {name}: {error.message} Only an administrator can begin a group: "
                f"have {group!r} made, or name another in `targets: {{gocd: {{group: …}}}}`"
            )
        reasons = preflight.reasons(self._api, seen.files, names=_names(self._known.groups().values()))
        said = "; ".join(reasons) or (
            "it does not say why; the page Admin > Pipelines shows it if the pipeline is made there by hand"
        )
        return ServerError(f"GoCD finds {name} wrong: {said}")

    def _update(self, name: str, seen: Seen) -> None:
        assert seen.there is not None
        where = f"/api/admin/pipelines{path(name)}"
        match = {"If-Match": seen.there.etag}
        try:
            # safe to send twice: the second time the ETag is no longer right, which is told from what is there
            response = self._api.send(
                "PUT", where, VERSION, body=seen.wanted, headers=match, accepting=(412,), idempotent=True
            )
        except NotOnServer:
            raise self._edited(name, None, seen) from None
        if response.status_code == 412:
            there = self.find(name)
            if there is None or not same(there.pipeline, seen.wanted):
                raise self._edited(name, there.pipeline if there else None, seen)
        self._known.forget("groups")

    def _edited(self, name: str, there: JSON | None, seen: Seen) -> EditedOnServer:
        if there is None:
            return EditedOnServer(f"{name} was deleted on the server meanwhile; deploy again")
        return EditedOnServer(
            f"somebody changed {name} on the server meanwhile; it was left as it is. Deploy again to see it\n"
            + difference(bare(there), bare(seen.wanted), name)
        )

    def _delete(self, name: str, seen: Seen) -> None:
        there = self.find(name)
        if there is None:
            return
        assert seen.there is not None
        if there.etag != seen.there.etag and not same(there.pipeline, seen.there.pipeline):
            raise EditedOnServer(
                f"somebody changed {name} on the server meanwhile; it was not deleted\n"
                + difference(seen.there.pipeline, there.pipeline, name)
            )
        for environment, members in self._known.environments().items():
            if name in members:
                self._patch(environment, {"add": [], "remove": [name]})
        with contextlib.suppress(NotOnServer):  # where the first try did it, and its answer was lost
            self._api.send("DELETE", f"/api/admin/pipelines{path(name)}", VERSION, idempotent=True)
        self._known.forget("groups")

    def _add_to(self, environment: str, joining: Joining) -> None:
        if joining.missing:
            self._patch(environment, {"add": list(joining.missing), "remove": []})
        self._known.forget("paused")
        for name in (*joining.missing, *joining.waiting):
            try:
                self._let_begin(name)
            except ServerError as error:
                raise ServerError(
                    f"{name} is in the environment {environment!r} and still paused: resume it on GoCD's dashboard "
                    f"({error.message})"
                ) from None

    def _let_begin(self, name: str) -> None:
        """Resume a pipeline that was paused by us alone."""
        where = f"/api/pipelines{path(name)}"
        status = self._api.get(f"{where}/status", 1)
        if status["paused"] and status["paused_cause"] == JOINS:
            self._api.send("POST", f"{where}/unpause", 1, accepting=(409,), idempotent=True)

    def _patch(self, environment: str, pipelines: dict[str, list[str]]) -> None:
        where = f"/api/admin/environments{path(environment)}"
        self._known.forget("environments")
        self._api.send("PATCH", where, 3, body={"pipelines": pipelines}, idempotent=True)
        self._known.forget("environments")


JOINS = "pipegen deploys it, and it has not joined its environment yet"
"""Why a new pipeline is paused for a moment."""
EDITED = "somebody edited it on the server since it was deployed"


def wanted_of(definition: Definition, deployment: Deployment) -> JSON:
    """A definition's pipeline, with its group inside as an update takes it."""
    text: JSON = json.loads(definition.text)
    return {**text["pipeline"], "group": text.get("group") or deployment.folder}


def _refusal(there: JSON, origin: str) -> str:
    """Why a pipeline must not be overwritten; empty where it is ours and untouched."""
    source = there.get("origin") or {}
    if source.get("type") == "config_repo":
        return f"the config repository {source.get('id')!r} defines it, and GoCD changes it only there"
    mark = mark_of(there)
    if mark is None:
        return "pipegen did not make it"
    if mark.origin != origin:
        return f"it is deployed from another description, {mark.origin}"
    return EDITED if edited(there) else ""


def _users_first(pipelines: dict[str, There]) -> Iterable[str]:
    """Pipelines, each before those that it depends on: GoCD keeps what is still needed."""
    left = dict(pipelines)
    while left:
        needed = {upstream for there in left.values() for upstream in _upstream(there.pipeline)}
        free = [name for name in left if name.lower() not in needed] or list(left)
        for name in free:
            del left[name]
            yield name


def _upstream(pipeline: JSON) -> Iterator[str]:
    for material in pipeline.get("materials") or ():
        if material["type"] == "dependency":
            yield str(material["attributes"]["pipeline"]).lower()


def _names(groups: Iterable[Sequence[str]]) -> set[str]:
    return {name.lower() for group in groups for name in group}
