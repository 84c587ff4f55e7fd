"""moto's S3 server as a DVC remote. It lives in a virtual environment of its own, since it and DVC's S3 want
different versions of the same libraries."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"


@dataclass(frozen=True)
class S3:
    """A server with one bucket."""

    endpoint: str
    url: str = "s3://bucket/dvc"
    env: Mapping[str, str] = field(
        default_factory=lambda: {
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )
    """What a process needs to speak to it."""

    def make_bucket(self, name: str) -> None:
        """Another bucket; one that is there already stays."""
        urllib.request.urlopen(
            urllib.request.Request(f"{self.endpoint}/{name}", method="PUT"), timeout=5
        ).close()

    def configure(self, repository: Path) -> None:
        """Let a repository's DVC remote be this one."""
        config = "[core]\n    analytics = false\n    remote = store\n['remote \"store\"']\n    url = "
        (repository / ".dvc" / "config").write_text(
            f"{config}{self.url}\n    endpointurl = {self.endpoint}\n"
        )


def _program() -> Path:
    """moto's server, installed the first time it is wanted."""
    venv = CACHE / "moto_server"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "moto_server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = venv / ".ready"
        if not mark.exists():
            uv = [sys.executable, "-m", "uv"]
            subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, str(venv)], check=True)
            subprocess.run(
                [*uv, "pip", "install", "-q", "--python", str(venv / "bin/python"), "moto[server]>=5"],
                check=True,
            )
            mark.touch()
    return venv / "bin" / "moto_server"


@contextlib.contextmanager
def s3_server() -> Iterator[S3]:
    """A server of its own, with an empty bucket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [_program(), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
    )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        ends = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(
                    urllib.request.Request(f"{endpoint}/bucket", method="PUT"), timeout=5
                ).close()
                break
            assert process.poll() is None and time.monotonic() < ends, "moto's server does not answer"
            time.sleep(0.1)
        yield S3(endpoint)
    finally:
        process.terminate()
        process.wait()
