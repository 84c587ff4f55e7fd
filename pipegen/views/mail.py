"""A report as mail: one message with text, page and pictures, handed in at least once.

The Message-ID is made of what is reported, not of when it is sent: where an answer was lost and the message is handed
in again, mail programs show it once (RFC 5322, 3.6.4).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipegen.errors import AccessRefused, PipegenError, ServerError, ServerUnavailable

if TYPE_CHECKING:
    from email.message import EmailMessage
    from smtplib import SMTP

TIMEOUT = 30.0
"""Seconds that the mail server may take for one answer."""
PATIENCE = 300.0
"""Seconds for which a server that is away, or asks to come back later, is tried again."""
LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image that the page shows as `cid:NAME`."""

    data: bytes
    kind: str = "png"
    """`png`, `svg+xml` …"""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is to be said."""

    subject: str
    text: str
    """All of it for a reader without HTML."""
    html: str
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    """By the name under which `html` has them."""
    about: str
    """What it reports, the same whenever it is sent: makes the Message-ID."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who hands mail in, and where.

    Args:
        server: `smtp://HOST[:PORT]` (port 587, STARTTLS where it is offered) or `smtps://HOST[:PORT]` (port 465).
        sender: the address it comes from.
        user: for the server; empty for nobody.
        password: of that user.
        ca: a file of certificates to trust besides the machine's.
    """

    server: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str | None = None


class MailRefused(PipegenError):
    """Some recipients did not get it; all others did."""

    def __init__(self, refused: Mapping[str, str]) -> None:
        self.refused = dict(refused)
        said = "; ".join(f"{name}: {why}" for name, why in refused.items())
        super().__init__(f"the mail server does not take mail for {said}; everybody else has got it")


def message(
    letter: Letter, sender: str, recipients: Sequence[str], sent: float | None = None
) -> EmailMessage:
    """The letter as a message.

    Args:
        letter: what is said.
        sender: the address in From.
        recipients: the addresses in To.
        sent: seconds since 1970 for Date; now for None.
    """
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import formatdate

    made = EmailMessage(policy=SMTP)
    made["From"], made["To"] = sender, ", ".join(recipients)
    made["Subject"] = _line(letter.subject)
    made["Date"] = formatdate(sent, localtime=False)
    made["Message-ID"] = message_id(letter.about, sender)
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    made.set_content(letter.text)
    made.add_alternative(letter.html, subtype="html")
    page = made.get_payload()[1]  # type: ignore[index] # the alternatives
    for name, picture in letter.pictures.items():
        page.add_related(  # type: ignore[union-attr]
            picture.data, "image", picture.kind, cid=f"<{name}>", disposition="inline"
        )
    return made


def message_id(about: str, sender: str) -> str:
    """The same for the same thing reported."""
    digest = hashlib.sha256(about.encode()).hexdigest()[:32]
    return f"<pipegen.{digest}@{sender.rpartition('@')[2] or 'localhost'}>"


def send(
    letter: Letter,
    account: Account,
    recipients: Sequence[str],
    *,
    patience: float = PATIENCE,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Hand a letter in, at least once; again, with the same Message-ID, where it is not known whether it arrived.

    Args:
        letter: what is said.
        account: who says it, and by which server.
        recipients: who gets it.
        patience: seconds for which what may succeed later is tried again.
        say: told why it takes longer.

    Raises:
        MailRefused: some recipients are refused for good; the others got it.
        AccessRefused: the server does not take user and password.
        ServerUnavailable: the server was away all the time.
        ServerError: the server refuses, or would get the password in the clear.
    """
    until = time.monotonic() + patience
    left, refused, pause = list(recipients), dict[str, str](), 1.0
    made = message(letter, account.sender, recipients)
    while left:
        later, why = _attempt(made, account, left, refused)
        if not later:
            break
        if time.monotonic() + pause > until:
            raise ServerUnavailable(f"{why}, for {patience:.0f} s; not sent to {', '.join(later)}")
        say(f"{why}; trying again in {pause:.0f} s")
        time.sleep(pause)
        left, pause = later, min(pause * 2, 60.0)
    if refused:
        raise MailRefused(refused)


def _attempt(
    made: EmailMessage, account: Account, recipients: list[str], refused: dict[str, str]
) -> tuple[list[str], str]:
    """Hand it in once: who is to be tried again, and why. Adds to `refused` who never gets it."""
    import smtplib

    where = urlsplit(account.server).netloc
    try:
        with _connected(account) as server:
            turned_down = _hand_in(server, made, account, recipients)
    except smtplib.SMTPAuthenticationError as error:
        raise AccessRefused(
            f"the mail server {where} does not know {account.user!r} with this password: {_words(error.smtp_error)}"
        ) from None
    except smtplib.SMTPResponseException as error:
        if 400 <= error.smtp_code < 500:
            return recipients, f"the mail server {where} says {error.smtp_code} {_words(error.smtp_error)}"
        raise ServerError(
            f"the mail server {where} refuses: {error.smtp_code} {_words(error.smtp_error)}"
        ) from None
    except smtplib.SMTPNotSupportedError as error:
        raise ServerError(f"the mail server {where} can't do what is needed: {error}") from None
    except (smtplib.SMTPException, OSError) as error:
        if _is_tls(error):
            raise ServerError(f"no TLS with the mail server {where}: {error}") from None
        return (
            recipients,
            f"the mail server {where} can't be reached: {getattr(error, 'strerror', None) or error}",
        )
    later = [name for name, (code, _) in turned_down.items() if code < 500]
    for name, (code, words) in turned_down.items():
        if code >= 500:
            refused[name] = f"{code} {_words(words)}"
    why = "; ".join(f"{name}: {turned_down[name][0]} {_words(turned_down[name][1])}" for name in later)
    return later, why


def _hand_in(
    server: SMTP, made: EmailMessage, account: Account, recipients: list[str]
) -> dict[str, tuple[int, bytes]]:
    """Send it; who was turned down, with code and words."""
    import smtplib

    if account.user:
        server.login(account.user, account.password)
    try:
        turned_down: dict[str, tuple[int, bytes]] = server.send_message(made, account.sender, recipients)
    except smtplib.SMTPRecipientsRefused as error:
        return dict(error.recipients)
    return turned_down


def _connected(account: Account) -> SMTP:
    """A connection, encrypted where the server can; a password never travels in the clear, but to this machine."""
    import smtplib
    import ssl

    address = urlsplit(account.server)
    host = address.hostname or ""
    trust = ssl.create_default_context()
    if account.ca:
        trust.load_verify_locations(account.ca)
    if address.scheme == "smtps":
        return smtplib.SMTP_SSL(host, address.port or 465, timeout=TIMEOUT, context=trust)
    server = smtplib.SMTP(host, address.port or 587, timeout=TIMEOUT)
    try:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=trust)
            server.ehlo()
        elif account.user and host not in LOOPBACK:
            raise ServerError(
                f"the mail server {address.netloc} offers no TLS, and the password would travel in the clear: "
                "use smtps://, or a server with STARTTLS"
            )
    except BaseException:
        server.close()
        raise
    return server


def _is_tls(error: BaseException) -> bool:
    import ssl

    return isinstance(error, ssl.SSLCertVerificationError)


def _words(said: bytes | str) -> str:
    """A server's words on one line."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join(text.split())


def _line(text: str) -> str:
    """Text for a header: one line, nothing that ends it."""
    return " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())[:200]
