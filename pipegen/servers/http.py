"""One HTTP session for every client: credentials, time-outs, trying again, and errors in one line with the next step.

What is safe to ask again is asked again, with growing pauses, for as long as the connection has patience: reading
always, writing only where the server has certainly not looked at the request (nobody listened, or it answered 503).
Where the answer to a write was lost, `AnswerLost` tells the client to look whether it was done.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipegen.errors import AccessRefused, NotOnServer, ServerError, ServerUnavailable
from pipegen.servers import failures
from pipegen.servers.connection import Connection

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

CONNECT = 10.0
"""Seconds to wait until somebody listens."""
STARTING = 60.0
"""Seconds after a 503 during which a 401 counts as one too: a controller that starts refuses good credentials for a
moment (recorded: 503, 401, 200)."""
FIRST_PAUSE = 0.25
"""Seconds before the second try; then twice as long each time, up to eight."""
READING = ("GET", "HEAD")
AWAY = (502, 503, 504)


class AnswerLost(ServerUnavailable):
    """A write was sent and no answer came: it may have been done or not."""


def first_words(response: Response) -> str:
    """The server's own words in a plain answer; a client knows better where its server puts them."""
    kind = response.headers.get("Content-Type", "")
    return (
        "" if "html" in kind else response.text.strip().splitlines()[0][:300] if response.text.strip() else ""
    )


