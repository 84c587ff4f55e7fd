"""What a double says instead of guessing, and what the real server says when it refuses."""

from __future__ import annotations


class Uncited(Exception):
    """Neither a recording nor a fact nor the manual shows what the real server does here, so the double doesn't."""


class Answer(Exception):
    """The server's own refusal.

    Args:
        status: the HTTP status of the recorded answer.
        message: its text.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
