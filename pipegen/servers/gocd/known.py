"""What a GoCD server has, listed once for all descriptions that are deployed there together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pipegen.errors import AccessRefused
from pipegen.servers.gocd.api import Api
from pipegen.servers.gocd.form import JSON

T = TypeVar("T")


class Known:
    """The server's lists. Each is asked for when it is first needed, and kept until it is forgotten."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._found: dict[str, Any] = {}

    def agents(self) -> list[JSON]:
        """All agents, as the API shows them."""
        return self._once("agents", lambda: self._embedded("/api/agents", 7, "agents"))

    def environments(self) -> Mapping[str, list[str]]:
        """The names of the pipelines in each environment."""
        return self._once("environments", lambda: self._members("/api/admin/environments", 3, "environments"))

    def paused(self) -> Mapping[str, str]:
        """Why each paused pipeline is paused, by its name; none as long as a starting server prepares the answer."""
        return self._once("paused", self._ask_paused)

    def _ask_paused(self) -> Mapping[str, str]:
        shown = self._api.get("/api/dashboard", 4).get("_embedded", {}).get("pipelines", ())
        return {p["name"]: p["pause_info"]["pause_reason"] or "" for p in shown if p["pause_info"]["paused"]}

    def groups(self) -> Mapping[str, list[str]]:
        """The names of the pipelines in each group that we may see."""
        return self._once("groups", lambda: self._members("/api/admin/pipeline_groups", 1, "groups"))

    def elastic_profiles(self) -> list[JSON] | None:
        """The profiles of elastic agents; None where we may not look."""
        return self._once("profiles", lambda: self._permitted("/api/elastic/profiles", 2, "profiles"))

    def secret_configs(self) -> list[JSON] | None:
        """The stores of secrets; None where we may not look."""
        return self._once(
            "secrets", lambda: self._permitted("/api/admin/secret_configs", 3, "secret_configs")
        )

    def config_repos(self) -> list[JSON]:
        """The config repositories."""
        return self._once("repos", lambda: self._embedded("/api/admin/config_repos", 4, "config_repos"))

    def user(self) -> str:
        """Who we are there; empty where the server knows no users."""

        def ask() -> str:
            # 403 as long as nobody set up security: there are no users then
            answer = self._api.send("GET", "/api/current_user", 1, accepting=(403,))
            return "" if answer.status_code == 403 else str(self._api.http.decoded(answer)["login_name"])

        return self._once("user", ask)

    def forget(self, *names: str) -> None:
        """Ask again for what a change made old: `agents`, `environments`, `groups`, `paused`, `repos`."""
        with self._lock:
            for name in names:
                self._found.pop(name, None)

    def _once(self, name: str, ask: Callable[[], T]) -> T:
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._found:
                self._found[name] = ask()
            found: T = self._found[name]
            return found

    def _embedded(self, where: str, version: int, name: str) -> list[JSON]:
        found: list[JSON] = self._api.get(where, version)["_embedded"][name]
        return found

    def _members(self, where: str, version: int, name: str) -> Mapping[str, list[str]]:
        return {
            each["name"]: [pipeline["name"] for pipeline in each["pipelines"]]
            for each in self._embedded(where, version, name)
        }

    def _permitted(self, where: str, version: int, name: str) -> list[JSON] | None:
        try:
            return self._embedded(where, version, name)
        except AccessRefused:
            return None
