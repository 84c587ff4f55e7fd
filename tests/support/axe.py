"""axe-core, which finds what keeps people from using a page: fetched once, kept in ``.cache/axe``.

It comes out of a small package of PyPI that carries it, since a machine for tests need not have npm.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = "axe-playwright-python==0.1.8"  # axe-core 4.12.1
_FOLDER = Path(__file__).parents[2] / ".cache" / "axe"
_SCRIPT = _FOLDER / PACKAGE / "axe_playwright_python" / "axe.min.js"


class AxeMissing(RuntimeError):
    """It can't be had here; the message says why."""


def script() -> str:
    """The text of axe-core, which is fetched when need be. Raises AxeMissing."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / ".lock").open("w") as lock:  # several pytest workers may ask at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _SCRIPT.is_file():
            _fetch()
    return _SCRIPT.read_text(encoding="utf-8")


def _fetch() -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    command = [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
    target = _SCRIPT.parent.parent
    words = [*command, "install", "--quiet", "--no-deps", "--target", str(target), PACKAGE]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode or not _SCRIPT.is_file():
        shutil.rmtree(target, ignore_errors=True)
        raise AxeMissing(f"{PACKAGE} could not be installed: {done.stderr.strip()[-300:]}")
