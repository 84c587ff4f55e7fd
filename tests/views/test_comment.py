"""Comments on pull requests, against a small double of GitHub's and GitLab's APIs over HTTP.

The double's paths, bodies and refusals are those of the manuals: GitHub "REST API endpoints for issue comments" and
"Rate limits for the REST API"; GitLab "Notes API" and "Rate limits".
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pipegen.errors import AccessRefused, NotOnServer, PlanError, ServerError, ServerUnavailable
from pipegen.views.comment import LONGEST, Forge, forge_types, load_forge, put, repository_path

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


@pytest.fixture(params=["github", "gitlab"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    double = Double(request.param)

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


def test_it_is_written_once_and_then_updated_in_place(served: Served) -> None:
    served.double.comments = [{"id": i, "body": f"somebody says {i}"} for i in range(150)]
    for text in ("r2 0.9", "r2 0.8", "r2 0.8"):
        put(served.forge(), 7, text, about="houses/review")
    put(served.forge(), 7, "other", about="houses/other")
    assert served.double.texts[150:] == [
        "<!-- pipegen houses/review -->\nr2 0.8",
        "<!-- pipegen houses/other -->\nother",
    ]
    assert served.double.asked.count(UPDATE[served.double.kind]) == 1


def test_what_looks_like_the_end_of_a_mark_is_none(served: Served) -> None:
    put(served.forge(), 7, "x", about="a --> <b>")
    assert served.double.texts == ["<!-- pipegen a_--___b_ -->\nx"]


def test_one_that_was_deleted_meanwhile_is_written_anew(served: Served) -> None:
    put(served.forge(), 7, "one", about="h/r")
    served.double.refusals = [(404, {}, {"message": "Not Found"})]
    put(served.forge(), 7, "two", about="h/r")
    assert served.double.texts[-1].endswith("two")


def test_a_lost_answer_makes_no_second_comment(served: Served) -> None:
    served.double.lose_next_answer = True
    put(served.forge(), 7, "one", about="h/r")
    assert len(served.double.texts) == 1


def test_a_long_one_is_cut_at_a_line(served: Served) -> None:
    put(served.forge(), 7, "0123456789\n" * 10_000, about="h/r")
    (text,) = served.double.texts
    assert LONGEST - 100 < len(text) < LONGEST + 100
    assert text.endswith("0123456789\n\n… the rest is in the report.")


def test_a_fork_without_the_right_to_is_told_so(served: Served) -> None:
    served.double.refusals = [(403, {}, {"message": "Resource not accessible by integration"})]
    with pytest.raises(
        AccessRefused, match=r"may not comment on pull request 7 .* \(Resource not acc.*a fork runs"
    ):
        put(served.forge(), 7, "x", about="h/r")
    assert not served.double.texts


def test_a_wrong_token_and_a_wrong_place(served: Served) -> None:
    with pytest.raises(AccessRefused, match="does not know this token") as caught:
        put(served.forge(token="secret-and-wrong"), 7, "x", about="h/r")
    assert "secret-and-wrong" not in str(caught.value)
    with pytest.raises(NotOnServer, match="has no pull request 8 in pricing/houses"):
        put(served.forge(), 8, "x", about="h/r")


def test_too_many_requests_are_waited_out(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 30)}
    served.double.refusals = [(403, limit, {"message": "rate limit"}), (429, {"Retry-After": "3"}, {})]
    put(served.forge(patience=100), 7, "x", about="h/r")
    assert len(served.double.texts) == 1
    assert 25 < waited[0] <= 30
    assert waited[1] == 3


def test_they_are_not_waited_out_for_ever(served: Served) -> None:
    served.double.refusals = [(429, {"Retry-After": "900"}, {"message": "slow down"})]
    with pytest.raises(ServerUnavailable, match="takes no more requests for 900 s: slow down"):
        put(served.forge(), 7, "x", about="h/r")


def test_what_is_no_forge_is_said(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.double.refusals = [(201, {}, {"hello": "world"})]
    with pytest.raises(ServerError, match="`url` under `forge`"):
        put(served.forge(), 7, "x", about="h/r")


def test_github_itself_has_an_address_of_its_own() -> None:
    assert load_forge("github").api("https://github.com") == "https://api.github.com"
    assert set(forge_types()) >= {"github", "gitlab"}
    with pytest.raises(PlanError, match="no forge 'gitea' is installed; there are"):
        load_forge("gitea")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://git.example.com/pricing/houses.git", "pricing/houses"),
        ("https://git.example.com/a/b/houses/", "a/b/houses"),
        ("git@git.example.com:pricing/houses.git", "pricing/houses"),
        ("ssh://git@git.example.com:22/pricing/houses", "pricing/houses"),
    ],
)
def test_the_path_of_a_repository(url: str, path: str) -> None:
    assert repository_path(url) == path


def test_a_folder_is_none() -> None:
    with pytest.raises(PlanError, match="names no repository of a forge"):
        repository_path("/srv/git/houses")
