"""One family of errors; the command line prints their message and exits with their code, never a traceback.

::

    PipegenError                 1   what the user asked for did not succeed
    ├── CheckFailed              1   generated files differ from what the description says
    ├── RunFailed                1   a stage failed
    ├── DescriptionError         3   the description is wrong; carries every `Problem` found
    │   └── PlanError            3   the description is right, but a workflow or target can't express it
    ├── FileError                4   a file can't be read or written
    │   └── OverwriteRefused     4   a file would be overwritten that pipegen did not write, or that was edited since
    ├── WorkspaceError           5   git or DVC is missing, or the folder is not what the command needs
    ├── RemoteError              6   a DVC remote can't be used (pipegen.dvc.errors)
    └── ServerError              7   a CI server can't be used, or refuses
        ├── ServerUnavailable    7   it can't be reached, is starting, or is out of order: later it may work
        ├── AccessRefused        7   who asks is not known there, or may not do this
        ├── NotOnServer          7   there is no such job, pipeline or run
        └── EditedOnServer       7   somebody changed there what would be overwritten

Exit code 0 is success, 2 a wrong command line (click's own), 130 an interrupt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class PipegenError(Exception):
    """Base of all errors pipegen raises on purpose: `message` says what, where and what to do."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class CheckFailed(PipegenError):
    """Generated files on disk differ from what the description says."""


class RunFailed(PipegenError):
    """At least one stage failed."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a file: where it stands, the line itself, what was expected, and the nearest valid word."""

    message: str
    file: str = ""
    line: int = 0
    """Counted from 1; 0 where the mistake has no place in a file (a description built in Python)."""
    column: int = 0
    """Counted from 1."""
    source: str = ""
    """The text of that line."""
    hint: str = ""
    """What to write instead, or the nearest valid word."""
    code: str = ""
    """For warnings: the name of the lint, which is also its switch."""

    @property
    def place(self) -> str:
        """`file:line:column`, as far as it is known."""
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)]) if self.file else ""

    def __str__(self) -> str:
        head = ": ".join(part for part in (self.place, self.message) if part)
        if self.code:
            head += f" [{self.code}]"
        lines = [head]
        if self.source.strip():
            shown, caret = _excerpt(self.source, self.column)
            lines += [f"    {shown}", f"    {' ' * caret}^"]
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)


def _excerpt(source: str, column: int, width: int = 100) -> tuple[str, int]:
    """The part of `source` around `column` that fits a terminal, and where in it the column stands."""
    source = source.rstrip("\n").expandtabs(1)
    caret = min(max(column - 1, 0), len(source))
    start = 0 if len(source) <= width else max(0, caret - width // 2)
    shown = "".join(
        ch if ch.isprintable() else "\N{REPLACEMENT CHARACTER}" for ch in source[start : start + width]
    )
    return shown, caret - start


class DescriptionError(PipegenError):
    """The description is wrong. All problems of all files at once, in the order of the files' lines."""

    exit_code = 3

    def __init__(self, problems: Iterable[Problem] | str) -> None:
        if isinstance(problems, str):
            problems = [Problem(problems)]
        self.problems = sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.column))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PlanError(DescriptionError):
    """The description is right, but this workflow, layout or target can't express it."""


class FileError(PipegenError):
    """A file can't be read or written."""

    exit_code = 4


class OverwriteRefused(FileError):
    """A file would be overwritten that pipegen did not write, or that was edited since."""


class WorkspaceError(PipegenError):
    """git or DVC is missing, or the folder is not what the command needs."""

    exit_code = 5


class ServerError(PipegenError):
    """A CI server can't be used, or refuses; the message has the server's own words where it has some."""

    exit_code = 7


class ServerUnavailable(ServerError):
    """It can't be reached, is starting, or is out of order. What was asked may work later."""


class AccessRefused(ServerError):
    """The server does not know who asks, or that user may not do this."""


class NotOnServer(ServerError):
    """There is no such job, pipeline, run or stage on the server."""


class EditedOnServer(ServerError):
    """Somebody changed on the server what would be overwritten; the message shows the difference."""


def os_error(error: OSError, doing: str, path: object) -> FileError:
    """A `FileError` in one line out of an operating system's error: `can't write X: No space left on device`."""
    return FileError(f"can't {doing} {path}: {error.strerror or error}")
