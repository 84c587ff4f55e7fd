"""Text of users in Markdown. The one place that makes it harmless there.

Everything but letters, digits and a few signs becomes a character reference, which is never structure (CommonMark
0.31, 2.5). Forges look for mentions and references in what comes out, so the sign that begins one is followed by a
space of no width: nobody is notified, and nothing is linked.
"""

from __future__ import annotations

import re

from pipegen.views.plain import plain

LONGEST = 200
"""Characters of one text."""
_REFERRING = "@#!$%~&^"
"""Begin mentions and references: of GitHub `@name`, `#1`; of GitLab also `!1`, `$1`, `%1`, `~1`, `&1`."""
_PLAIN = frozenset(" ,;()=?+'/")
_WIDTHLESS = "&#8203;"


def md(text: str) -> str:
    """One line of text."""
    shown = plain(text)
    shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
    return re.sub(r"(?i)\b(gh|www)(?=&#4[56];)", rf"\1{_WIDTHLESS}", "".join(map(_one, shown)))


def _one(character: str) -> str:
    if character.isalnum() or character in _PLAIN or ord(character) > 127:
        return character
    return f"&#{ord(character)};" + (_WIDTHLESS if character in _REFERRING else "")
