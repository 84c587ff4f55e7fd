"""A comment on a pull request, one for each workflow, updated in place.

A forge is found by the `type` that the description names; GitHub's and GitLab's APIs are here. To add another, subclass
`Forge` and name the class under the entry points `pipegen.forges`.
"""

from __future__ import annotations

import importlib
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, urlsplit

from pipegen.description.checks import FORGE_ENTRY_POINTS
from pipegen.errors import AccessRefused, NotOnServer, PlanError, ServerError, ServerUnavailable
from pipegen.installed import entry_points
from pipegen.servers.connection import Connection, silent
from pipegen.servers.http import Http

if TYPE_CHECKING:
    from requests import Response

LONGEST = 60_000
"""Characters of a comment; GitHub takes 65,536."""
PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Comment:
    """One that is there."""

    id: str
    text: str
    url: str = ""


class Forge(ABC):
    """Where pull requests live. Every method may raise a `ServerError`, whose message needs no more words.

    Args:
        url: the forge's address, as in a browser.
        repository: the repository's path there: `pricing/houses`.
        token: who we are.
        patience: seconds for which what may succeed later is tried again.
        say: told why it takes longer.
    """

    title: ClassVar[str]

    def __init__(
        self,
        url: str,
        repository: str,
        token: str,
        *,
        patience: float = 60.0,
        say: Callable[[str], None] = silent,
    ) -> None:
        self.repository, self.patience, self.say = repository, patience, say
        connection = Connection(
            server="forge",
            url=self.api(url.rstrip("/")),
            secret=token,
            patience=patience,
            say=say,
            settings={
                "URL": "`url` under `forge` in pipegen.yaml",
                "USER": "`secrets` under `forge` in pipegen.yaml",
                "TOKEN": "the token there",
                "PASSWORD": "what it may do",
            },
        )
        self.http = Http(connection, title=self.title, words=_words)

    @staticmethod
    @abstractmethod
    def api(url: str) -> str:
        """The address of its API."""

    @abstractmethod
    def comments(self, pull: int) -> Iterator[Comment]:
        """The comments on a pull request, in any order."""

    @abstractmethod
    def create(self, pull: int, text: str) -> Comment:
        """A new comment."""

    @abstractmethod
    def update(self, pull: int, comment: Comment, text: str) -> Comment:
        """A comment with another text."""

    # ------------------------------------------------------------------------------------------ for subclasses

    def ask(self, method: str, path: str, pull: int, **options: Any) -> Any:
        """Send a request, wait where there were too many, and give the JSON of the answer."""
        until = time.monotonic() + self.patience
        while True:
            response = self.http.send(method, path, accept=(403, 404, 429), **options)
            pause = _too_many(response)
            if pause is None:
                break
            if time.monotonic() + pause > until:
                raise ServerUnavailable(
                    f"{self.title} takes no more requests for {pause:.0f} s: {_words(response)}"
                )
            self.say(f"{self.title} takes no more requests for {pause:.0f} s; waiting")
            time.sleep(pause)
        if response.status_code == 403:
            raise AccessRefused(
                f"{self.title}: the token may not comment on pull request {pull} of {self.repository}"
                f"{_said(response)}; a pull request from a fork runs without the right to"
            )
        if response.status_code == 404:
            raise NotOnServer(
                f"{self.title} has no pull request {pull} in {self.repository}, "
                f"or the token may not see it{_said(response)}"
            )
        if response.status_code >= 400:
            raise self.http.refusal(response)
        return self.http.decoded(response)

    def pages(self, path: str, pull: int) -> Iterator[Mapping[str, Any]]:
        """Everything in a list that comes in pages."""
        page = 1
        while True:
            found = self.ask("GET", f"{path}?per_page={PAGE}&page={page}", pull)
            yield from found
            if len(found) < PAGE:
                return
            page += 1


class GitHub(Forge):
    """GitHub, and GitHub Enterprise. A pull request's comments are those of its issue."""

    title = "GitHub"

    @staticmethod
    def api(url: str) -> str:
        """`api.github.com`, or a path of an own server."""
        return "https://api.github.com" if urlsplit(url).hostname == "github.com" else f"{url}/api/v3"

    def comments(self, pull: int) -> Iterator[Comment]:
        """GET /repos/OWNER/REPO/issues/N/comments."""
        for each in self.pages(f"/repos/{self.repository}/issues/{pull}/comments", pull):
            yield _comment(each)

    def create(self, pull: int, text: str) -> Comment:
        """POST to the same."""
        return _comment(
            self.ask("POST", f"/repos/{self.repository}/issues/{pull}/comments", pull, json={"body": text})
        )

    def update(self, pull: int, comment: Comment, text: str) -> Comment:
        """PATCH /repos/OWNER/REPO/issues/comments/ID."""
        path = f"/repos/{self.repository}/issues/comments/{comment.id}"
        return _comment(self.ask("PATCH", path, pull, json={"body": text}, idempotent=True))


