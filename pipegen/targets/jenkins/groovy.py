"""The one place where text becomes Groovy, and where a command becomes a line for `sh`.

The recipe is the one tried on a real controller: single quotes, `\\` escaped first, then `'`; `$` means nothing in
them. A newline is written as `\\n`, so that a literal never spans lines.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from pipegen.errors import PlanError

LONGEST_LITERAL = 60_000
"""Bytes of UTF-8; the class file format ends at 65,535."""

_END_OF_SOURCE = "\uffff"  # to Groovy's lexer, even when written as an escape


def literal(text: str) -> str:
    """`text` as a Groovy string literal in which nothing is interpolated.

    Raises:
        PlanError: longer than a class file holds, or with a character that no Groovy source can hold.
    """
    unwritable = next((ch for ch in text if ch == _END_OF_SOURCE or "\ud800" <= ch <= "\udfff"), None)
    if unwritable is not None:
        raise PlanError(f"a Jenkinsfile can't hold the character U+{ord(unwritable):04X}: {text[:40]!r}")
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_LITERAL:
        raise PlanError(f"a text of {len(text):,} characters is too long for a Jenkinsfile: {text[:40]!r}…")
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + "".join(_SPECIAL.get(ch, ch) if ch >= " " else _control(ch) for ch in escaped) + "'"


_SPECIAL = {
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
    "\x7f": "\\u007f",
    "\ufeff": "\\ufeff",
    "\x85": "\\u0085",
}


def _control(ch: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(ch, f"\\u{ord(ch):04x}")


def command_line(words: Iterable[str]) -> str:
    """A command as one line that a POSIX shell splits into exactly these words."""
    return shlex.join(words)
