"""GoCD's JSON API: every call in the version that the server serves, and its refusals in one line.

GoCD answers 404 in plain text or HTML where it does not serve the version that is asked for, and 404 in JSON where the
thing is not there: only the latter proves anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipegen.errors import NotOnServer, ServerError
from pipegen.servers.connection import Connection
from pipegen.servers.failures import variable
from pipegen.servers.http import Http

if TYPE_CHECKING:
    from requests import Response

TITLE = "GoCD"
LATEST = ""
"""Instead of a version: the newest one that the server has."""


def accept(version: int | str) -> str:
    """The header that asks for a version of the API."""
    return f"application/vnd.go.cd{f'.v{version}' if version else ''}+json"


def path(*parts: object) -> str:
    """A path below the server's address, each part quoted."""
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


class Api:
    """One server's API. Safe to use from several threads.

    Args:
        connection: where it is, and who we are there.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.http = Http(connection, title=TITLE, words=words)

    def get(self, where: str, version: int | str, **params: str) -> Any:
        """The JSON at a path. Raises NotOnServer where there is none."""
        return self.http.decoded(self.response(where, version, **params))

    def response(self, where: str, version: int | str, **params: str) -> Response:
        """The answer to a GET, for who needs its ETag. Raises NotOnServer where there is nothing."""
        return self.send("GET", where, version, params=params or None)

    def text(self, where: str, **params: str) -> Response:
        """A file, which has no version; 404 is returned."""
        return self.http.get(where, accept=(404,), params=params or None)

    def send(
        self,
        method: str,
        where: str,
        version: int | str,
        *,
        body: Any = None,
        files: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accepting: Collection[int] = (),
        idempotent: bool = False,
    ) -> Response:
        """One request.

        Args:
            method: the method; one that writes without a body is confirmed as GoCD wants it.
            where: the path, as `path` makes it.
            version: of this part of the API.
            body: sent as JSON.
            files: parts of a form.
            params: the query.
            headers: further ones, such as `If-Match`.
            accepting: statuses of 400 and above that the caller understands; never 404.
            idempotent: whether it may be sent twice.

        Raises:
            NotOnServer: what it speaks of does not exist, in the server's words.
        """
        sent = {"Accept": accept(version), **(headers or {})}
        if method not in ("GET", "DELETE") and body is None and files is None:
            sent["X-GoCD-Confirm"] = "true"
        response = self.http.send(
            method,
            where,
            accept=(404, *accepting),
            idempotent=idempotent,
            headers=sent,
            json=body,
            files=files,
            params=params,
        )
        if response.status_code == 404:
            raise self._absent(method, where, version, response)
        return response

    def _absent(self, method: str, where: str, version: int | str, response: Response) -> ServerError:
        said = words(response)
        if said:
            return NotOnServer(said)
        return ServerError(
            f"{self.connection.url} does not serve {method} {where} in version {version} of GoCD's API: check "
            f"{variable(self.connection, 'URL')} (the address ends with /go), and that GoCD is 23.1 or later"
        )


def words(response: Response) -> str:
    """The server's own words in a JSON answer, with the reason behind each `Validation failed`."""
    if "json" not in response.headers.get("Content-Type", ""):
        return ""
    try:
        found = response.json()
    except ValueError:
        return ""
    if not isinstance(found, dict):
        return ""
    reasons = "; ".join(dict.fromkeys(_errors(found.get("data"), "")))
    return reasons or str(found.get("message") or found.get("error") or "").strip()


def _errors(value: Any, name: str) -> Iterator[str]:
    """Every text under a key `errors`, wherever it stands, behind the name of the object that it speaks of."""
    if isinstance(value, dict):
        name = str(value.get("name") or name)
        errors = value.get("errors")
        if isinstance(errors, dict):
            for texts in errors.values():
                yield from (f"{name}: {text}" if name else text for text in texts)
        for key, each in value.items():
            if key != "errors":
                yield from _errors(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from _errors(each, name)
