"""Keeps the values of secrets out of everything that is printed or kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SHORTEST = 4
"""Characters of a secret; anything shorter would blot out ordinary words, and protects nothing."""
MASK = b"****"


def secret_values(names: Iterable[str], env: Mapping[str, str]) -> list[str]:
    """The values of the secrets' variables that this process has."""
    return [env[name] for name in names if len(env.get(name, "")) >= SHORTEST]


class Masker:
    """Replaces secrets in a stream of bytes, also where one is cut by the border of two pieces."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        values = {value.encode() for value in secrets}
        lines = {line for value in values for line in value.split(b"\n") if len(line) >= SHORTEST}
        self._secrets = sorted(values | lines, key=len, reverse=True)
        self._rest = b""

    def feed(self, piece: bytes) -> bytes:
        """The next piece, without what may be the beginning of a secret; that comes with the following one."""
        text = self._replaced(self._rest + piece)
        held = self._beginning(text)
        self._rest = text[len(text) - held :]
        return text[: len(text) - held]

    def flush(self) -> bytes:
        """What was held back."""
        rest, self._rest = self._rest, b""
        return rest

    def text(self, text: str) -> str:
        """A whole text, masked."""
        return self._replaced(text.encode(errors="surrogateescape")).decode(errors="surrogateescape")

    def _replaced(self, text: bytes) -> bytes:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def _beginning(self, text: bytes) -> int:
        """How many of the last bytes may begin a secret."""
        longest = max((len(secret) for secret in self._secrets), default=0)
        for length in range(min(longest - 1, len(text)), 0, -1):
            if any(secret.startswith(text[-length:]) for secret in self._secrets):
                return length
        return 0
