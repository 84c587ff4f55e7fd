"""Deploying by a config repository: the server reads the generated file from git, and we tell it where and when.

Several descriptions may lie in one repository, and GoCD takes a repository once. So it is found by its address and
branch; we make it where there is none, and only ever add a rule to one that exists.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from pipegen.errors import EditedOnServer, ServerError, ServerUnavailable
from pipegen.plan.deployment import Definition, Deployment
from pipegen.servers import failures
from pipegen.servers.gocd import preflight
from pipegen.servers.gocd.api import TITLE, Api, path, words
from pipegen.servers.gocd.form import JSON, as_yaml, canonical, difference, outline, text_difference
from pipegen.servers.gocd.known import Known
from pipegen.servers.gocd.pipelines import PIPELINE, TRIES, ByApi, wanted_of
from pipegen.servers.gocd.preflight import PLUGIN
from pipegen.servers.http import AnswerLost
from pipegen.servers.model import Change, Finding

VERSION = 4
CONFIG_REPO = "config repository"
PAUSE = 1.0
"""Seconds between two looks at a repository that is being read."""
READ = 300.0
"""Seconds that the server may take to read it: it clones, and waits for other materials."""


class Material(NamedTuple):
    """What tells one repository from another."""

    url: str
    branch: str

    def __str__(self) -> str:
        return f"{self.url} (branch {self.branch})"


class Reading(NamedTuple):
    """What `apply` needs besides the change."""

    repository: JSON
    """As it is wanted; for a pipeline only its `id` matters."""
    wanted: JSON | None = None
    """The pipeline, if the change is one."""


class ByRepository:
    """Compares and applies through the repository that the description lies in.

    Args:
        api: the server.
        known: its lists.
        pipelines: finds single pipelines.
    """

    def __init__(self, api: Api, known: Known, pipelines: ByApi) -> None:
        self._api, self._known, self._pipelines = api, known, pipelines
        self._lock = threading.Lock()

    # ------------------------------------------------------------------------------------------ comparing

    def compare(self, deployment: Deployment) -> Sequence[Change]:
        """The repository first, then what it does not define yet as wanted. What it no longer defines is gone by
        itself, so there is nothing to prune."""
        repository = self._repository(deployment)
        return [repository, *(self._pipeline(d, deployment, repository) for d in deployment.definitions)]

    def find(self, material: Material) -> JSON | None:
        """The config repository of a material; None where there is none."""
        for repository in self._known.config_repos():
            if _material(repository) == material:
                return repository
        return None

    def _repository(self, deployment: Deployment) -> Change:
        material = material_of(deployment)
        there = self.find(material)
        if there is None:
            wanted = _wanted(deployment, material)
            return Change(
                kind="create",
                name=wanted["id"],
                what=CONFIG_REPO,
                difference=text_difference("", _text(wanted), wanted["id"]),
                seen=Reading(wanted),
            )
        wanted = {**there, "rules": _with_rules(there["rules"], _rules(deployment))}
        shown = text_difference(_text(there), _text(wanted), there["id"])
        change = Change(
            kind="update", name=there["id"], what=CONFIG_REPO, difference=shown, seen=Reading(wanted)
        )
        return replace(change, kind="unchanged") if wanted == there else change

    def _pipeline(self, definition: Definition, deployment: Deployment, repository: Change) -> Change:
        wanted, there = wanted_of(definition, deployment), self._pipelines.find(definition.name)
        seen = Reading(repository.seen.repository, wanted)
        change = Change(kind="create", name=definition.name, what=PIPELINE, definition=definition, seen=seen)
        if there is None:
            return replace(change, difference=outline(wanted, "+"))
        source = there.pipeline.get("origin") or {}
        if source.get("type") != "config_repo" or source.get("id") != repository.name:
            where = (
                f"the config repository {source.get('id')!r}"
                if source.get("id")
                else "the server's own configuration"
            )
            reason = f"{where} defines it, and a name can be defined only once: delete it there first"
            return replace(change, kind="refused", reason=reason)
        if as_read(there.pipeline) == as_read(wanted):
            return replace(change, kind="unchanged")
        shown = difference(as_read(there.pipeline), as_read(wanted), definition.name)
        return replace(change, kind="update", difference=shown)

    def findings(self, deployment: Deployment) -> Iterator[Finding]:
        """What the server's own check finds in the file, and whether the repository's pattern takes it."""
        there = self.find(material_of(deployment))
        for reason in preflight.reasons(
            self._api, deployment.files, repository=there["id"] if there else None
        ):
            yield Finding(message=f"GoCD's own check: {reason}")
        patterns = _patterns(there) if there else ()
        for name in deployment.files if patterns else ():
            if not any(fnmatchcase(f"x/{name}", pattern.replace("**/", "*/")) for pattern in patterns):
                yield Finding(
                    message=f"the config repository {there['id'] if there else ''!r} reads only "
                    f"{','.join(patterns)}, and not {name}",
                    hint="an administrator changes the pattern under Admin > Config Repositories",
                )

    # ------------------------------------------------------------------------------------------ applying

    def apply(self, change: Change) -> None:
        """Make one change; a pipeline changes by having the server read the repository."""
        if change.kind == "unchanged":
            return
        if change.kind == "refused":
            raise EditedOnServer(f"{change.what} {change.name}: {change.reason}")
        reading: Reading = change.seen
        if change.what == CONFIG_REPO:
            with self._lock:  # descriptions of one repository are deployed at the same time
                self._create(reading.repository) if change.kind == "create" else self._update(
                    reading.repository
                )
                self._known.forget("repos")
        elif not self._is_done(change.name, reading):
            there = self.find(_material(reading.repository))
            name = (there or reading.repository)["id"]
            self.read_now(name)
            if not self._is_done(change.name, reading):
                raise ServerError(
                    f"GoCD read the config repository {name!r}, and {change.name} is not yet as wanted: "
                    "commit and push the generated file, then deploy again"
                )

    def _create(self, wanted: JSON) -> None:
        """Make the repository, once: where an answer is lost, look before asking again. Where another description of
        the same repository made it meanwhile, add our rules."""
        for _ in range(TRIES):
            self._known.forget("repos")
            there = self.find(_material(wanted))
            if there is not None:
                self._update({**there, "rules": _with_rules(there["rules"], wanted["rules"])})
                return
            try:
                answer = self._api.send(
                    "POST", "/api/admin/config_repos", VERSION, body=wanted, accepting=(422,)
                )
            except AnswerLost as error:
                lost = error
                continue
            if answer.status_code == 422:
                raise failures.refused(TITLE, self._api.connection, answer, words(answer))
            return
        raise lost

    def _update(self, wanted: JSON) -> None:
        """Add rules, if nobody changed the repository meanwhile."""
        where = f"/api/admin/config_repos{path(wanted['id'])}"
        response = self._api.response(where, VERSION)
        there = self._api.http.decoded(response)
        if _bare(there) == _bare(wanted):
            return
        missing = [rule for rule in wanted["rules"] if rule not in there["rules"]]
        if _bare({**there, "rules": [*there["rules"], *missing]}) != _bare(wanted):
            shown = text_difference(_text(there), _text(wanted), wanted["id"])
            raise EditedOnServer(
                f"somebody changed the config repository {wanted['id']!r} meanwhile; deploy again to see it\n{shown}"
            )
        answer = self._api.send(
            "PUT",
            where,
            VERSION,
            body=_bare(wanted),
            headers={"If-Match": response.headers.get("ETag", "")},
            accepting=(412,),
            idempotent=True,
        )
        if answer.status_code == 412:
            self._update(wanted)

    def read_now(self, name: str) -> None:
        """Have the server read the repository, and wait until it did.

        Raises:
            ServerError: what is wrong in it, in the server's words, with file and line where it says them.
        """
        where = f"/api/admin/config_repos{path(name)}"
        self._api.send("POST", f"{where}/trigger_update", VERSION, accepting=(409,), idempotent=True)
        until = time.monotonic() + READ
        while self._api.get(f"{where}/status", VERSION)["in_progress"]:
            if time.monotonic() > until:
                raise ServerUnavailable(
                    f"GoCD still reads the config repository {name!r}; deploy again later"
                )
            time.sleep(PAUSE)
        error = self._parse_error(name)
        if error:
            raise ServerError(f"GoCD can't use the config repository {name!r}: {error}")

    def _parse_error(self, name: str) -> str:
        """What the server says of its last reading. Only an internal call tells; else its health messages do."""
        try:
            found = self._api.get("/api/internal/config_repos", VERSION)["_embedded"]["config_repos"]
            info = next(each for each in found if each["id"] == name)["parse_info"]
            return _one_line(info.get("error") or "")
        except (ServerError, KeyError, TypeError, StopIteration):
            return self._said_of(name)

    def _said_of(self, name: str) -> str:
        repository = self._api.get(f"/api/admin/config_repos{path(name)}", VERSION)
        url = str(repository["material"]["attributes"]["url"])
        messages = self._api.get("/api/server_health_messages", 1)
        said = (m for m in messages if m["level"] == "ERROR" and url in f"{m['message']}\n{m['detail']}")
        return "; ".join(_one_line(message["detail"]) for message in said)

    def _is_done(self, name: str, reading: Reading) -> bool:
        there = self._pipelines.find(name)
        assert reading.wanted is not None
        return there is not None and as_read(there.pipeline) == as_read(reading.wanted)


def material_of(deployment: Deployment) -> Material:
    """Where the description lies. Raises ServerError where it does not say."""
    url = deployment.origin.partition("#")[0]
    if not url:
        raise ServerError(
            f"GoCD must know where {deployment.pipeline} lies: say `repository: <git URL>` in the description"
        )
    pipelines = (json.loads(d.text)["pipeline"] for d in deployment.definitions)
    branches = (
        m["attributes"].get("branch") for p in pipelines for m in p["materials"] if m["type"] == "git"
    )
    return Material(url, deployment.options.get("branch") or next(branches, None) or "main")


def _material(repository: Mapping[str, Any]) -> Material:
    attributes = repository["material"]["attributes"]
    return Material(str(attributes.get("url")), attributes.get("branch") or "master")


def as_read(pipeline: Mapping[str, Any]) -> JSON:
    """A pipeline in the form to compare: the repository's own material is known to the server under its address."""
    found = canonical(pipeline)
    found["materials"] = [
        {
            **material,
            "attributes": {
                key: each for key, each in material["attributes"].items() if key not in ("url", "branch")
            },
        }
        if material["type"] == "git"
        else material
        for material in found.get("materials", ())
    ]
    return found


