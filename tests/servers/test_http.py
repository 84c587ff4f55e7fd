"""The session of all clients: what goes wrong is one line with the next step, and only what is safe is repeated."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pipegen.errors import AccessRefused, NotOnServer, ServerError, ServerUnavailable
from pipegen.servers.connection import Connection
from pipegen.servers.http import AnswerLost, Http
from tests.servers.exchanges import Answer, Received
from tests.servers.replay import Faults, ReplayServer, serving

HTML = {"Content_Type": "text/html"}
PROXIES = (
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
)


@pytest.fixture(autouse=True)
def _own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine, and nobody waits."""
    monkeypatch.setattr("pipegen.servers.http.FIRST_PAUSE", 0.01)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


class Says:
    """Answers these one after the other, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.asked = [*answers], [*()]

    def answer(self, got: Received) -> Answer:
        self.asked.append(got)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def lost(self, got: Received) -> None:
        """It is done."""

    def failures(self) -> list[str]:
        return []


def http(url: str, **words: object) -> Http:
    settings = {"user": "bot", "secret": "s3cret", "patience": 0.0, "timeout": 5.0, **words}
    return Http(Connection(server="jenkins", url=url, **settings), title="Jenkins")  # type: ignore[arg-type]


def failure(url: str, method: str = "GET", **words: object) -> ServerError:
    """What is raised; one line that does not hold the secret."""
    with pytest.raises(ServerError) as error:
        http(url, **words).send(method, "/api")
    message = error.value.message
    assert "\n" not in message and "s3cret" not in message, message
    return error.value


def answering(*answers: Answer, **faults: object) -> contextlib.AbstractContextManager[ReplayServer]:
    return serving(Says(*answers), Faults(**faults) if faults else None)  # type: ignore[arg-type]


OK = Answer.of(200, {"fine": True}, Content_Type="application/json")
AWAY = Answer.of(503, "<html><title>Starting</title></html>", **HTML)


# ---------------------------------------------------------------------------------------------- the way there


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert failure(f"http://127.0.0.1:{port}/jenkins").message == (
        f"Jenkins can't be reached: nothing listens at 127.0.0.1:{port}"
    )
    found = failure("http://no-such-host.invalid/jenkins")
    assert found.message == "there is no host 'no-such-host.invalid': check PIPEGEN_JENKINS_URL"


def test_a_server_that_says_nothing_is_left_after_a_while() -> None:
    with answering(OK, delay=3.0, seed=2) as server:
        found = failure(server.url, timeout=0.1)
    assert isinstance(found, ServerUnavailable) and "gave no answer in 0.1 s" in found.message


def test_a_proxy_that_leads_nowhere_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://me:hidden@127.0.0.1:9")
    found = failure("http://ci.example.com/jenkins").message
    assert found.startswith("the proxy http://127.0.0.1:9 does not lead to ci.example.com: mend HTTPS_PROXY")
    assert "NO_PROXY=ci.example.com" in found


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that nobody signed, for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    (folder / "both.pem").write_bytes(made.public_bytes(Encoding.PEM))
    return folder / "both.pem"


@contextlib.contextmanager
def over_tls(certificate: Path) -> Iterator[str]:
    """A server that speaks TLS and says OK."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server = ReplayServer(Says(OK))
    server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
    server.start()
    try:
        yield server.url.replace("http:", "https:")
    finally:
        server.stop()


