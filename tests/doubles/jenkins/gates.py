"""Where builds wait for each other or for a person: locks and inputs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.jenkins.scopes import Interruption, Operation, Refused

Say = Callable[[str], None]


@dataclass
class Locks:
    """The lockable resources of a controller; a name is made at its first use (lockable-resources plugin, readme)."""

    _holders: dict[str, str] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, names: Sequence[str], holder: str, operation: Operation) -> None:
        """All of them at once or none: two builds never wait for each other's second one."""
        with self._changed:
            while any(name in self._holders for name in names):
                operation.check()
                self._changed.wait(0.05)
            for name in names:
                self._holders[name] = holder

    def give_back(self, names: Sequence[str]) -> None:
        with self._changed:
            for name in names:
                self._holders.pop(name, None)
            self._changed.notify_all()

    def held(self) -> dict[str, str]:
        """The build that holds each lock."""
        with self._changed:
            return dict(self._holders)


@dataclass(frozen=True)
class Answer:
    """What a person does at an `input`: approves or aborts, some time after being asked."""

    by: str = "admin"
    approve: bool = True
    values: dict[str, Any] = field(default_factory=dict)
    after: float = 0.0
    message: str = ""
    """A part of the input's message, where a build asks several times."""


@dataclass
class Inputs:
    """The questions of one build."""

    answers: list[Answer]
    asked: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Answer] = field(default_factory=list)
    """Answers of people who may not."""

    def ask(self, arguments: dict[str, Any], operation: Operation, say: Say) -> Any:
        """contracts/jenkins/67h, 67l: the value of the step.

        Without an answer it waits for ever (quirks/input-in-steps-agent-any).
        """
        self.asked.append(arguments)
        parameters = arguments.get("parameters") or []
        if parameters or arguments.get("submitterParameter"):
            say("Input requested")
        else:
            say(arguments["message"])
            say(f"{arguments.get('ok') or 'Proceed'} or Abort")
        answer = self._answer(arguments, operation)
        if not answer.approve:
            raise Interruption(f"Rejected by {answer.by}")
        say(f"Approved by {answer.by}")
        return _value(arguments, parameters, answer)

    def _answer(self, arguments: dict[str, Any], operation: Operation) -> Answer:
        """Only who is named as submitter may (contracts/jenkins/67e-input-viewer-403)."""
        started = time.monotonic()
        may = [name.strip() for name in (arguments.get("submitter") or "").split(",") if name.strip()]
        while True:
            for answer in list(self.answers):
                if answer.message not in arguments["message"] or time.monotonic() - started < answer.after:
                    continue
                self.answers.remove(answer)
                if may and answer.by not in may:
                    self.refused.append(answer)
                    continue
                return answer
            operation.sleep(0.05)


def _value(arguments: dict[str, Any], parameters: list[dict[str, Any]], answer: Answer) -> Any:
    """Nothing, the one value, or a map of several (manual: pipeline-input-step)."""
    unknown = set(answer.values) - {one["name"] for one in parameters}
    if unknown:
        raise Refused(f"input has no parameters {', '.join(sorted(unknown))}")
    values = {one["name"]: answer.values.get(one["name"], one.get("defaultValue")) for one in parameters}
    if arguments.get("submitterParameter"):
        values[arguments["submitterParameter"]] = answer.by
    return values if len(values) > 1 else next(iter(values.values()), None)
