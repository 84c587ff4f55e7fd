"""A small double of GitHub's and GitLab's APIs over HTTP, with one pull request.

Its paths, bodies and refusals are those of the manuals: GitHub "REST API endpoints for issue comments" and "Rate limits
for the REST API"; GitLab "Notes API" and "Rate limits".
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pipegen.views.comment import Forge, load_forge

TOKEN = "t0ken-of-nobody"
PATHS = {
    "github": (
        r"/api/v3/repos/pricing/houses/issues/7/comments",
        r"/api/v3/repos/pricing/houses/issues/comments/(\d+)",
    ),
    "gitlab": (
        r"/api/v4/projects/pricing%2Fhouses/merge_requests/7/notes",
        r"/api/v4/projects/pricing%2Fhouses/merge_requests/7/notes/(\d+)",
    ),
}
UPDATE = {"github": "PATCH", "gitlab": "PUT"}


@dataclass
class Double:
    """A forge with one pull request."""

    kind: str
    comments: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)
    """Statuses, headers and bodies of the next answers to writes."""
    asked: list[str] = field(default_factory=list)
    lose_next_answer: bool = False

    def answer(self, method: str, path: str, token: str, body: Any) -> tuple[int, dict[str, str], Any]:
        """What it says."""
        self.asked.append(method)
        many, one = PATHS[self.kind]
        where, _, query = path.partition("?")
        if token != f"Bearer {TOKEN}":
            return 401, {}, {"message": "Bad credentials"}
        if method != "GET" and self.refusals:
            return self.refusals.pop(0)
        if method == "GET" and re.fullmatch(many, where):
            words = dict(pair.split("=") for pair in query.split("&"))
            size, page = int(words["per_page"]), int(words["page"])
            return 200, {}, self.comments[size * (page - 1) : size * page]
        if method == "POST" and re.fullmatch(many, where):
            made = {"id": 100 + len(self.comments), "body": body["body"], "html_url": "https://x/1"}
            self.comments.append(made)
            return 201, {}, made
        found = re.fullmatch(one, where)
        if method == UPDATE[self.kind] and found:
            (there,) = [each for each in self.comments if each["id"] == int(found[1])] or [None]
            if there is None:
                return 404, {}, {"message": "Not Found"}
            there["body"] = body["body"]
            return 200, {}, there
        return 404, {}, {"message": "Not Found"}

    @property
    def texts(self) -> list[str]:
        return [each["body"] for each in self.comments]


@dataclass
class Served:
    double: Double
    url: str

    def forge(self, token: str = TOKEN, **more: Any) -> Forge:
        """A client for it."""
        return load_forge(self.double.kind)(self.url, "pricing/houses", token, **{"patience": 2.0, **more})


@contextmanager
def serving_forge(kind: str) -> Iterator[Served]:
    """The double, for a while."""
    double = Double(kind)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            said = self.headers.get("Authorization", "")
            status, headers, answer = double.answer(self.command, self.path, said, body)
            if double.lose_next_answer and self.command != "GET":
                double.lose_next_answer = False
                self.close_connection = True
                return
            text = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_PATCH = do_PUT = do_GET

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield Served(double, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
