"""Version numbers of models: semantic versions with a `v`, as GTO takes them (semver 2.0, gto 1.10 `versions.py`)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from pipegen.errors import PipegenError

Bump = Literal["major", "minor", "patch"]

_NUMBER = r"(?:0|[1-9][0-9]*)"
_WORD = rf"(?:{_NUMBER}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
VERSION = (
    rf"v{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_WORD}(?:\.{_WORD})*)?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)
"""The regular expression of a version."""
_PARTS = re.compile(
    rf"v(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})(?:-(?P<before>[0-9a-zA-Z.-]+))?(?:\+.*)?"
)


def is_version(text: str) -> bool:
    """Whether this is a version: `v1.2.0`, `v1.2.0-rc.1`."""
    return re.fullmatch(VERSION, text, re.ASCII) is not None


def checked(text: str) -> str:
    """A version as a person wrote it; a missing `v` is put before it.

    Raises:
        PipegenError: it is none.
    """
    version = text if text.startswith("v") else f"v{text}"
    if not is_version(version):
        raise PipegenError(f"{text!r} is no version: three numbers are expected, such as v1.2.0")
    return version


def rank(version: str) -> tuple[object, ...]:
    """What sorts versions: by their numbers; one with a suffix such as `-rc.1` comes before that without."""
    found = _PARTS.fullmatch(version)
    assert found, version
    words = tuple(_word_rank(word) for word in found["before"].split(".")) if found["before"] else ()
    return (int(found["major"]), int(found["minor"]), int(found["patch"]), not words, words)


def _word_rank(word: str) -> tuple[bool, int, str]:
    return (False, int(word), "") if word.isdigit() else (True, 0, word)


def following(known: Iterable[str], bump: Bump | None = None) -> str:
    """The next version: the greatest so far with one of its numbers raised, and those behind it 0.

    Args:
        known: the versions so far, in any order.
        bump: which number; the last for None. The first version of all is v0.0.1, v0.1.0 or v1.0.0.
    """
    found = _PARTS.fullmatch(max(known, key=rank, default="v0.0.0"))
    assert found
    major, minor, patch = (int(found[name]) for name in ("major", "minor", "patch"))
    is_early = bool(found["before"])  # v1.2.0-rc.1 is followed by v1.2.0
    if bump == "major":
        return f"v{major}.0.0" if is_early and not (minor or patch) else f"v{major + 1}.0.0"
    if bump == "minor":
        return f"v{major}.{minor}.0" if is_early and not patch else f"v{major}.{minor + 1}.0"
    return f"v{major}.{minor}.{patch}" if is_early else f"v{major}.{minor}.{patch + 1}"
