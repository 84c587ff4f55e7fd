"""One JVM for all builds of a session (with pytest-xdist: one per worker)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.jenkins.agents import Agent
from tests.doubles.jenkins.double import JenkinsDouble
from tests.doubles.jenkins.jvm import Jvm
from tests.support import jars


@pytest.fixture(scope="session")
def jvm() -> Iterator[Jvm]:
    try:
        one = Jvm()
    except jars.JavaMissing as missing:
        jars.skip_or_fail(missing)
    yield one
    one.close()


class Make:
    """Makes doubles below a test's own folder."""

    def __init__(self, jvm: Jvm, folder: Path) -> None:
        self.jvm, self.folder = jvm, folder
        self.made = 0

    def __call__(self, *agents: Agent, **how: Any) -> JenkinsDouble:
        self.made += 1
        root = self.folder / f"jenkins-{self.made}"
        return JenkinsDouble(self.jvm, root, agents or [Agent("a1")], **how)


@pytest.fixture
def jenkins(jvm: Jvm, tmp_path: Path) -> Make:
    return Make(jvm, tmp_path)
