"""What stands against a deployment on a controller: plugins, labels, credentials, and what its linter says."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from pipegen.errors import AccessRefused, NotOnServer
from pipegen.plan.deployment import Deployment, Need
from pipegen.servers.jenkins.rest import Rest, job_path
from pipegen.servers.model import Finding

T = TypeVar("T")

VALIDATED = "Jenkinsfile successfully validated."
TYPES: Mapping[str, str] = {
    "string": "Secret text",
    "file": "Secret file",
    "username_password": "Username with password",
    "ssh_key": "SSH Username with private key",
}
"""What a description calls a type of credentials, and what Jenkins calls it."""
_ATOM = re.compile(r"[\w.@-]+")


class Checks:
    """Looks at one controller. What all descriptions share is asked for once."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}

    def findings(self, deployment: Deployment) -> Iterator[Finding]:
        """All that stands against it, what is worst first."""
        yield from self._plugins([need for need in deployment.needs if need.kind == "plugin"])
        yield from self._lint(deployment)
        yield from self._labels([need for need in deployment.needs if need.kind == "label"])
        yield from self._credentials(
            deployment, [need for need in deployment.needs if need.kind == "credentials"]
        )

    def _once(self, key: str, ask: Callable[[], T]) -> T:
        with self._lock:
            if key not in self._known:
                self._known[key] = ask()
            found: T = self._known[key]
            return found

    # ------------------------------------------------------------------------------------------ plugins

    def _plugins(self, needs: list[Need]) -> Iterator[Finding]:
        there = self._once("plugins", self._ask_plugins)
        if there is None:
            yield Finding(
                message="this user may not see which plugins Jenkins has, so they were not checked",
                hint="the permission Overall/SystemRead lets it",
                serious=False,
            )
            return
        for need in needs:
            at_least = f" in version {need.detail} or later" if need.detail else ""
            has = there.get(need.name)
            if has is None:
                yield Finding(
                    message=f"the plugin {need.name} is missing",
                    hint=f"install it{at_least} under Manage Jenkins, Plugins",
                )
            elif need.detail and _numbers(has) < _numbers(need.detail):
                yield Finding(
                    message=f"the plugin {need.name} is too old: {has}",
                    hint=f"update it to {need.detail} or later under Manage Jenkins, Plugins",
                )

    def _ask_plugins(self) -> dict[str, str] | None:
        """The active plugins and their versions; None where we may not see them."""
        try:
            found = self._rest.get(
                "/pluginManager/api/json?tree=plugins[shortName,version,enabled,active]", accept=()
            )
        except AccessRefused:
            return None
        return {each["shortName"]: each["version"] for each in found["plugins"] if each["active"]}

    # ------------------------------------------------------------------------------------------ the linter

    def _lint(self, deployment: Deployment) -> Iterator[Finding]:
        """Jenkins' own linter; it knows declarative files alone, so none of layout `graph`."""
        scripts = dict.fromkeys(definition.script for definition in deployment.definitions)
        for script in scripts:
            text = deployment.files.get(script or "", "")
            if not re.search(r"^pipeline \{", text, re.MULTILINE):
                continue
            answer = self._rest.send(
                "POST",
                "/pipeline-model-converter/validate",
                data={"jenkinsfile": text},
                idempotent=True,
                accept=(404,),
            )
            if answer.status_code == 404:
                return  # without the plugin there is no linter, and that plugin is reported as missing
            said = answer.text.strip()
            if said != VALIDATED:
                lines = said.removeprefix("Errors encountered validating Jenkinsfile:").strip().splitlines()
                yield Finding(
                    message=f"Jenkins' linter rejects {script}: {_first_error(lines)}",
                    hint="a plugin may be missing or too old; `pipegen generate` writes the file anew",
                )

    # ------------------------------------------------------------------------------------------ agents

    def _labels(self, needs: list[Need]) -> Iterator[Finding]:
        for need in needs:
            for label in _atoms(need.name):
                yield from self._label(label, need)

    def _label(self, label: str, need: Need) -> Iterator[Finding]:
        found = self._once(f"label {label}", lambda: self._ask_label(label))
        if found.get("totalExecutors"):
            return
        who = _shown(need.by)
        if found.get("nodes"):
            message = f"every agent with the label {label!r} is offline"
            hint = f"until one is back, {who} will wait"
        else:
            message = f"no agent has the label {label!r}: {who} would wait for ever, without an error"
            hint = (
                "give an agent that label, or name another under `agents`; an agent from a cloud may yet come"
            )
        yield Finding(message=message, hint=hint, serious=False)

    def _ask_label(self, label: str) -> dict[str, Any]:
        path = f"/label/{quote(label, safe='')}/api/json?tree=name,offline,totalExecutors,nodes[nodeName]"
        found: dict[str, Any] = self._rest.get(path)
        return found

    # ------------------------------------------------------------------------------------------ credentials

    def _credentials(self, deployment: Deployment, needs: list[Need]) -> Iterator[Finding]:
        if not needs:
            return
        there = self._once("credentials", lambda: self._ask_credentials("/credentials/store/system"))
        folder = deployment.folder
        for depth in range(folder.count("/") + 1 if folder else 0):
            inner = "/".join(folder.split("/")[: depth + 1])
            path = f"{job_path(inner)}/credentials/store/folder"
            more = self._once(f"credentials of {inner}", lambda path=path: self._ask_credentials(path))  # type: ignore[misc]
            if more is not None:
                there = {**(there or {}), **more}
        if there is None:
            yield Finding(
                message="this user may not see which credentials Jenkins has, so they were not checked",
                hint="the permission Credentials/View lets it",
                serious=False,
            )
            return
        for need in needs:
            if need.name not in there:
                yield Finding(
                    message=f"there are no credentials {need.name!r}: {_shown(need.by)} would fail",
                    hint=f"add {TYPES.get(need.detail, 'them')} with that id under Manage Jenkins, Credentials",
                    serious=False,
                )
            elif need.detail and there[need.name] != TYPES[need.detail]:
                yield Finding(
                    message=f"the credentials {need.name!r} are a {there[need.name]!r}, not {TYPES[need.detail]!r}",
                    hint="say their `type` under `secrets`, or name others",
                    serious=False,
                )

    def _ask_credentials(self, store: str) -> dict[str, str] | None:
        """Ids and types in a store's global domain; None where we may not look (Jenkins says 404 then)."""
        try:
            found = self._rest.get(f"{store}/domain/_/api/json?depth=1")
        except (NotOnServer, AccessRefused):
            return None
        return {each["id"]: each["typeName"] for each in found["credentials"]}


def _atoms(label: str) -> list[str]:
    """The labels in an expression of which an agent must have all; none where one of several would do."""
    if any(sign in label for sign in ("||", "!", "->")):
        return []
    return _ATOM.findall(label)


def _numbers(version: str) -> list[int]:
    """The numbers that a version begins with: `1581.ve4b_d0db` as 1581, `5.10.1` as 5, 10, 1."""
    found = []
    for part in version.split("."):
        if not part.isdigit():
            break
        found.append(int(part))
    return found


def _first_error(lines: list[str]) -> str:
    """The first sentence of what the linter said, with the place."""
    useful = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("^")]
    more = f" (and {len(useful) - 1} more lines)" if len(useful) > 1 else ""
    return (useful[0] if useful else "it says nothing") + more


def _shown(jobs: tuple[str, ...]) -> str:
    """Some of the jobs that need something."""
    if not jobs:
        return "builds"
    return ", ".join(jobs[:3]) + (f" and {len(jobs) - 3} more" if len(jobs) > 3 else "")
