"""How paths lie to each other."""

from __future__ import annotations


def is_within(path: str, folder: str) -> bool:
    """Whether a path is a folder, or lies in it. Both are normal, and both absolute or relative to one place."""
    return path == folder or path.startswith(folder + "/") or folder == "."


def overlap(one: str, other: str) -> bool:
    """Whether two such paths are the same, or one lies in the other."""
    return is_within(one, other) or is_within(other, one)
