"""Entry points and versions of installed distributions, read from their own small files and folders' names.

`importlib.metadata` does the same and takes 40 ms to import, a third of all that `pipegen validate` needs. The
format is that of the packaging guide, "Entry points specification": an INI file in each `*.dist-info` folder.
"""

from __future__ import annotations

import os
import sys


def entry_points(group: str) -> dict[str, str]:
    """For each name of the group its `module:attribute`; the first on the path wins, as an import would."""
    found: dict[str, str] = {}
    for folder in sys.path:
        for text in _files(folder or "."):
            for name, where in _group(text, group):
                found.setdefault(name, where)
    return found


def version_of(name: str) -> str:
    """The version of an installed distribution, as its `NAME-VERSION.dist-info` tells; empty where there is none.

    Args:
        name: in lower case, with `_` for what is neither letter nor digit.
    """
    for folder in sys.path:
        for entry in _infos(folder or "."):
            found, _, version = entry.removesuffix(".dist-info").partition("-")
            if found.lower() == name and entry.endswith(".dist-info"):
                return version
    return ""


def _infos(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith((".dist-info", ".egg-info")))
    except OSError:
        return []  # a zip file, or a folder that is not there


def _files(folder: str) -> list[str]:
    texts = []
    for name in _infos(folder):
        try:
            with open(os.path.join(folder, name, "entry_points.txt"), encoding="utf-8") as file:
                texts.append(file.read())
        except OSError:
            continue  # most distributions have none
    return texts


def _group(text: str, group: str) -> list[tuple[str, str]]:
    section, _, rest = text.partition(f"[{group}]")
    if not rest or (section and not section.endswith("\n")):
        return []
    lines = rest.split("\n[", 1)[0].splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return [(name.strip(), where.split("[")[0].strip()) for name, _, where in pairs]