class GitLab(Forge):
    """GitLab: a merge request's notes."""

    title = "GitLab"

    @staticmethod
    def api(url: str) -> str:
        """Below the server's own address."""
        return f"{url}/api/v4"

    def comments(self, pull: int) -> Iterator[Comment]:
        """GET /projects/PATH/merge_requests/N/notes."""
        for each in self.pages(self._notes(pull), pull):
            yield _comment(each)

    def create(self, pull: int, text: str) -> Comment:
        """POST to the same."""
        return _comment(self.ask("POST", self._notes(pull), pull, json={"body": text}))

    def update(self, pull: int, comment: Comment, text: str) -> Comment:
        """PUT …/notes/ID."""
        path = f"{self._notes(pull)}/{comment.id}"
        return _comment(self.ask("PUT", path, pull, json={"body": text}, idempotent=True))

    def _notes(self, pull: int) -> str:
        return f"/projects/{quote(self.repository, safe='')}/merge_requests/{pull}/notes"


def forge_types() -> tuple[str, ...]:
    """What `type` under `forge` may say here."""
    return tuple(sorted(entry_points(FORGE_ENTRY_POINTS)))


def load_forge(kind: str) -> type[Forge]:
    """The class of a type. Raises PlanError if there is none."""
    where = entry_points(FORGE_ENTRY_POINTS).get(kind)
    if where is None:
        raise PlanError(f"no forge {kind!r} is installed; there are {', '.join(forge_types())}")
    module, _, name = where.partition(":")
    found: type[Forge] = getattr(importlib.import_module(module), name)
    return found


def repository_path(url: str) -> str:
    """`pricing/houses` of an address that git clones from. Raises PlanError where it has none."""
    found = re.fullmatch(r"(?:[a-z+]+://[^/]+/|[^/:]+:)(.+?)(?:\.git)?/?", url)
    if found is None:
        raise PlanError(f"`repository` {url!r} names no repository of a forge")
    return found[1]


def put(forge: Forge, pull: int, text: str, *, about: str) -> str:
    """Write a comment, or write anew the one that was written before; gives its address.

    Args:
        forge: where.
        pull: the number of the pull request.
        text: Markdown, with nothing of users in it that is not escaped.
        about: what tells this comment from others of ours: the pipeline and the workflow.

    Raises:
        ServerError: it can't be done; the message says why.
    """
    mark = f"<!-- pipegen {re.sub(r'[^A-Za-z0-9_./-]', '_', about)} -->"
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit("\n", 1)[0] + "\n\n… the rest is in the report."
    whole = f"{mark}\n{text}"
    ours = next((each for each in forge.comments(pull) if each.text.startswith(mark)), None)
    if ours is None:
        return _created(forge, pull, whole, mark).url
    if ours.text == whole:
        return ours.url
    try:
        return forge.update(pull, ours, whole).url
    except NotOnServer:  # somebody deleted it just now
        return _created(forge, pull, whole, mark).url


def _created(forge: Forge, pull: int, whole: str, mark: str) -> Comment:
    """A new comment, and only one: where the answer was lost, look before writing again."""
    from pipegen.servers.http import AnswerLost

    try:
        return forge.create(pull, whole)
    except AnswerLost:
        there = next((each for each in forge.comments(pull) if each.text.startswith(mark)), None)
        return there or forge.create(pull, whole)


def _comment(found: Mapping[str, Any]) -> Comment:
    if not isinstance(found, Mapping) or "id" not in found:
        raise ServerError("the forge's answer is no comment: check `url` under `forge` in pipegen.yaml")
    return Comment(id=str(found["id"]), text=found.get("body") or "", url=found.get("html_url") or "")


def _too_many(response: Response) -> float | None:
    """Seconds to wait where there were too many requests; None where there were not."""
    if response.status_code not in (403, 429):
        return None
    headers = response.headers
    if headers.get("Retry-After", "").isdigit():
        return max(1.0, float(headers["Retry-After"]))
    for prefix in ("X-RateLimit-", "RateLimit-"):
        if headers.get(f"{prefix}Remaining") == "0" and headers.get(f"{prefix}Reset", "").isdigit():
            return max(1.0, float(headers[f"{prefix}Reset"]) - time.time())
    return 60.0 if response.status_code == 429 else None


def _words(response: Response) -> str:
    """The forge's own words."""
    try:
        found = response.json()
    except ValueError:
        return ""
    said = found.get("message") or found.get("error") if isinstance(found, dict) else ""
    return said if isinstance(said, str) else str(said or "")


def _said(response: Response) -> str:
    words = _words(response)
    return f" ({words})" if words else ""