class Http:
    """Sends requests to one server.

    Args:
        connection: where it is, and who we are there.
        title: the server's name in messages.
        words: finds the server's own words in an answer of 400 and above; empty where there are none.
        headers: sent with every request.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        title: str,
        words: Callable[[Response], str] = first_words,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.connection, self.title = connection, title
        self._find_words, self._headers = words, dict(headers or {})
        self._slots = threading.BoundedSemaphore(connection.at_once)
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._process = 0
        self._away_at: float | None = None

    def get(self, path: str, **options: Any) -> Response:
        """`send("GET", …)`."""
        return self.send("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """`send("POST", …)`."""
        return self.send("POST", path, **options)

    def json(self, path: str, **options: Any) -> Any:
        """The JSON at a path. Raises ServerError where something else is there, such as a login page."""
        return self.decoded(self.get(path, **options))

    def decoded(self, response: Response) -> Any:
        """An answer's JSON. Raises ServerError where it is something else."""
        try:
            return response.json()
        except ValueError:
            raise failures.no_json(self.title, self.connection, response) from None

    def send(
        self,
        method: str,
        path: str,
        *,
        accept: Collection[int] = (),
        idempotent: bool = False,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        json: Any = None,
        files: Any = None,
        params: Mapping[str, str] | None = None,
    ) -> Response:
        """Send one request and return its answer; redirects are answers, they are not followed.

        Args:
            method: `GET`, `POST` …
            path: below the server's address, beginning with `/`.
            accept: statuses of 400 and above that the caller understands; they are returned as they are.
            idempotent: whether doing it twice does no harm, so that it may be tried again.
            headers: besides those of the session.
            data: the body: bytes, text, or the fields of a form.
            json: the body as JSON.
            files: the parts of a multipart body, as `requests` takes them.
            params: the query.

        Raises:
            AnswerLost: a write was sent, and no answer came.
            ServerUnavailable: it can't be reached, or is out of order.
            AccessRefused, NotOnServer, ServerError: it refuses, in its own words.
        """
        safe = idempotent or method in READING
        body = {"data": data, "json": json, "files": files, "params": params}
        for pause in self._pauses():
            try:
                response = self._once(method, path, {**self._headers, **(headers or {})}, body)
            except Exception as error:
                found = failures.of_exception(error, self.title, self.connection)
                if found is None:
                    raise
                if not found.sent or safe:
                    if self._wait(pause, found.message, None):
                        continue
                    raise ServerUnavailable(found.message) from None
                raise AnswerLost(f"{found.message}; whether it was done is not known") from None
            if self._is_away(response, safe=safe) and self._wait(pause, self._say_away(response), response):
                continue
            if response.status_code < 400 or response.status_code in accept:
                return self._checked(method, path, response)
            raise self.refusal(response, safe=safe)
        raise AssertionError("the last pause ends the loop")

    def _once(self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Response:
        with self._slots:
            response = self.session.request(
                method,
                self.connection.url + path,
                headers=dict(headers),
                timeout=(CONNECT, self.connection.timeout),
                allow_redirects=False,
                **body,
            )
        # definitions come as XML without a character set, which would otherwise be guessed from the bytes
        response.encoding = response.encoding or "utf-8"
        return response

    @property
    def session(self) -> Session:
        """The session of `requests`, made when first needed, and anew in a process that was split off from this one:
        two processes can't share a connection."""
        with self._lock:
            if self._session is None or self._process != os.getpid():
                self._session, self._process = _session(self.connection), os.getpid()
            return self._session

    def _words(self, response: Response) -> str:
        return failures.clean(self._find_words(response))

    # ------------------------------------------------------------------------------------------ trying again

    def _pauses(self) -> Iterator[float | None]:
        """Seconds to wait after each failure; None after the last."""
        until = time.monotonic() + self.connection.patience
        pause = FIRST_PAUSE
        while time.monotonic() + pause < until:
            yield pause * random.uniform(0.75, 1.25)
            pause = min(pause * 2, 8.0)
        yield None

    def _wait(self, pause: float | None, message: str, response: Response | None) -> bool:
        """Wait before the next try; False where there is none."""
        if pause is None:
            return False
        asked = response.headers.get("Retry-After", "") if response is not None else ""
        if asked.isdigit():
            pause = min(float(asked), 30.0)
        if pause > 1:
            self.connection.say(f"{message}; trying again")
        time.sleep(pause)
        return True

    def _is_away(self, response: Response, *, safe: bool) -> bool:
        """Whether the same may succeed later; for a write only where it was certainly not looked at."""
        status, now = response.status_code, time.monotonic()
        if status == 503 or (safe and status in AWAY):
            self._away_at = now
            return True
        just_started = self._away_at is not None and now - self._away_at < STARTING
        return status == 401 and just_started

    def _say_away(self, response: Response) -> str:
        return failures.away(self.title, self.connection, response, self._words(response))

    # ------------------------------------------------------------------------------------------ answers

    def _checked(self, method: str, path: str, response: Response) -> Response:
        """An answer is from the server that was asked, not from a login page or another address."""
        if response.is_redirect and method in READING:
            raise failures.redirected(self.title, self.connection, response)
        if response.is_redirect:
            there, here = urlsplit(response.headers["Location"]), urlsplit(self.connection.url)
            if there.netloc and there.path.rstrip("/") == (here.path + path.split("?")[0]).rstrip("/"):
                raise failures.redirected(self.title, self.connection, response)
        return response

    def refusal(self, response: Response, *, safe: bool = False) -> ServerError:
        """The error that an answer of 400 and above is.

        Args:
            response: the answer.
            safe: whether asking again does no harm.
        """
        status, words = response.status_code, self._words(response)
        if status == 401:
            return AccessRefused(failures.unknown_user(self.title, self.connection))
        if status == 403:
            return AccessRefused(failures.forbidden(self.title, self.connection, words))
        if status == 404:
            return NotOnServer(failures.absent(self.title, self.connection, response, words))
        if status == 503 or (status in AWAY and safe):
            return ServerUnavailable(self._say_away(response))
        if status in AWAY:
            return AnswerLost(f"{self._say_away(response)}; whether it was done is not known")
        return failures.refused(self.title, self.connection, response, words)


def _session(connection: Connection) -> Session:
    import requests
    from requests.adapters import HTTPAdapter
    from requests.utils import get_environ_proxies

    from pipegen import __version__

    session = requests.Session()
    # what the environment says of proxies and certificates is looked up here, and not again for each request
    session.trust_env = False
    session.proxies.update(get_environ_proxies(connection.url))
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    for scheme in ("http://", "https://"):
        session.mount(
            scheme, HTTPAdapter(pool_connections=1, pool_maxsize=connection.at_once, pool_block=True)
        )
    session.headers["User-Agent"] = f"pipegen/{__version__}"
    session.auth = _authorize(connection)
    if connection.ca:
        session.verify = connection.ca
    return session


def _authorize(connection: Connection) -> Callable[[PreparedRequest], PreparedRequest]:
    """Who we are, in each request. Set even for nobody: else `requests` looks into netrc by itself."""
    import base64

    header = ""
    if connection.secret and connection.user:
        pair = f"{connection.user}:{connection.secret}".encode()
        header = "Basic " + base64.b64encode(pair).decode()
    elif connection.secret:
        header = f"Bearer {connection.secret}"
        if not header.isascii() or not header.isprintable():
            raise ServerError(f"the token for {connection.server} holds a sign that no token has")

    def authorize(request: PreparedRequest) -> PreparedRequest:
        if header:
            request.headers["Authorization"] = header
        return request

    return authorize
