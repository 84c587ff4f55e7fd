"""Jobs on the controller against those of a description: what differs, and bringing one to what is wanted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from pipegen.errors import EditedOnServer, NotOnServer, ServerError, ServerUnavailable
from pipegen.plan.deployment import Definition, Deployment
from pipegen.servers.http import AnswerLost
from pipegen.servers.jenkins.config import Config, difference, is_deployed, is_of, marked
from pipegen.servers.jenkins.rest import Rest, folder_path, job_path
from pipegen.servers.model import Change

FOLDER = "<com.cloudbees.hudson.plugins.folder.Folder/>"
MANY = 3
"""After so many jobs that a folder lacks, one list of it tells of the rest: the first deployment of hundreds."""
TRIES = 3
"""How often a write is sent whose answer was lost and that turns out not to have been done."""


class Deploying:
    """Compares and changes the jobs of one controller."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest
        self._lock = threading.Lock()
        self._listed: dict[str, list[dict[str, Any]]] = {}
        self._lacking: dict[str, int] = {}

    # ------------------------------------------------------------------------------------------ what differs

    def compare(self, deployment: Deployment, *, prune: bool) -> Iterator[Change]:
        """Missing folders first, then each job, then those that nobody asks for any more."""
        changes = [self._compared(deployment, definition) for definition in deployment.definitions]
        if any(change.kind == "create" for change in changes):
            yield from self._missing_folders(deployment.folder)
        yield from changes
        if prune:
            yield from self._stale(deployment)

    def _compared(self, deployment: Deployment, definition: Definition) -> Change:
        name, origin = full_name(deployment, definition), deployment.origin
        wanted = Config(marked(definition.text, origin))
        what = wanted.ours[0].removeprefix("kind: ")
        there = self._seen_now(name)
        if there is None:
            kind, reason = "create", ""
        elif there.mark is None:
            kind, reason = "refused", "pipegen did not make it"
        elif not is_of(there, origin):
            kind, reason = "refused", f"it belongs to the description at {there.mark.origin}"
        elif there.ours[0] != wanted.ours[0]:
            kind, reason = "refused", f"it is a {there.ours[0].removeprefix('kind: ')}: delete it first"
        elif there.is_edited:
            kind, reason = "refused", "somebody changed it on Jenkins"
        elif there.same(wanted):
            kind, reason = "unchanged", ""
        else:
            kind, reason = "update", ""
        return Change(
            kind=kind,  # type: ignore[arg-type] # all five are of the type
            name=name,
            what=what,
            difference="" if kind == "unchanged" else difference(there, wanted, name),
            reason=reason,
            definition=definition,
            seen=Seen(origin, there),
        )

    def _seen_now(self, name: str) -> Config | None:
        """A job as it is, from a list where many are missing."""
        folder, _, short = name.rpartition("/")
        if self._lacking.get(folder, 0) >= MANY and all(j["name"] != short for j in self._jobs_in(folder)):
            return None
        there = self.config(name)
        if there is None:
            self._lacking[folder] = self._lacking.get(folder, 0) + 1
        return there

    def config(self, name: str) -> Config | None:
        """A job as it is; None where there is none."""
        try:
            text = self.rest.get_job_config(name)
        except NotOnServer:
            return None
        try:
            return Config(text)
        except ValueError as error:
            raise ServerError(f"Jenkins gave no definition of {name}: {error}") from None

    def _missing_folders(self, folder: str) -> Iterator[Change]:
        parts = folder.split("/") if folder else []
        for depth in range(1, len(parts) + 1):
            name = "/".join(parts[:depth])
            try:
                self.rest.get(f"{job_path(name)}/api/json?tree=name")
            except NotOnServer:
                yield Change(kind="create", name=name, what="folder", difference=f"+++ pipegen/{name}\n")

    def _stale(self, deployment: Deployment) -> Iterator[Change]:
        wanted = {definition.name for definition in deployment.definitions}
        for job in self._jobs_in(deployment.folder):
            if job["name"] in wanted or "[pipegen " not in (job.get("description") or ""):
                continue
            name = f"{deployment.folder}/{job['name']}".lstrip("/")
            there = self.config(name)
            if there is None or not is_of(there, deployment.origin):
                continue
            yield Change(
                kind="refused" if there.is_edited else "delete",
                name=name,
                what=there.ours[0].removeprefix("kind: "),
                difference=difference(there, None, name),
                reason="somebody changed it on Jenkins" if there.is_edited else "",
                seen=Seen(deployment.origin, there),
            )

    def _jobs_in(self, folder: str) -> list[dict[str, Any]]:
        """Name and description of the jobs in a folder, asked for once for all descriptions."""
        with self._lock:
            if folder not in self._listed:
                try:
                    found = self.rest.get(f"{folder_path(folder)}/api/json?tree=jobs[name,description]")
                    self._listed[folder] = found.get("jobs", [])
                except NotOnServer:
                    self._listed[folder] = []
            return self._listed[folder]

    # ------------------------------------------------------------------------------------------ making it so

    def apply(self, change: Change, *, force: bool) -> None:
        """Make one change; several tries where answers are lost, and never twice what one would do."""
        if change.kind == "unchanged":
            return
        if change.kind == "refused" and not force:
            raise EditedOnServer(f"{change.name}: {change.reason}\n{change.difference}".rstrip())
        for left in reversed(range(TRIES)):
            try:
                self._once(change, force=force)
                return
            except AnswerLost as error:
                if self._is_done(change):
                    return
                if not left:
                    raise ServerUnavailable(
                        f"{change.name}: {error.message.split(';')[0]}, {TRIES} times; it was not changed"
                    ) from None

    def _once(self, change: Change, *, force: bool) -> None:
        folder, _, name = change.name.rpartition("/")
        if change.what == "folder":
            self._create(change, folder, name, FOLDER)
            return
        seen: Seen = change.seen
        if change.kind == "create" and change.definition is not None:
            # no look before: Jenkins refuses a name that somebody took in the meantime
            self._create(change, folder, name, marked(change.definition.text, seen.origin))
            return
        now = self.config(change.name)
        _refuse_surprise(change, now, force=force)
        if change.definition is None:
            if now is not None:
                self.rest.delete(change.name)
        elif now is not None and is_deployed(now, change.definition.text, seen.origin):
            return
        elif now is None:
            self._create(change, folder, name, marked(change.definition.text, seen.origin))
        else:
            self.rest.reconfig_job(change.name, marked(change.definition.text, seen.origin))

    def _create(self, change: Change, folder: str, name: str, text: str) -> None:
        with self._lock:  # what was listed is old now
            self._listed.pop(folder, None)
            self._lacking.pop(folder, None)
        try:
            self.rest.create(folder, name, text)
        except ServerUnavailable as error:
            if "500" in error.message and not isinstance(error, AnswerLost):
                raise ServerError(
                    f"Jenkins could not read the definition of {change.name}; "
                    "does it lack a plugin? Its log says more"
                ) from None
            raise
        except ServerError as error:
            if "already exists" not in error.message or not self._is_done(change):
                raise

    def _is_done(self, change: Change) -> bool:
        """Whether the job is as the change wants it."""
        if change.what == "folder":
            try:
                self.rest.get(f"{job_path(change.name)}/api/json?tree=name")
            except NotOnServer:
                return False
            return True
        now = self.config(change.name)
        if change.definition is None or now is None:
            return change.definition is None and now is None
        return is_deployed(now, change.definition.text, change.seen.origin)


class Seen:
    """What `compare` saw of a job, and for whom."""

    def __init__(self, origin: str, config: Config | None) -> None:
        self.origin, self.config = origin, config


def full_name(deployment: Deployment, definition: Definition) -> str:
    """The job with its folders."""
    return f"{deployment.folder}/{definition.name}".lstrip("/")


def _refuse_surprise(change: Change, now: Config | None, *, force: bool) -> None:
    """Raise EditedOnServer if the job is neither as `compare` saw it nor as it should become."""
    seen: Config | None = change.seen.config
    if force or (now is None and (seen is None or change.definition is None)):
        return
    if now is not None and seen is not None and now.same(seen):
        return
    wanted = change.definition
    if now is not None and wanted is not None and is_deployed(now, wanted.text, change.seen.origin):
        return
    what = "deleted" if now is None else "made" if seen is None else "changed"
    raise EditedOnServer(
        f"{change.name} was {what} on Jenkins in the meantime; run `pipegen deploy` again to see what is new\n"
        f"{difference(seen, now, change.name)}".rstrip()
    )
