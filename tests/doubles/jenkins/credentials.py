"""Credentials of a store that the test fills, bound as `withCredentials` does, and masked in the log."""

from __future__ import annotations

import itertools
import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.doubles.jenkins.scopes import Abort, Refused

MASK = "****"


@dataclass(frozen=True)
class Text:
    """A secret text."""

    secret: str


@dataclass(frozen=True)
class UserPassword:
    """A user name, which is not masked (facts/jenkins.md 2.6), and a password."""

    username: str
    password: str


@dataclass(frozen=True)
class File:
    """A secret file."""

    name: str
    content: str


@dataclass(frozen=True)
class SshKey:
    """A private key."""

    key: str


Credential = Text | UserPassword | File | SshKey

_KINDS: Mapping[str, type[Credential]] = {
    "string": Text,
    "usernamePassword": UserPassword,
    "usernameColonPassword": UserPassword,
    "file": File,
    "sshUserPrivateKey": SshKey,
}


@dataclass
class Bindings:
    """What is bound in one build."""

    store: Mapping[str, Credential]
    _bound: dict[str, tuple[dict[str, str], Path | None]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def kinds(self, ids: Mapping[str, str]) -> list[dict[str, Any]]:
        """The bindings that `credentials('id')` stands for (facts/jenkins.md 2.6). Raises Abort for an unknown id."""
        found: list[dict[str, Any]] = []
        for variable, name in sorted(ids.items()):
            match self.store.get(name):
                case None:
                    raise Abort(name)  # quirks/missing-credential
                case Text():
                    found.append({"$symbol": "string", "credentialsId": name, "variable": variable})
                case File():
                    found.append({"$symbol": "file", "credentialsId": name, "variable": variable})
                case UserPassword():
                    found.append(
                        {"$symbol": "usernameColonPassword", "credentialsId": name, "variable": variable}
                    )
                    parts = {"usernameVariable": f"{variable}_USR", "passwordVariable": f"{variable}_PSW"}
                    found.append({"$symbol": "usernamePassword", "credentialsId": name, **parts})
                case SshKey():
                    raise Refused("credentials('id') of an ssh key")
        return found

    def bind(self, bindings: Iterable[dict[str, Any]], temporary: Path | None) -> dict[str, Any]:
        """Variables for these bindings. Raises Abort for an unknown id or one of another type."""
        handle = f"binding-{next(self._numbers)}"
        folder = temporary / handle if temporary else None
        variables: dict[str, str] = {}
        secrets: dict[str, str] = {}
        for binding in bindings:
            made, secret = self._variables(binding, folder)
            variables |= made
            secrets |= {name: made[name] for name in secret}
        self._bound[handle] = (secrets, folder)
        return {"handle": handle, "env": variables, "masked": sorted(secrets)}

    def unbind(self, handle: str) -> None:
        """Secret files go with their binding (credentials-binding plugin, FileBinding). Their text stays masked."""
        _, folder = self._bound[handle]
        if folder:
            shutil.rmtree(folder, ignore_errors=True)

    def mask(self, text: str, handles: Iterable[str]) -> str:
        """A line of the log without the secrets bound where it was written, however the shell quotes them."""
        secrets = {secret for handle in handles for secret in self._bound[handle][0].values() if secret}
        lines = {line for secret in secrets for line in [secret, *secret.splitlines()] if line}
        for secret in sorted(lines, key=len, reverse=True):
            for form in (secret, shlex.quote(secret), "'" + secret.replace("'", "'\"'\"'") + "'"):
                text = text.replace(form, MASK)
        return text

    def used_in(self, texts: Iterable[str], handles: Iterable[str]) -> list[str]:
        """The variables whose secrets stand in these texts."""
        together = "\n".join(texts)
        bound = {name: secret for handle in handles for name, secret in self._bound[handle][0].items()}
        return sorted(name for name, secret in bound.items() if secret and secret in together)

    def _variables(self, binding: dict[str, Any], folder: Path | None) -> tuple[dict[str, str], list[str]]:
        """The variables of one binding, and which of them are masked."""
        kind, name = binding["$symbol"], binding["credentialsId"]
        if kind not in _KINDS:
            raise Refused(f"withCredentials([{kind}(…)])")
        found = self.store.get(name)
        if found is None:
            raise Abort(f"Could not find credentials entry with ID '{name}'")
        if not isinstance(found, _KINDS[kind]):
            raise Abort(
                f"Credentials '{name}' is of type '{type(found).__name__}' where '{kind}' was expected"
            )
        match found:
            case Text():
                return {binding["variable"]: found.secret}, [binding["variable"]]
            case UserPassword() if kind == "usernameColonPassword":
                return {binding["variable"]: f"{found.username}:{found.password}"}, [binding["variable"]]
            case UserPassword():
                password = binding["passwordVariable"]
                return {binding["usernameVariable"]: found.username, password: found.password}, [password]
            case File():
                return {binding["variable"]: _written(folder, found.name, found.content)}, [
                    binding["variable"]
                ]
            case SshKey():
                variable = binding["keyFileVariable"]
                return {variable: _written(folder, "ssh-key", found.key)}, [variable]


def _written(folder: Path | None, name: str, content: str) -> str:
    if folder is None:
        raise Abort("Required context class hudson.FilePath is missing")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(content)
    return str(path)
