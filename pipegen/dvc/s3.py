"""An S3 bucket as a DVC remote, through botocore alone.

DVC's file system for S3 is botocore too, under s3fs, aiobotocore and aiohttp, whose import takes longer than all else
that an agent does for a small stage. So a remote whose options say nothing unusual is used directly, with the same
credentials, regions and profiles, found by the same library. Large files still go DVC's way, in several parts at once.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from pipegen.dvc.stores import AT_ONCE, Item, Store

LARGE = 50 * 1024 * 1024
"""Bytes from which on s3fs cuts a file into parts."""
_OPTIONS = {
    "url",
    "endpointurl",
    "region",
    "profile",
    "access_key_id",
    "secret_access_key",
    "session_token",
}
_PASSING = ("RequestTimeout", "OperationAborted", "SlowDown")
"""Refusals that may differ the next time, whatever their status."""


def is_plain(options: Mapping[str, str]) -> bool:
    """Whether a remote is on S3 and nothing is configured for it but where it is and with which key."""
    url = options.get("url", "")
    return (
        url.startswith("s3://")
        and set(options) <= _OPTIONS
        and not set("?:@") & set(url.removeprefix("s3://"))
        and not _tells_fsspec(os.environ)
    )


def _tells_fsspec(env: Mapping[str, str]) -> bool:
    """Whether a setting of the library that DVC uses may change where the bucket is."""
    folder = env.get("FSSPEC_CONFIG_DIR") or Path.home() / ".config" / "fsspec"
    return os.path.isdir(folder) or any(name.startswith("FSSPEC_") for name in env)


class Bucket(Store):
    """A bucket, or what is below a prefix in it.

    Args:
        options: of the remote; see `is_plain`.
        shown: how messages call it.
        notify: told when it is waited for.
        by_dvc: the same remote, through DVC's file systems.

    Raises:
        ImportError: there is no botocore.
        RemoteError: it is configured wrongly.
    """

    def __init__(
        self,
        options: Mapping[str, str],
        shown: str,
        notify: Callable[[str], None],
        by_dvc: Callable[[], Store],
    ) -> None:
        super().__init__(shown, notify)
        import botocore.session
        from botocore.config import Config

        self._connect_by_dvc = by_dvc
        self._bucket, _, prefix = options["url"].removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.strip('/')}/".lstrip("/")
        config = Config(
            connect_timeout=15,  # for each piece that is sent, too
            read_timeout=15,
            max_pool_connections=AT_ONCE,
            retries={"total_max_attempts": 2, "mode": "standard"},  # what lasts longer is for `Patience`
        )
        self._client = self._patience(
            "use",
            lambda: botocore.session.Session(profile=options.get("profile")).create_client(
                "s3",
                region_name=options.get("region"),
                endpoint_url=options.get("endpointurl"),
                aws_access_key_id=options.get("access_key_id"),
                aws_secret_access_key=options.get("secret_access_key"),
                aws_session_token=options.get("session_token"),
                config=config,
            ),
        )

    @cached_property
    def _by_dvc(self) -> Store:
        return self._connect_by_dvc()

    def _key(self, path: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + path}

    def _has(self, path: str) -> bool:
        try:
            with _told():
                self._client.head_object(**self._key(path))
        except FileNotFoundError:
            return False
        return True

    def _get(self, path: str, target: str) -> None:
        with _told():
            found = self._client.get_object(**self._key(path))
        with closing(found["Body"]) as body:
            if found.get("ContentLength", 0) < LARGE:
                with open(target, "wb") as file:
                    shutil.copyfileobj(body, file, 1024 * 1024)
                return
        self._by_dvc._get(path, target)

    def _put(self, source: str, path: str) -> None:
        if os.path.getsize(source) >= LARGE:
            self._by_dvc._put(source, path)
            return
        with open(source, "rb") as file, _told():
            self._client.put_object(**self._key(path), Body=file)

    def _names(self, folder: str) -> list[str]:
        at = f"{self._prefix}{folder}/"
        found = []
        for page in self._pages(Prefix=at, Delimiter="/"):
            found += [entry["Prefix"].rstrip("/") for entry in page.get("CommonPrefixes", ())]
            found += [entry["Key"] for entry in page.get("Contents", ())]
        return [name for name in (path.removeprefix(at) for path in found) if name and name[0] != "."]

    def _walk(self, folder: str) -> list[Item]:
        return [
            Item(entry["Key"].removeprefix(self._prefix), entry["Size"], entry["LastModified"].timestamp())
            for page in self._pages(Prefix=f"{self._prefix}{folder}/")
            for entry in page.get("Contents", ())
        ]

    def _pages(self, **words: str) -> Iterator[dict[str, Any]]:
        with _told():
            yield from self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, **words)

    def _delete(self, path: str) -> None:
        with _told():
            self._client.delete_object(**self._key(path))


class _Refused(OSError):
    """The server's answer, with its status for `Patience`."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def _told() -> Iterator[None]:
    """Raise what a server refuses as the exceptions of the file system that mean the same."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
        code = str(answer.get("Code", status))
        message = f"{answer.get('Message') or 'no message'} ({code})"
        if status == 404:
            raise FileNotFoundError(message) from error
        raise _Refused(message, 503 if code in _PASSING else max(status, 400)) from error