def test_a_certificate_that_nobody_trusts(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with over_tls(certificate) as url:
        found = failure(url).message
        assert "does not trust: name its authority's file in PIPEGEN_JENKINS_CA or as `ca`" in found
        assert http(url, ca=str(certificate)).json("/api") == {"fine": True}
        other = failure(url.replace("127.0.0.1", "localhost"), ca=str(certificate)).message
        assert "shows a certificate for another name" in other


def test_tls_where_none_is_spoken() -> None:
    with answering(OK) as server:
        found = failure(server.url.replace("http:", "https:")).message
    assert "speaks no TLS there: is it http:// or another port?" in found


# ---------------------------------------------------------------------------------------------- answers


def test_what_is_no_answer_of_this_server() -> None:
    with (
        answering(Answer.of(200, "<title>Sign in &amp; go</title>", **HTML)) as server,
        pytest.raises(
            ServerError, match=r"did not answer as Jenkins does \(Sign in & go\): check PIPEGEN_JENKINS_URL"
        ),
    ):
        http(server.url).json("/api")
    with answering(Answer.of(302, Location="https://sso.example.com/login?from=x")) as server:
        found = failure(server.url).message
        assert "sends us to https://sso.example.com/login:" in found and "use a token" in found
    with answering(Answer.of(302, Location="https://ci.example.com/jenkins/api")) as server:
        assert "set PIPEGEN_JENKINS_URL" in failure(f"{server.url}/jenkins", "POST").message
    with answering(Answer.of(302, Location="/jenkins/job/x/")) as server:
        assert http(f"{server.url}/jenkins").post("/job/x/stop").status_code == 302


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (
            401,
            AccessRefused,
            "does not know 'bot' with this token: check PIPEGEN_JENKINS_USER, PIPEGEN_JENKINS_TOKEN",
        ),
        (403, AccessRefused, "forbids it to the user 'bot': no; an administrator can grant it"),
        (404, NotOnServer, "has nothing at /api: no"),
        (407, AccessRefused, "the proxy wants credentials"),
        (409, ServerError, "Jenkins refuses: no (409)"),
        (500, ServerUnavailable, "Jenkins failed with 500: no; its log says more"),
        (502, ServerUnavailable, "is not ready: 502 no"),
    ],
)
def test_each_refusal_in_the_servers_own_words(status: int, error: type[ServerError], says: str) -> None:
    with answering(Answer.of(status, "no\n", Content_Type="text/plain")) as server:
        found = failure(server.url)
        assert isinstance(found, error) and says in found.message, found.message
        nobody = failure(server.url, user="", secret="") if status in (401, 403) else None
        assert nobody is None or "wants credentials: set PIPEGEN_JENKINS_USER and" in nobody.message


def test_who_we_are_is_sent_as_the_connection_says_and_netrc_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    says = Says(OK)
    with serving(says) as server:
        http(server.url, user="Zoë").get("/api")
        http(server.url, user="").get("/api")
        http(server.url, user="", secret="").get("/api")
    sent = [got.headers.get("Authorization") for got in says.asked]
    assert sent == ["Basic Wm/DqzpzM2NyZXQ=", "Bearer s3cret", None]


def test_words_that_a_terminal_would_obey_and_tokens_that_no_header_holds() -> None:
    with answering(Answer.of(400, "\x1b[31mno\x07 \x1b]0;x", Content_Type="text/plain")) as server:
        assert failure(server.url).message == "Jenkins refuses: [31mno ]0;x (400)"
        for secret in ("s3cret\nX: y", "s3crét"):
            assert "holds a sign" in failure(server.url, user="", secret=secret).message


# ---------------------------------------------------------------------------------------------- trying again


def test_reading_is_repeated_writing_only_where_nothing_was_done() -> None:
    for fault in ("refuse", "drop", "truncate", "unavailable"):
        with answering(OK, at_most=2, in_a_row=9, **{fault: 1.0}) as server:
            assert http(server.url, patience=5.0).json("/api") == {"fine": True}
            assert len(server.received) == 3
    with answering(OK, drop=1.0, at_most=1) as server:
        with pytest.raises(AnswerLost, match="broke; whether it was done is not known"):
            http(server.url, patience=5.0).post("/api")
        assert len(server.received) == 1
    with answering(OK, drop=1.0, at_most=1) as server:
        assert http(server.url, patience=5.0).post("/api", idempotent=True).status_code == 200
    with answering(AWAY, AWAY, OK) as server:
        assert http(server.url, patience=5.0).post("/api").status_code == 200
    with answering(Answer.of(502, "bad", **HTML), OK) as server, pytest.raises(AnswerLost):
        http(server.url, patience=5.0).post("/api")


def test_patience_ends_and_says_so() -> None:
    said: list[str] = []
    with answering(AWAY) as server:
        found = failure(server.url, patience=0.3, say=said.append)
        assert isinstance(found, ServerUnavailable) and "is not ready: 503 Starting" in found.message
        assert len(server.received) > 3


def test_a_401_just_after_a_503_is_a_server_that_starts() -> None:
    bad = Answer.of(401, "", **HTML)
    with answering(AWAY, bad, bad, OK) as server:
        assert http(server.url, patience=5.0).json("/api") == {"fine": True}
    with answering(bad, OK) as server:
        assert isinstance(failure(server.url, patience=5.0), AccessRefused)


def test_no_more_requests_at_a_time_than_the_connection_allows() -> None:
    most, now, lock = [0], [0], threading.Lock()

    class Slow(Says):
        def answer(self, got: Received) -> Answer:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            threading.Event().wait(0.05)
            with lock:
                now[0] -= 1
            return OK

    with serving(Slow(OK)) as server:
        shared = http(server.url, at_once=3)
        threads = [threading.Thread(target=shared.get, args=("/api",)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most[0] == 3
