"""The report as files: the page, its twin as text, and the pictures of plots beside them."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from pipegen.errors import os_error
from pipegen.records.report import Report
from pipegen.views.report.page import page, picture_name
from pipegen.views.report.text import text

PAGE, TEXT = "index.html", "report.txt"


def write(report: Report, folder: Path) -> None:
    """Write `index.html`, `report.txt` and `pictures/`, each file whole or not at all.

    Args:
        report: what it says.
        folder: where; it is made if it isn't there. What an earlier report left there is written over or removed.

    Raises:
        FileError: one can't be written.
    """
    pictures = {
        picture_name(index, plot): plot.picture for index, plot in enumerate(report.plots) if plot.picture
    }
    made = {
        TEXT: text(report).encode("utf-8", "replace"),
        PAGE: page(report).encode("utf-8", "replace"),
        **pictures,
    }
    for name, content in made.items():
        _write(folder / name, content)
    with contextlib.suppress(OSError):
        for old in (folder / "pictures").iterdir():
            if f"pictures/{old.name}" not in pictures:
                old.unlink()


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        raise os_error(error, "write", path) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
