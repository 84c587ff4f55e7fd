"""The one place where text becomes XML for Jenkins."""

from __future__ import annotations

from html import escape

from pipegen.errors import PlanError


def text(value: object) -> str:
    """`value` as the content of an element, or of an attribute in quotes.

    Raises:
        PlanError: a character that XML can't hold.
    """
    plain = str(value)
    bad = next(
        (
            ch
            for ch in plain
            if (ch < " " and ch not in "\t\n\r") or "\ud800" <= ch <= "\udfff" or ch in "\ufffe\uffff"
        ),
        None,
    )
    if bad is not None:
        raise PlanError(
            f"the character U+{ord(bad):04X} can't stand in a Jenkins job definition: {plain[:60]!r}"
        )
    return escape(plain).replace("\r", "&#13;")
