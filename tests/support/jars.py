"""Jars from Maven Central for tests that need a JVM: fetched once, kept in ``.cache/jars``.

What is fetched stands in ``jars.pom.xml``; it is fetched again only when that file changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

INSTALL = "apt-get install -y default-jdk-headless maven"

_POM = Path(__file__).with_name("jars.pom.xml")
_JARS = Path(__file__).parents[2] / ".cache" / "jars"
_FETCH_SECONDS = 300


class JavaMissing(RuntimeError):
    """Java, Maven or the jars can't be had here; the message says what to do."""


def classpath() -> list[Path]:
    """The jars of ``jars.pom.xml``, fetching them when need be.

    Raises JavaMissing when there is no ``java``, no ``mvn``, or Maven Central can't be reached.
    """
    return sorted(_fetched().glob("*.jar"))


def hudson_war() -> Path:
    """The CI server Hudson. Raises JavaMissing as `classpath` does."""
    (war,) = _fetched().glob("hudson-war-*.war")
    return war


def _fetched() -> Path:
    """The folder with all that the pom names."""
    missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    if missing:
        raise JavaMissing(f"{' and '.join(missing)} not found: {INSTALL}")
    _JARS.mkdir(parents=True, exist_ok=True)
    with (_JARS / ".lock").open("w") as lock:  # several pytest workers may ask at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _up_to_date():
            _fetch()
    return _JARS


def skip_or_fail(reason: JavaMissing) -> NoReturn:
    """Skip the test that needs Java; under ``CI=true``, where nothing may be skipped, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(reason), pytrace=False)
    pytest.skip(str(reason))


def _fetch() -> None:
    for old in (*_JARS.glob("*.jar"), *_JARS.glob("*.war")):
        old.unlink()
    command = [
        "mvn",
        "-q",
        "-B",
        "-f",
        str(_POM),
        "dependency:copy-dependencies",
        f"-DoutputDirectory={_JARS}",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise JavaMissing(f"Maven did not fetch the jars within {_FETCH_SECONDS} s") from error
    if done.returncode:
        raise JavaMissing(f"Maven could not fetch the jars of {_POM.name}: {_last_error(done.stdout)}")
    _stamp().write_text(_digest())


def _up_to_date() -> bool:
    return _stamp().is_file() and _stamp().read_text() == _digest() and any(_JARS.glob("*.jar"))


def _stamp() -> Path:
    return _JARS / ".pom-digest"


def _digest() -> str:
    return hashlib.sha256(_POM.read_bytes()).hexdigest()


def _last_error(output: str) -> str:
    errors = [line for line in output.splitlines() if "ERROR" in line]
    return errors[0] if errors else "no reason given"
