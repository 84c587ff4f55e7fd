"""Agents with labels and executors, which share nothing, and the queue for them."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.doubles.jenkins.scopes import Interruption, Operation

AGENT_REMOVED = Interruption("Agent was removed", actual=False, agent_lost=True)
"""workflow-durable-task-step, ExecutorStepExecution.RemovedNodeCause: one that `retry(conditions: [agent()])` takes."""


@dataclass(frozen=True)
class Agent:
    """A machine. Its name is a label, too (quirks/stash-across-agents: `label 'ag1'`)."""

    name: str
    labels: frozenset[str] | set[str] = frozenset()
    executors: int = 1
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to, or instead of, the agent's own HOME, TMPDIR and PATH."""

    def has(self, expression: str) -> bool:
        """Whether it suits a label expression of `!`, `&&`, `||`, brackets."""
        # a bad one suits none: quirks/agent-label-expr-bad
        return not expression.strip() or _Expression(expression, {self.name, *self.labels}).holds()


class _Expression:
    """A label expression, read by recursive descent."""

    def __init__(self, text: str, labels: set[str]) -> None:
        self.tokens = re.findall(r"&&|\|\||[!()]|[^\s!()&|]+", text)
        self.labels = labels
        self.at = 0

    def holds(self) -> bool:
        try:
            value = self._any()
        except IndexError:
            return False
        return value and self.at == len(self.tokens)

    def _next(self, token: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at] == token
        self.at += found
        return found

    def _any(self) -> bool:
        value = self._all()
        while self._next("||"):
            value = self._all() or value
        return value

    def _all(self) -> bool:
        value = self._one()
        while self._next("&&"):
            value = self._one() and value
        return value

    def _one(self) -> bool:
        if self._next("!"):
            return not self._one()
        if self._next("("):
            value = self._any()
            if not self._next(")"):
                raise IndexError
            return value
        self.at += 1
        return self.tokens[self.at - 1] in self.labels


@dataclass(frozen=True)
class Allocation:
    """One executor of an agent, held by one `node`, and its workspace."""

    handle: str
    agent: Agent
    executor: int
    workspace: Path

    @property
    def temporary(self) -> Path:
        """Beside the workspace, for what no checkout may see."""
        return self.workspace.with_name(self.workspace.name + "@tmp")


@dataclass
class Agents:
    """All agents, and who holds which executor. `kept`: whether workspaces keep their files between allocations.
    `dispatch`: seconds from when an executor is asked for until one is given, even if it is free."""

    root: Path
    agents: list[Agent]
    kept: bool
    dispatch: Callable[[], float] = lambda: 0.0
    _held: dict[str, Allocation] = field(default_factory=dict)
    _removed: set[str] = field(default_factory=set)
    _used: dict[str, int] = field(default_factory=dict)
    _queue: dict[int, str] = field(default_factory=dict)
    """The labels that are waited for, by place."""
    _not_before: dict[int, float] = field(default_factory=dict)
    """By place, the time of the monotonic clock."""
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def line_up(self, label: str) -> int:
        """A place in the queue."""
        with self._changed:
            place = next(self._numbers)
            self._queue[place] = label
            self._not_before[place] = time.monotonic() + self.dispatch()
            return place

    def allocate(self, place: int, job: str, operation: Operation) -> Allocation:
        """Waits for an executor, for ever if none suits (quirks/agent-label-missing, agent-one-executor-deadlock)."""
        try:
            with self._changed:
                while True:
                    operation.check()
                    due = [at for at in self._queue if self._not_before[at] <= time.monotonic()]
                    free = self._free(self._queue[place]) if place in due else None
                    if free and not any(self._free(self._queue[at]) for at in due if at < place):
                        return self._hold(*free, job)
                    self._changed.wait(0.05)
        finally:
            with self._changed:
                del self._queue[place], self._not_before[place]
                self._changed.notify_all()

    def free(self, handle: str) -> None:
        with self._changed:
            self._held.pop(handle, None)
            self._changed.notify_all()

    def of(self, handle: str) -> Allocation:
        return self._held[handle]

    def busy(self) -> dict[str, int]:
        """Held executors by agent, of those that hold any."""
        with self._changed:
            names = [one.agent.name for one in self._held.values()]
        return {name: names.count(name) for name in names}

    def remove(self, name: str) -> set[str]:
        """Takes an agent away; the handles of what was held on it."""
        with self._changed:
            self._removed.add(name)
            return {handle for handle, one in self._held.items() if one.agent.name == name}

    def add(self, name: str) -> None:
        """Brings it back."""
        with self._changed:
            self._removed.discard(name)
            self._changed.notify_all()

    def environment(self, one: Allocation) -> dict[str, str]:
        """What a process on an agent has of its own: nothing of the machine that runs the tests but its tools."""
        home = self.root / one.agent.name / "home"
        tmp = self.root / one.agent.name / "tmp"
        for folder in (home, tmp):
            folder.mkdir(parents=True, exist_ok=True)
        return {
            "HOME": str(home),
            "TMPDIR": str(tmp),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "NODE_NAME": one.agent.name,
            "NODE_LABELS": " ".join(sorted({one.agent.name, *one.agent.labels})),
            "EXECUTOR_NUMBER": str(one.executor),
            "WORKSPACE": str(one.workspace),
            "WORKSPACE_TMP": str(one.temporary),
            **one.agent.env,
        }

    def _load(self, agent: Agent) -> tuple[int, int]:
        """Jenkins may take any agent; here the one that has rested longest, so that all come into play."""
        return sum(one.agent.name == agent.name for one in self._held.values()), self._used.get(agent.name, 0)

    def _free(self, label: str) -> tuple[Agent, int] | None:
        """An agent that suits a label, and its first executor that nothing holds."""
        for agent in sorted(self.agents, key=self._load):
            executor = self._free_executor(agent)
            if agent.name not in self._removed and executor is not None and agent.has(label):
                return agent, executor
        return None

    def _free_executor(self, agent: Agent) -> int | None:
        held = {one.executor for one in self._held.values() if one.agent.name == agent.name}
        return next((number for number in range(agent.executors) if number not in held), None)

    def _hold(self, agent: Agent, executor: int, job: str) -> Allocation:
        """A second executor of an agent gets the workspace `JOB@2` (facts/jenkins.md 2.8)."""
        used = {one.workspace for one in self._held.values()}
        base = self.root / agent.name / "workspace"
        names = itertools.chain([job], (f"{job}@{number}" for number in itertools.count(2)))
        workspace = next(base / name for name in names if base / name not in used)
        number = next(self._numbers)
        self._used[agent.name] = number
        one = Allocation(f"node-{number}", agent, executor, workspace)
        if not self.kept:
            shutil.rmtree(workspace, ignore_errors=True)
        for folder in (workspace, one.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        self._held[one.handle] = one
        return one
