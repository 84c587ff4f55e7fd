"""Trying again what fails for a moment: a connection, a server's 5xx. What never will succeed (no permission, no such
bucket, a library that is not installed) is said at once."""

from __future__ import annotations

import errno
import re
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from pipegen.dvc.errors import RemoteError

T = TypeVar("T")

WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each further try: a minute of absence is sat out."""
_PERMANENT = (
    PermissionError,
    FileNotFoundError,
    NotADirectoryError,
    IsADirectoryError,
    ImportError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
)
_PERMANENT_NAMES = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "ProfileNotFound",
    "ConfigNotFound",
    "ConfigParseError",
    "SSOTokenLoadError",
    "UnauthorizedSSOTokenError",
    "ParamValidationError",
    "AuthError",
    "RemoteMissingDepsError",
    "ConfigError",
    "RemoteConfigError",
    "RemoteNotFoundError",
    "NoRemoteError",
    "NotDvcRepoError",
    "URLMissingError",
    "CertificateError",
    "PermissionDenied",  # this and the following: asyncssh's
    "HostKeyNotVerifiable",
    "SFTPPermissionDenied",
}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
_PASSING = (408, 425, 429)
"""HTTP's answers below 500 that may differ the next time."""


class Patience:
    """Does things at a remote, again where that may help.

    Args:
        shown: how messages call the remote.
        notify: told when it is waited for.
    """

    def __init__(self, shown: str, notify: Callable[[str], None]) -> None:
        self._shown, self._notify = shown, notify
        self.is_short = False
        """Whether nothing is tried again."""
        self.prepare: Callable[[], object] = lambda: None
        """Called before each further try."""
        self._mutex = threading.Lock()
        self._told = 0.0

    def __call__(self, doing: str, do: Callable[[], T]) -> T:
        """Do it.

        Args:
            doing: what is done, for messages: `read from`.
            do: does it.

        Raises:
            FileNotFoundError: there is no such file, which is no failure of the remote.
            RemoteError: it fails for good.
        """
        for number, wait in enumerate((None,) if self.is_short else (*WAITS, None)):
            try:
                if number:
                    self.prepare()
                return do()
            except (FileNotFoundError, RemoteError):  # the latter has had its patience already
                raise
            except Exception as error:  # each kind of remote has exceptions of its own
                if wait is None or _is_permanent(error):
                    raise RemoteError(f"can't {doing} {self._shown}: {said(error)}") from error
                self._tell(f"{self._shown} does not answer ({said(error)}); trying again")
                time.sleep(wait)
        raise AssertionError("the last wait is None")

    def _tell(self, message: str) -> None:
        with self._mutex:
            if time.monotonic() - self._told > 10:
                self._told = time.monotonic()
                self._notify(message)


def _is_permanent(error: Exception) -> bool:
    names = {cls.__name__ for cls in type(error).__mro__}
    status = getattr(error, "status", None)
    refused = isinstance(status, int) and 400 <= status < 500 and status not in _PASSING
    full = isinstance(error, OSError) and error.errno in _FULL
    return full or refused or isinstance(error, _PERMANENT) or bool(names & _PERMANENT_NAMES)


def said(error: BaseException) -> str:
    """An exception in one line, without colours."""
    text = " ".join(_COLOURS.sub("", str(error)).split())
    return text[:300] or type(error).__name__
