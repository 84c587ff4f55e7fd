"""One Groovy JVM for all tests of a session (with pytest-xdist: one per worker)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import jars
from tests.targets.jenkins.harness import GroovyServer


@pytest.fixture(scope="session")
def groovy() -> Iterator[GroovyServer]:
    try:
        jars.classpath()
    except jars.JavaMissing as missing:
        jars.skip_or_fail(missing)
    with GroovyServer() as server:
        yield server
