"""Recorded exchanges with real servers: what was asked, what was answered, and how a request differs from a record."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

CONTRACTS = Path(__file__).resolve().parents[3] / "shared" / "contracts"

ABSENT = "the recordings of real servers (../shared/contracts) are not here"
needs_recordings = pytest.mark.skipif(not CONTRACTS.is_dir(), reason=ABSENT)
"""For tests that replay; CI may skip nothing else."""


def skip_without_recordings() -> None:
    """For a module that reads recordings as it is imported."""
    if not CONTRACTS.is_dir():
        pytest.skip(ABSENT, allow_module_level=True)


USER, PASSWORD = "admin", "password"
"""The placeholders in the recordings."""

RECORDED_AT = (
    "http://127.0.0.1:8153",
    "http://127.0.0.1:18080",
    "http://localhost:8153",
    "http://localhost:18080",
)
"""Where the recorded servers were; rewritten in headers and bodies to where the replay is."""

STRICT = ("If-Match", "If-None-Match", "X-GoCD-Confirm", "X-pause-pipeline", "X-pause-cause", "Content-Type")
"""Headers that must be as recorded, and absent where none was recorded."""
SENT = ("Accept", "Authorization")
"""Headers that must be as recorded where the record has them. Cookies and crumbs belong to a session: not compared."""

_OWN = frozenset(
    ("date", "transfer-encoding", "content-length", "connection", "keep-alive", "expires", "content-encoding")
)
"""Answer headers that the replay makes itself, or that speak of the recorded transport."""


@dataclass(frozen=True)
class Received:
    """A request as it came in."""

    method: str
    target: str
    """Path and query, as sent."""
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """Without the query, unquoted."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The query's values by name; the last wins."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @functools.cached_property
    def form(self) -> dict[str, str]:
        """The fields of a form in the body."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True)
class Answer:
    """What the server says."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, status: int, body: Any = b"", **headers: str) -> Answer:
        """From a body as a recording holds one: JSON, text, or bytes; header names with `_` for `-`."""
        return cls(status, {name.replace("_", "-"): text for name, text in headers.items()}, _bytes(body))

    def at(self, url: str) -> Answer:
        """The same with the recorded servers' addresses replaced by `url` (scheme, host, port)."""
        body = self.body
        headers = dict(self.headers)
        for recorded in RECORDED_AT:
            body = body.replace(recorded.encode(), url.encode())
            headers = {name: text.replace(recorded, url) for name, text in headers.items()}
        return replace(self, headers=headers, body=body)


@dataclass(frozen=True)
class Exchange:
    """One request that is expected, and its answer."""

    name: str
    """The recording that it is, or is shaped by."""
    method: str
    target: str
    headers: Mapping[str, str]
    body: Any
    """As a recording holds it: JSON, text or None."""
    answer: Answer
    checks_body: bool = True

    def asked(self, **changes: Any) -> Exchange:
        """The same expecting another `method`, `target`, `headers` (merged; None removes one) or `body`."""
        headers = {**self.headers, **changes.pop("headers", {})}
        return replace(self, headers={k: v for k, v in headers.items() if v is not None}, **changes)

    def any_body(self) -> Exchange:
        """The same, whatever body comes."""
        return replace(self, checks_body=False)

    def answered(self, status: int | None = None, body: Any = None, **headers: str) -> Exchange:
        """The same with another answer, shaped as the recorded one."""
        new = Answer.of(status or self.answer.status, self.answer.body if body is None else body, **headers)
        return replace(self, answer=replace(new, headers={**self.answer.headers, **new.headers}))

    def json(self) -> Any:
        """The answer's JSON."""
        return json.loads(self.answer.body)

    def difference(self, got: Received) -> list[str]:
        """A line for each thing in which a request is not the one expected; the first line is method and path."""
        found = []
        if got.method != self.method or _address(got.target) != _address(self.target):
            found.append(f"expected {self.method} {self.target}, got {got}")
        sent = {name.lower(): text for name, text in got.headers.items()}
        expected = {name.lower(): text for name, text in self.headers.items()}
        names = [*STRICT, *(name for name in SENT if name.lower() in expected)]
        if self.body is None and not got.body:
            names.remove("Content-Type")
        for name in names:
            want, have = (_value(name, headers.get(name.lower())) for headers in (expected, sent))
            if want != have:
                found.append(f"header {name}: expected {want!r}, got {have!r}")
        if self.checks_body:
            found += _body_difference(self.body, got, expected.get("content-type", ""))
        return found


