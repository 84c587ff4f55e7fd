"""A real HTTP server on loopback that answers as a script of recordings says, or as a model of a server does.

::

    with serving(Script(gocd(64), gocd(72))) as server:   # exactly these two requests, in this order
        client = GoCD(server.url + "/go", ...)

A request that the script doesn't expect is answered 501 with the difference, and fails the test when the server is
closed; so does a script that was not played to its end. `Faults` make the way to the server bad.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Protocol

from tests.servers.exchanges import Answer, Exchange, Received

Fault = Literal["refuse", "drop", "truncate", "unavailable"]


class Answerer(Protocol):
    """What decides on the answers. `answer` may be called by several threads at once."""

    def answer(self, got: Received) -> Answer: ...

    def lost(self, got: Received) -> None:
        """The answer to this request did not arrive."""

    def failures(self) -> list[str]:
        """What went wrong, a text each; asked when the server closes."""


@dataclass(frozen=True)
class AnyOrder:
    """A part of a script whose requests may come in any order."""

    exchanges: tuple[Exchange, ...]


def any_order(*exchanges: Exchange) -> AnyOrder:
    """These requests, once each, in whatever order."""
    return AnyOrder(exchanges)


class Script:
    """Recordings in the order in which they are asked for.

    Args:
        steps: what must come, in this order.
        always: what may come at any time, any number of times; a step is preferred.
    """

    def __init__(self, *steps: Exchange | AnyOrder, always: Sequence[Exchange] = ()) -> None:
        self._steps = [[*step.exchanges] if isinstance(step, AnyOrder) else [step] for step in steps]
        self._always = always
        self._failures: list[str] = []
        self._lock = threading.Lock()
        self._given: list[tuple[Received, list[Exchange], Exchange]] = []

    def answer(self, got: Received) -> Answer:
        with self._lock:
            while self._steps and not self._steps[0]:
                self._steps.pop(0)
            expected = self._steps[0] if self._steps else []
            for exchange in expected:
                if not exchange.difference(got):
                    expected.remove(exchange)
                    self._given.append((got, expected, exchange))
                    return exchange.answer
            for exchange in self._always:
                if not exchange.difference(got):
                    return exchange.answer
            return self._refuse(got, [*expected, *self._always])

    def _refuse(self, got: Received, expected: Sequence[Exchange]) -> Answer:
        nearest = min(expected, key=lambda exchange: len(exchange.difference(got)), default=None)
        if nearest is None:
            text = f"{got}: the script is at its end, nothing more is expected"
        else:
            text = "\n  ".join([f"{got} is not {nearest.name}:", *nearest.difference(got)])
        self._failures.append(text)
        return Answer.of(501, text, Content_Type="text/plain;charset=utf-8")

    def lost(self, got: Received) -> None:
        """A reading request may be asked again; what a writing one did is done."""
        with self._lock:
            for given in self._given:
                if given[0] is got and got.method in ("GET", "HEAD"):
                    given[1].append(given[2])

    def failures(self) -> list[str]:
        left = [exchange for step in self._steps for exchange in step]
        unasked = [
            f"{exchange.name} was not asked for: {exchange.method} {exchange.target}" for exchange in left
        ]
        return [*self._failures, *(unasked if not self._failures else ())]


@dataclass
class Faults:
    """How the way to the server is bad: each a probability, drawn from `seed`.

    Args:
        refuse: the connection ends before the request is looked at.
        drop: the request is done, the connection ends without an answer.
        truncate: the request is done, half of the answer arrives.
        unavailable: 503 from a proxy, in HTML; the request is not looked at.
        delay: seconds at most before a request is looked at.
        methods: only for these.
        at_most: faults in all; None for no end.
        in_a_row: no more faults than that without an answer between them.
    """

    seed: int = 0
    refuse: float = 0.0
    drop: float = 0.0
    truncate: float = 0.0
    unavailable: float = 0.0
    delay: float = 0.0
    methods: Collection[str] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    at_most: int | None = None
    in_a_row: int = 2
    happened: list[tuple[Fault, Received]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()
        self._row = 0

    def draw(self, got: Received) -> tuple[Fault | None, float]:
        """What becomes of a request, and the seconds before."""
        kinds: tuple[Fault, ...] = ("refuse", "drop", "truncate", "unavailable")
        with self._lock:
            weights = [getattr(self, kind) for kind in kinds]
            (kind,) = self._random.choices([*kinds, None], [*weights, max(0.0, 1 - sum(weights))])
            wait = self._random.uniform(0, self.delay)
            over = self.at_most is not None and len(self.happened) >= self.at_most
            if kind is None or over or got.method not in self.methods or self._row >= self.in_a_row:
                self._row = 0
                return None, wait
            self._row += 1
            self.happened.append((kind, got))
            return kind, wait


BAD_GATEWAY = Answer.of(
    503,
    "<html><head><title>503 Service Temporarily Unavailable</title></head><body></body></html>",
    Content_Type="text/html",
)
"""What a proxy says for a server that is away."""


class ReplayServer:
    """Serves an `Answerer`.

    Args:
        answerer: who answers.
        faults: how the way to it is bad.
    """

    def __init__(self, answerer: Answerer, faults: Faults | None = None) -> None:
        self.answerer, self.faults = answerer, faults
        self.received: list[Received] = []
        """Every request that arrived, in this order, refused ones too."""
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.replay = self

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Answer nothing any more."""
        self._http.shutdown()
        self._http.server_close()

    def count(self, method: str, part: str = "") -> int:
        """How many requests of a method arrived whose path and query hold `part`."""
        return sum(got.method == method and part in got.target for got in self.received)

    def verify(self) -> None:
        """Raises AssertionError with each request that was not as recorded, or did not come."""
        failures = self.answerer.failures()
        if failures:
            raise AssertionError("\n".join(failures))


