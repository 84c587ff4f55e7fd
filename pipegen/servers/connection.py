"""Where a server is, and who we are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal


def silent(_: str) -> None:
    """Says nothing."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An address and credentials; the secret shows in no message and no `repr`."""

    server: str
    """`jenkins`, `gocd` or another name in `server_names()`."""
    url: str
    """As in a browser, with the context path and without a trailing `/`."""
    user: str = ""
    secret: str = field(default="", repr=False)
    """A token or a password; empty for nobody."""
    kind: Literal["token", "password"] = "token"
    """A token without a user is sent as a bearer, all else as user and password."""
    ca: str | None = None
    """A file of certificates to trust, for a server with its own authority; None for the machine's."""
    timeout: float = 60.0
    """Seconds without a byte from the server after which it counts as gone."""
    at_once: int = 8
    """Requests at a time."""
    patience: float = 60.0
    """Seconds for which what is safe to ask again is asked again: a restart of the server is waited for."""
    say: Callable[[str], None] = field(default=silent, repr=False, compare=False)
    """Told, in a sentence, why it takes longer."""
    settings: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """What sets `URL`, `USER`, `TOKEN`, `PASSWORD` and `CA`, for messages; where it says nothing, the environment."""
