"""Text of users on a terminal. The one place that makes it harmless there."""

from __future__ import annotations


def plain(text: str) -> str:
    r"""`text` on one line: whatever a terminal would obey (line breaks, escape sequences) shows as `\n`, `\x1b` …"""
    if text.isprintable():
        return text
    return "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in text)


def count(number: int, word: str) -> str:
    """`1 stage`, `3 stages`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
