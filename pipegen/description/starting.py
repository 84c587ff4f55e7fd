"""What a new description begins with: the `dvc.yaml` files that are there already, a name, a branch."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pipegen.description.load import FILE_NAME

DVC_FILE = "dvc.yaml"
_PASSED_OVER = {"node_modules", "__pycache__", "site-packages"}


def dvc_files(folder: Path) -> list[str]:
    """Every `dvc.yaml` that belongs to `folder`'s pipeline, relative to it, outer ones first.

    Hidden folders and virtual environments are passed over, and so is what is a project of its own: a folder
    with its own `pipegen.yaml` or `.dvc`.
    """
    found = sorted(_walk(folder), key=lambda path: (len(path.parts), path))
    return [path.as_posix() for path in found]


def _walk(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if _belongs(os.path.join(here, name), name)]
        if DVC_FILE in files:
            yield Path(here, DVC_FILE).relative_to(folder)


def _belongs(path: str, name: str) -> bool:
    if name.startswith(".") or name in _PASSED_OVER:
        return False
    return not any(os.path.exists(os.path.join(path, sign)) for sign in ("pyvenv.cfg", FILE_NAME, ".dvc"))


def name_for(folder: Path) -> str:
    """A pipeline's name out of the folder's: what both servers take, `pipeline` where nothing is left of it."""
    name = re.sub(r"[^A-Za-z0-9_.\-]+", "-", folder.resolve().name).strip("-.")
    return name[:100] or "pipeline"


def main_branch(folder: Path) -> str:
    """`master` where that is what is checked out, else `main`."""
    for parent in (folder.resolve(), *folder.resolve().parents):
        try:
            return "master" if "refs/heads/master" in (parent / ".git" / "HEAD").read_text() else "main"
        except OSError:
            continue
    return "main"