@contextlib.contextmanager
def serving(answerer: Answerer, faults: Faults | None = None) -> Iterator[ReplayServer]:
    """A server that answers while it is open. Closing fails where a request was not as recorded."""
    server = ReplayServer(answerer, faults)
    server.start()
    try:
        yield server
    except BaseException as error:
        failures = answerer.failures()
        if failures and isinstance(error, Exception):
            raise AssertionError("\n".join([*failures, f"and so: {error}"])) from error
        raise
    else:
        server.verify()
    finally:
        server.stop()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    replay: ReplayServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is none."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def _serve(self) -> None:
        replay = self.server.replay
        got = Received(self.command, self.path, dict(self.headers.items()), self._body())
        replay.received.append(got)
        fault, wait = replay.faults.draw(got) if replay.faults else (None, 0.0)
        if wait:
            time.sleep(wait)
        if fault == "refuse":
            self._hang_up()
            return
        if fault == "unavailable":
            self._send(BAD_GATEWAY)
            return
        answer = replay.answerer.answer(got).at(replay.url)
        if fault:
            replay.answerer.lost(got)
            self._send(answer, part=0.5 if fault == "truncate" and len(answer.body) > 1 else 0.0)
            self._hang_up()
            return
        self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            found = b""
            while size := int(self.rfile.readline(), 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, answer: Answer, part: float = 1.0) -> None:
        """Head and body in one piece; with `part` below 1 only that part of the body, and with 0 nothing at all."""
        if part == 0.0:
            return
        self.send_response_only(answer.status)
        for name, text in answer.headers.items():
            self.send_header(name, text)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        self._headers_buffer.append(b"\r\n")  # type: ignore[attr-defined]
        head = b"".join(self._headers_buffer)  # type: ignore[attr-defined]
        self._headers_buffer: list[bytes] = []
        body = b"" if self.command == "HEAD" or answer.status in (204, 304) else answer.body
        self.wfile.write(head + body[: int(len(body) * part)])

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""
