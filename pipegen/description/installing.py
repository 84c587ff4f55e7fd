"""What `install:` brings to an agent: which files it names, and whether their content is fixed by a hash."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

_FILE = re.compile(r"\.(?:whl|zip|tar\.(?:gz|bz2|xz)|tgz)$")
_HASH = re.compile(r"(?:.*&)?(?:sha256=[0-9a-f]{64}|sha384=[0-9a-f]{96}|sha512=[0-9a-f]{128})(?:&.*)?")
_CHECKED = ("sha256sum", "sha512sum", "shasum", "--require-hashes")
"""Words of commands that check files themselves."""


def unchecked(install: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Wheels and archives that the command installs whatever they hold, each with what to write instead.

    pip checks `#sha256=…` behind an address, `file:PATH` among them, and takes it for a part of the name behind a plain
    path; tried with pip 23.2 and uv 0.13, of which uv wants `NAME @ file:///…` for a file.

    Args:
        install: the command.
        folder: relative paths start there; of a file that is there the hash is told.
    """
    words = _words(install)
    if any(word in _CHECKED for word in words):
        return
    for word in words:
        place, mark, fragment = word.partition("#")
        place = place.rpartition("@ ")[2] if " @ " in place else place
        if not _FILE.search(place.partition("?")[0]):
            continue
        is_address = "://" in place or place.startswith("file:")
        if mark and is_address and _HASH.fullmatch(fragment):
            continue
        digest = _digest_of(folder / place.removeprefix("file:")) if "://" not in place else ""
        address = place if is_address else f"file:{place}"
        yield (
            place,
            f"write `{address}#sha256={digest or '…'}`" + ("" if digest else " (`sha256sum` tells it)"),
        )


def _words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        return list(lexer)
    except ValueError:
        return command.split()


def _digest_of(path: Path) -> str:
    import hashlib

    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
