"""Calls the command line in this process, as its entry point does, and gives back what a user sees."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipegen.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder (`contextlib.chdir` came with Python 3.11)."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def pipegen(*args: str | Path, cwd: Path) -> Outcome:
    """`pipegen ARGS` in a folder. An exception that isn't pipegen's own comes through: it would be a traceback."""
    out, err = io.StringIO(), io.StringIO()
    with inside(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(arg) for arg in args])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        else:
            code = 0
    return Outcome(code, out.getvalue(), err.getvalue())
