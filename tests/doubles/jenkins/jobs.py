"""Jobs: what the builds of one branch, pull request or plain job have in common."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.doubles.jenkins.scopes import Interruption

if TYPE_CHECKING:
    from tests.doubles.jenkins.build import RunningBuild


def superseded(number: int) -> Interruption:
    """DisableConcurrentBuildsJobProperty.CancelledCause, and the one of pipeline-milestone-step."""
    return Interruption(f"Superseded by #{number}", result="NOT_BUILT")


@dataclass
class Job:
    """The properties are those that the last build left (facts/jenkins.md 2.8: a run writes them into the job)."""

    name: str
    properties: dict[str, Any] = field(default_factory=dict)
    last_result: str | None = None
    last_success: str | None = None
    """The commit of the last build that passed."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _running: list[RunningBuild] = field(default_factory=list)
    _passed: dict[int, int] = field(default_factory=dict)
    """The highest milestone by number of the build."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def workspace(self) -> str:
        """contracts/jenkins/mb-a7: the name of a branch job's workspace."""
        return re.sub(r"[^\w.-]", "_", self.name)

    def begin(self, build: RunningBuild) -> None:
        """facts/jenkins.md 2.8: waits for the one before if builds must not run at once; with `abortPrevious` that one
        ends instead (workflow-job, WorkflowRun.run)."""
        with self._lock:
            before = list(self._running)
            self._running.append(build)
        rule = self.properties.get("disableConcurrentBuilds")
        for other in before:
            if rule is not None and rule.get("abortPrevious"):
                other.scopes.cancel("build", superseded(build.started.number))
            elif rule is not None:
                other.finished.wait()

    def end(self, build: RunningBuild, result: str | None, properties: dict[str, Any]) -> None:
        with self._lock:
            self._running.remove(build)
        self.properties |= properties
        self.last_result = result or self.last_result
        if result == "SUCCESS" and build.commit:
            self.last_success = build.commit

    def pass_milestone(self, ordinal: int, build: RunningBuild) -> None:
        """pipeline-milestone-step, readme: builds pass in order. Raises an Interruption for one that was overtaken;
        older ones that passed the milestone before, but not this one, end."""
        mine = build.started.number
        build.say(f"Trying to pass milestone {ordinal}")
        with self._lock:
            newer = [number for number, passed in self._passed.items() if number > mine and passed >= ordinal]
            if newer:
                raise superseded(max(newer))
            self._passed[mine] = ordinal
            older = [
                other
                for other in self._running
                if other.started.number < mine and 0 < self._passed.get(other.started.number, 0) < ordinal
            ]
        for other in older:
            other.scopes.cancel("build", superseded(mine))
