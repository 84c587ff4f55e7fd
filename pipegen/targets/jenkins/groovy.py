"""The one place where text becomes Groovy, and where a command becomes a line for `sh`.

The recipe is the one tried on a real controller: single quotes, `\\` escaped first, then `'`; `$` means nothing in
them. A newline is written as `\\n`, so that a literal never spans lines.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from functools import lru_cache

from pipegen.errors import PlanError

LONGEST_LITERAL = 60_000
"""Bytes of UTF-8; the class file format ends at 65,535."""

_UNWRITABLE = "[\ud800-\udfff\uffff]"
"""Lone surrogates, and what ends the source for Groovy's lexer even when written as an escape."""


@lru_cache(maxsize=4096)
def literal(text: str) -> str:
    """`text` as a Groovy string literal in which nothing is interpolated.

    Raises:
        PlanError: longer than a class file holds, or with a character that no Groovy source can hold.
    """
    unwritable = re.search(_UNWRITABLE, text)
    if unwritable:
        code = ord(unwritable[0])
        raise PlanError(f"a Jenkinsfile can't hold the character U+{code:04X}: {text[:40]!r}")
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_LITERAL:
        raise PlanError(f"a text of {len(text):,} characters is too long for a Jenkinsfile: {text[:40]!r}…")
    return f"'{text.translate(_ESCAPES)}'"


_ESCAPES = str.maketrans(
    {
        **{chr(code): f"\\u{code:04x}" for code in (*range(0x20), 0x7F, 0x85, 0x2028, 0x2029, 0xFEFF)},
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\\": "\\\\",
        "'": "\\'",
    }
)


def command_line(words: Iterable[str]) -> str:
    """A command as one line that a POSIX shell splits into exactly these words."""
    return shlex.join(words)
