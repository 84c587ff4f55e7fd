"""Reports by mail, through a real SMTP server: TLS, passwords, recipients who are refused, servers that are away."""

from __future__ import annotations

import email
import ssl
import subprocess
import time
from email import policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from hypothesis import given
from hypothesis import strategies as st

from pipegen.errors import AccessRefused, ServerError, ServerUnavailable
from pipegen.views.mail import Account, Letter, MailRefused, Picture, message, message_id, send
from tests.support.post import Post, free_port, serving

FROM = "pipelines@example.com"
ANNA, BEN = "anna@example.com", "ben@example.com"


def letter(subject: str = "houses: all gates passed", text: str = "Grüße\n") -> Letter:
    """A small report with a picture."""
    return Letter(
        subject=subject,
        text=text,
        html='<p>Grüße</p><img src="cid:predicted" alt="">',
        pictures={"predicted": Picture(data=b"\x89PNG\r\n\x1a\n123")},
        about="run 7f3a",
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """For 127.0.0.1, and its file for who trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=127.0.0.1",
            ),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context, str(cert)


def check_password(_: Any, __: Any, ___: Any, ____: Any, data: Any) -> AuthResult:
    """Knows one user."""
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ci", b"hunter2")
    return AuthResult(success=good, handled=False)


def account(port: int, scheme: str = "smtp", **more: Any) -> Account:
    return Account(server=f"{scheme}://127.0.0.1:{port}", sender=FROM, **more)


def test_text_page_and_picture_arrive() -> None:
    post = Post()
    with serving(post) as port:
        send(letter(), account(port), [ANNA, BEN])
    ((recipients, got),) = post.got
    assert recipients == [ANNA, BEN]
    assert (got["From"], got["To"], got["Subject"]) == (FROM, f"{ANNA}, {BEN}", "houses: all gates passed")
    assert got["Message-ID"] == message_id("run 7f3a", FROM)
    assert got["Auto-Submitted"] == "auto-generated"
    assert got.get_body(("plain",)).get_content() == "Grüße\r\n"  # type: ignore[union-attr]
    assert "cid:predicted" in got.get_body(("html",)).get_content()  # type: ignore[union-attr]
    (picture,) = [part for part in got.walk() if part.get_content_maintype() == "image"]
    assert picture["Content-ID"] == "<predicted>"
    assert picture.get_content_disposition() == "inline"
    assert picture.get_payload(decode=True) == b"\x89PNG\r\n\x1a\n123"


@pytest.mark.filterwarnings(
    "ignore:Requiring AUTH while not requiring TLS:UserWarning"
)  # it is TLS all the way
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_tls_and_password(scheme: str, certificate: tuple[ssl.SSLContext, str]) -> None:
    post, (context, ca) = Post(), certificate
    tls = (
        {"ssl_context": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
    )
    how = {"authenticator": check_password, "auth_required": True, **tls}
    if scheme == "smtps":
        how["auth_require_tls"] = False  # it is all encrypted; the server counts only STARTTLS
    with serving(post, **how) as port:
        send(letter(), account(port, scheme, user="ci", password="hunter2", ca=ca), [ANNA])
        with pytest.raises(AccessRefused, match="does not know 'ci' with this password") as caught:
            send(letter(), account(port, scheme, user="ci", password="wrong-one", ca=ca), [ANNA])
        with pytest.raises(ServerError, match="no TLS with the mail server"):
            send(letter(), account(port, scheme, user="ci", password="hunter2"), [ANNA])
    assert len(post.got) == 1
    assert "wrong-one" not in str(caught.value)


def test_a_password_does_not_travel_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipegen.views.mail.LOOPBACK", ())
    post = Post()
    with (
        serving(post) as port,
        pytest.raises(ServerError, match="offers no TLS, and the password would travel in the clear"),
    ):
        send(letter(), account(port, user="ci", password="hunter2"), [ANNA])
    assert not post.got


def test_one_refused_recipient_keeps_it_from_nobody_else() -> None:
    post = Post({BEN: ["550 no such user"]})
    with serving(post) as port, pytest.raises(MailRefused, match=f"{BEN}: 550 no such user") as caught:
        send(letter(), account(port), [ANNA, BEN])
    assert [recipients for recipients, _ in post.got] == [[ANNA]]
    assert caught.value.refused == {BEN: "550 no such user"}


def test_all_refused() -> None:
    post = Post({ANNA: ["550 no"], BEN: ["551 not here"]})
    with serving(post) as port, pytest.raises(MailRefused, match=f"{ANNA}: 550 no; {BEN}: 551 not here"):
        send(letter(), account(port), [ANNA, BEN])
    assert not post.got


def test_who_is_to_be_tried_later_is_alone_tried_later(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    post, said = Post({BEN: ["451 greylisted", "250 OK"]}), list[str]()
    with serving(post) as port:
        send(letter(), account(port), [ANNA, BEN], say=said.append)
    assert [recipients for recipients, _ in post.got] == [[ANNA], [BEN]]
    assert len({str(got["Message-ID"]) for _, got in post.got}) == 1
    assert waited == [1.0]
    assert "451 greylisted; trying again" in said[0]


def test_it_is_sent_again_with_the_same_id_where_the_answer_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    post = Post(after_data=["lost", "250 OK"])
    with serving(post) as port:
        send(letter(), account(port), [ANNA])
    assert len(post.got) == 2
    assert len({str(got["Message-ID"]) for _, got in post.got}) == 1


def test_a_server_that_is_down_for_a_while_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    post, port = Post(), free_port()
    started: list[Controller] = []

    def start(_: float) -> None:
        if not started:
            started.append(Controller(post, hostname="127.0.0.1", port=port))
            started[0].start()

    monkeypatch.setattr(time, "sleep", start)
    try:
        send(letter(), account(port), [ANNA])
    finally:
        started[0].stop()
    assert len(post.got) == 1


def test_one_that_stays_away_is_given_up() -> None:
    with pytest.raises(ServerUnavailable, match=f"can't be reached: .*; not sent to {ANNA}"):
        send(letter(), account(free_port()), [ANNA], patience=0.5)


def test_a_slow_server_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipegen.views.mail.TIMEOUT", 0.2)

    class Slow(Post):
        async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
            import asyncio

            await asyncio.sleep(1)
            return await super().handle_DATA(server, session, envelope)

    with serving(Slow()) as port, pytest.raises(ServerUnavailable, match="timed out"):
        send(letter(), account(port), [ANNA], patience=0.5)


def test_a_server_that_refuses_for_good_is_asked_once() -> None:
    post = Post(after_data=["554 looks like spam"] * 5)
    with serving(post) as port, pytest.raises(ServerError, match="refuses: 554 looks like spam"):
        send(letter(), account(port), [ANNA])
    assert len(post.got) == 1


@given(st.text(), st.text(st.characters(codec="utf-8")))
def test_no_text_makes_a_header_or_breaks_the_message(subject: str, text: str) -> None:
    made = message(letter(subject, text), FROM, [ANNA], sent=0)
    read = email.message_from_bytes(made.as_bytes(), policy=policy.SMTP)
    assert read.keys() == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ]
    assert len(read["Subject"]) <= 200
    assert read.get_body(("plain",)) is not None  # type: ignore[attr-defined]


def test_ids_differ_for_different_reports(tmp_path: Path) -> None:
    assert message_id("run a", FROM) != message_id("run b", FROM)
    assert message_id("run a", FROM).endswith("@example.com>")
