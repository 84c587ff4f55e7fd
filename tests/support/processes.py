"""What runs on this machine, read from /proc: a minimal Debian has no `ps`."""

from __future__ import annotations

from pathlib import Path


def runs(command: str) -> bool:
    """Whether a process runs whose command line, its words joined by spaces, holds `command`."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        if command.encode() in b" ".join(words):
            return True
    return False