def recorded(server: str, number: str) -> Exchange:
    """A recording by its folder (`gocd`, `gocd-25.4`, `jenkins`) and the start of its file name up to a dash."""
    name, text = _file(server, number)
    data = json.loads(text)
    asked, said = data["request"], data["response"]
    # two of the same name, as GoCD sends ETag for environments, are one here
    one = {name: text if isinstance(text, str) else text[0] for name, text in said["headers"].items()}
    headers = {name: text for name, text in one.items() if name.lower() not in _OWN}
    encoding = said["headers"].get("Content-Encoding")
    if encoding:
        headers["Content-Encoding"] = encoding
    return Exchange(
        f"{server}/{name}",
        asked["method"],
        asked["path"],
        asked["headers"],
        asked["body"],
        Answer(said["status"], headers, _bytes(said["body"])),
    )


@functools.cache
def _file(server: str, number: str) -> tuple[str, str]:
    (path,) = (CONTRACTS / server).glob(f"{number}-*.json")
    return path.name, path.read_text("utf-8")


def gocd(number: int | str) -> Exchange:
    """A recording of GoCD 26.1.0 by its number."""
    return recorded("gocd", f"{number:03}" if isinstance(number, int) else number)


def jenkins(number: str) -> Exchange:
    """A recording of Jenkins by what its name begins with: `36b`, `mb-a4`."""
    return recorded("jenkins", number)


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, dict) and "$base64" in body:
        return base64.b64decode(body["$base64"])
    return json.dumps(body, separators=(",", ":")).encode()


def _address(target: str) -> tuple[str, list[tuple[str, str]]]:
    parts = urlsplit(target)
    return unquote(parts.path), sorted(parse_qsl(parts.query, keep_blank_values=True))


def _value(name: str, text: str | None) -> str | None:
    """A header's value without what means nothing: the character set and the boundary of a content type."""
    if text is not None and name == "Content-Type":
        return text.split(";")[0].strip().lower()
    return text


def _body_difference(expected: Any, got: Received, content_type: str) -> Iterable[str]:
    if isinstance(expected, (dict, list)):
        try:
            yield from json_difference(expected, json.loads(got.body))
        except ValueError:
            yield f"body: expected JSON, got {got.body[:200]!r}"
        return
    want, have = _bytes(expected), got.body
    if content_type.startswith("multipart/"):
        want_parts = _parts(want, content_type)
        have_parts = _parts(have, got.headers.get("Content-Type", ""))
        if want_parts != have_parts:
            yield f"body: expected the parts {want_parts}, got {have_parts}"
    elif content_type.startswith("application/x-www-form-urlencoded"):
        fields = (sorted(parse_qsl(body.decode(), keep_blank_values=True)) for body in (want, have))
        if len({tuple(pairs) for pairs in fields}) > 1:
            yield f"body: expected the form {want.decode()}, got {have.decode()}"
    elif want.strip() != have.strip():
        yield f"body: expected {want[:2000].decode()!r}, got {have[:2000].decode(errors='replace')!r}"


def _parts(body: bytes, content_type: str) -> list[tuple[str | None, str | None, bytes]]:
    """Name, file name and content of each part."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        head + body.replace(b"\r\n", b"\n")
    )
    return [
        (
            part.get_param("name", header="content-disposition"),  # type: ignore[misc]
            part.get_filename(),
            (part.get_payload(decode=True) or b"").strip(),  # type: ignore[union-attr]
        )
        for part in message.iter_parts()
    ]


def json_difference(expected: Any, got: Any, at: str = "body") -> Iterable[str]:
    """A line for each place in which two JSON values differ."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            if key not in got:
                yield f"{at}.{key}: expected {expected[key]!r}, got nothing"
            elif key not in expected:
                yield f"{at}.{key}: expected nothing, got {got[key]!r}"
            else:
                yield from json_difference(expected[key], got[key], f"{at}.{key}")
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for number, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from json_difference(one, other, f"{at}[{number}]")
    elif expected != got or isinstance(expected, bool) != isinstance(got, bool):
        yield f"{at}: expected {expected!r}, got {got!r}"