def _wanted(deployment: Deployment, material: Material) -> JSON:
    attributes = {"url": material.url, "branch": material.branch, "auto_update": True}
    return {
        "id": deployment.pipeline,
        "plugin_id": PLUGIN,
        "material": {"type": "git", "attributes": attributes},
        "configuration": [],
        "rules": _rules(deployment),
    }


def _rules(deployment: Deployment) -> list[JSON]:
    """What the repository must be allowed: without a rule the server takes nothing from it."""
    wanted = [("pipeline_group", deployment.folder)]
    if deployment.options.get("environment"):
        wanted.append(("environment", deployment.options["environment"]))
    return [
        {"directive": "allow", "action": "refer", "type": kind, "resource": name} for kind, name in wanted
    ]


def _with_rules(rules: Sequence[JSON], wanted: Sequence[JSON]) -> list[JSON]:
    """The rules, and those of the wanted ones that they do not cover."""
    return [*rules, *(rule for rule in wanted if not _covers(rules, rule))]


def _patterns(repository: Mapping[str, Any]) -> Sequence[str]:
    """The file names that the plugin reads, if the repository says so."""
    for option in repository.get("configuration") or ():
        if option["key"] == "file_pattern":
            return [pattern.strip() for pattern in str(option["value"]).split(",")]
    return ()


def _covers(rules: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any]) -> bool:
    """Whether the first rule that speaks of a thing allows it."""
    for rule in rules:
        of_type = rule["type"] in ("*", wanted["type"])
        if of_type and fnmatchcase(wanted["resource"].lower(), rule["resource"].lower()):
            return bool(rule["directive"] == "allow")
    return False


def _bare(repository: Mapping[str, Any]) -> JSON:
    return {key: each for key, each in repository.items() if key != "_links"}


def _text(repository: Mapping[str, Any]) -> str:
    return as_yaml(_bare(repository))


def _one_line(text: str) -> str:
    return " ".join(text.split())
