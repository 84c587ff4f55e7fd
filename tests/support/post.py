"""A mail server for tests: a real one, on this machine, that keeps what it is given."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope


class Post:
    """What a server was given, and how it answers."""

    def __init__(
        self, answers: dict[str, list[str]] | None = None, after_data: list[str] | None = None
    ) -> None:
        self.got: list[tuple[list[str], EmailMessage]] = []
        self.answers, self.after_data = answers or {}, after_data or []

    async def handle_RCPT(self, _: Any, __: Any, envelope: Envelope, address: str, ___: Any) -> str:
        answers = self.answers.get(address, [])
        answer = (answers.pop(0) if len(answers) > 1 else answers[0]) if answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, __: Any, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        read = email.message_from_bytes(envelope.content, policy=policy.SMTP)
        assert isinstance(read, EmailMessage)
        self.got.append((list(envelope.rcpt_tos), read))
        answer = self.after_data.pop(0) if self.after_data else "250 OK"
        if answer == "lost":
            server.transport.close()
            return "250 OK"
        return answer


def free_port() -> int:
    """Nobody listens there."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@contextmanager
def serving(post: Post, port: int = 0, **options: Any) -> Iterator[int]:
    """A server; gives its port."""
    port = port or free_port()
    server = Controller(post, hostname="127.0.0.1", port=port, **options)
    server.start()
    try:
        yield port
    finally:
        server.stop()
