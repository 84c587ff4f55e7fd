"""Keeps the values of secrets out of everything that is printed or kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from pipegen.dvc.errors import StageError
from pipegen.dvc.fragments import Carried

SHORTEST = 4
"""Characters of a secret; anything shorter would blot out ordinary words, and protects nothing."""
MASK = b"****"


def secret_values(names: Iterable[str], env: Mapping[str, str]) -> list[str]:
    """The values of the secrets' variables that this process has."""
    return [env[name] for name in names if len(env.get(name, "")) >= SHORTEST]


def _forms(text: str) -> Iterator[str]:
    """A text as it is, and as addresses, JSON, XML and Python write it."""
    yield text
    yield quote(text, safe="", errors="surrogateescape")
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield escape(text)
    yield repr(text)[1:-1]
    yield ascii(text)[1:-1]


class Masker:
    """Replaces secrets in a stream of bytes, also where one is cut by the border of two pieces."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        values = list(secrets)
        lines = [line for value in values for line in value.split("\n") if len(line) >= SHORTEST]
        found = {form.encode(errors="surrogateescape") for text in [*values, *lines] for form in _forms(text)}
        self._secrets = sorted(found, key=len, reverse=True)
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

    def data(self, value: Any) -> Any:
        """Plain data with all its texts masked: before it becomes JSON, which writes quotes and line ends otherwise."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.data(key): self.data(item) for key, item in value.items()}
        return [self.data(item) for item in value] if isinstance(value, (list, tuple)) else value

    def is_in(self, content: bytes) -> bool:
        """Whether a secret stands there."""
        return any(secret in content for secret in self._secrets)

    def _replaced(self, text: bytes) -> bytes:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def _beginning(self, text: bytes) -> int:
        """How many of the last bytes may begin a secret."""
        return max((_overlap(text, secret) for secret in self._secrets), default=0)


def _overlap(text: bytes, secret: bytes) -> int:
    """The length of the longest end of `text` that is a beginning of `secret`, but not all of it."""
    last = text[-1:]
    for length in range(min(len(secret) - 1, len(text)), 0, -1):
        if secret[length - 1 : length] == last and text.endswith(secret[:length]):
            return length
    return 0


def refuse_secrets(stage: str, carried: Mapping[str, Carried], masker: Masker) -> None:
    """Let no secret travel: what a fragment carries must be the very bytes that were made, so nothing can be masked.

    Raises:
        StageError: a file holds one; the message names it.
    """
    for path, file in carried.items():
        if masker.is_in(file.content):
            raise StageError(
                f"{path}, which {stage} made, holds the value of a secret: without DVC's cache (`cache: false`) it "
                "travels through the CI server, for all to see who see its builds"
            )
