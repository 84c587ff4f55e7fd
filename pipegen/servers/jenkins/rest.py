"""Jenkins' REST API: the calls of python-jenkins that do what was recorded, through our session, and those it lacks.

python-jenkins asks for a crumb before every write, looks whether a job exists before and after it makes or deletes
one, puts parameters into the address, and does not tell a wrong password from a missing permission or a broken server.
So its transport is replaced here, and creating, deleting and starting are our own calls.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from jenkins import Jenkins as PythonJenkins

from pipegen.servers.connection import Connection
from pipegen.servers.http import Http

if TYPE_CHECKING:
    from requests import Request, Response

TITLE = "Jenkins"
NO_CRUMB = "No valid crumb was included in the request"
XML = {"Content-Type": "application/xml"}
_JETTY = re.compile(r"<th>MESSAGE:</th><td>([^<]*)")
_PERMISSION = re.compile(r"hudson\.(?:model|security)\.(\w+)\.(\w+)")


def words(response: Response) -> str:
    """Jenkins' own words: a header for what it refuses, the permission that is missing, or Jetty's error page."""
    said = response.headers.get("X-Error", "")
    if said:
        return " ".join(said.split())
    permission = _PERMISSION.fullmatch(response.headers.get("X-Required-Permission", ""))
    if permission:
        return f"the permission {permission[1].replace('Hudson', 'Overall')}/{permission[2]} is missing"
    found = _JETTY.search(response.text) if "html" in response.headers.get("Content-Type", "") else None
    if found and found[1] not in ("Not Found", "Forbidden", "Unauthorized"):
        return unescape(found[1])
    if response.status_code == 503 and "getting ready" in response.text:
        return "it is starting"
    return ""


class Rest(PythonJenkins):  # type: ignore[misc] # it has no types
    """The API of one controller."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.url)
        self.http = Http(connection, title=TITLE, words=words)
        self._crumb: dict[str, str] = {}

    # ------------------------------------------------------------------------------------------ transport

    def jenkins_request(
        self, req: Request, add_crumb: bool = True, resolve_auth: bool = True, stream: bool | None = None
    ) -> Response:
        """Send what python-jenkins wants to send."""
        path = str(req.url)[len(self.http.connection.url) :].removesuffix("?depth=0")
        headers = dict(req.headers)
        if "xml" in headers.get("Content-Type", ""):
            headers |= XML
        again = path.endswith("/stop") or path.startswith("/queue/cancelItem")
        return self.send(str(req.method), path, data=req.data or None, headers=headers, idempotent=again)

    def send(self, method: str, path: str, *, accept: Collection[int] = (), **options: Any) -> Response:
        """Send a request; a write without a valid crumb is sent again with one. API tokens need none."""
        if method == "GET":
            return self.http.send(method, path, accept=accept, **options)
        headers = options.pop("headers", None) or {}
        response = self._write(method, path, headers, options, accept)
        if response.status_code == 403 and words(response) == NO_CRUMB:
            crumb = self.http.json("/crumbIssuer/api/json")  # its cookie stays in the session, as it must
            self._crumb = {crumb["crumbRequestField"]: crumb["crumb"]}
            response = self._write(method, path, headers, options, accept)
        if response.status_code >= 400 and response.status_code not in accept:
            raise self.http.refusal(response)
        return response

    def _write(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        options: Mapping[str, Any],
        accept: Collection[int],
    ) -> Response:
        return self.http.send(
            method, path, headers={**self._crumb, **headers}, accept={403, *accept}, **options
        )

    def get(self, path: str, **options: Any) -> Any:
        """The JSON at a path."""
        return self.http.json(path, **options)

    # ------------------------------------------------------------------------------------------ calls it lacks

    def create(self, folder: str, name: str, config: str) -> None:
        """`createItem`: a job or folder in a folder, by its `config.xml`."""
        self.send(
            "POST",
            f"{folder_path(folder)}/createItem?name={quote(name, safe='')}",
            data=config.encode(),
            headers=XML,
        )

    def delete(self, name: str) -> None:
        """Delete a job; one that is gone already is fine."""
        self.send("POST", f"{job_path(name)}/doDelete", accept=(404,))

    def build(self, name: str, parameters: Mapping[str, str] | None) -> str:
        """Start a build: the number of its queue item, or "" where Jenkins says none.

        Args:
            name: the job with its folders.
            parameters: for a job with parameters, those that differ from the defaults; None for one without.
        """
        how = "build" if parameters is None else "buildWithParameters"
        response = self.send("POST", f"{job_path(name)}/{how}?delay=0sec", data=parameters or None)
        return queue_item(response)

    def scan(self, name: str) -> None:
        """Look for branches now; twice finds no more than once."""
        self.send("POST", f"{job_path(name)}/build?delay=0", idempotent=True)


def job_path(name: str) -> str:
    """`a/b` as `/job/a/job/b`; a branch's job is named by its quoted branch, which is quoted once more."""
    return "".join(f"/job/{quote(part, safe='')}" for part in name.split("/"))


def folder_path(folder: str) -> str:
    """The same for a folder; nothing for the top."""
    return job_path(folder) if folder else ""


def queue_item(response: Response) -> str:
    """The number in `Location: …/queue/item/N/`. It names the root address that is configured in Jenkins, which may not
    be the one that we use: only the number counts."""
    found = re.search(r"/queue/item/(\d+)/?$", urlsplit(response.headers.get("Location", "")).path)
    return found[1] if found else ""
