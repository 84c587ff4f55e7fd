"""Reads and runs Jenkinsfiles with real Groovy 2.4, and compiles them with Jenkins' own CPS compiler.

One JVM serves many files: `GroovyServer` starts it on first use, speaks one JSON line per question, and replaces it
when an answer takes too long. The Groovy side is in ``groovy/recorder``.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, final

from tests.support import jars

_SOURCES = Path(__file__).with_name("groovy")
_JVM = (
    "-Xmx768m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # short lives: the big optimiser never pays off
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
)
START_SECONDS = 120.0
ANSWER_SECONDS = 60.0


class GroovyFailed(RuntimeError):
    """The recorder itself broke, or took too long; not a finding about the Jenkinsfile."""


@dataclass(frozen=True)
class Linted:
    """What the Declarative validator's double found: its complaints, and the file as official AST JSON."""

    errors: list[str]
    model: dict[str, Any] | None

    @property
    def ok(self) -> bool:
        return not self.errors


@dataclass(frozen=True)
class Step:
    """One step that ran, with evaluated arguments, and where it stood."""

    name: str
    arguments: dict[str, Any]
    path: tuple[str, ...]
    """Names of the stages around it, outermost first."""
    node: str | None
    """Label of the agent it ran on; None where no agent was held."""
    section: str
    """``steps``, or ``post/always`` and the like."""
    env: dict[str, str]
    """Variables set by ``environment``, ``withEnv``, parameters of ``input``, credentials (as ``****``)."""
    credentials: list[dict[str, Any]]
    within: list[dict[str, Any]]
    """Block steps around it (``lock``, ``timeout``, …), as ``{"name": …, "arguments": …}``."""

    @property
    def credential_ids(self) -> list[str]:
        return [binding["credentialsId"] for binding in self.credentials]


@dataclass(frozen=True)
class Recorded:
    """What happened when a Jenkinsfile ran: every event in order, and the error that ended it, if any.

    An event is a dict with ``type``: ``stage``, ``stage-end``, ``step``, ``parallel``, ``caught``, and for the
    directives of a declarative file ``agent``, ``environment``, ``options``, ``triggers``, ``parameters``,
    ``tools``, ``when``, ``input``.
    """

    events: list[dict[str, Any]]
    error: str | None = None

    @property
    def steps(self) -> list[Step]:
        return [_step(event) for event in self.of_type("step")]

    def named(self, step: str) -> list[Step]:
        """The steps of one name, in the order in which they ran."""
        return [each for each in self.steps if each.name == step]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def commands(self) -> list[str]:
        """The text of every ``sh``, as the shell would get it."""
        return [step.arguments["script"] for step in self.named("sh")]

    @property
    def stages(self) -> list[tuple[str, ...]]:
        """The path of every stage, in the order in which they started."""
        return [tuple(event["path"]) for event in self.of_type("stage")]

    @property
    def stages_ended(self) -> list[tuple[str, ...]]:
        return [tuple(event["path"]) for event in self.of_type("stage-end")]

    @property
    def labels(self) -> dict[tuple[str, ...], str]:
        """The agent's label of every stage whose steps held one."""
        return {step.path: step.node for step in self.steps if step.node is not None and step.name != "node"}

    @property
    def credentials(self) -> dict[tuple[str, ...], set[str]]:
        """The ids of the credentials within reach of each stage's steps."""
        found: dict[tuple[str, ...], set[str]] = {}
        for step in self.steps:
            found.setdefault(step.path, set()).update(step.credential_ids)
        return found

    @property
    def stashed(self) -> list[tuple[tuple[str, ...], str]]:
        return [(step.path, step.arguments["name"]) for step in self.named("stash")]

    @property
    def unstashed(self) -> list[tuple[tuple[str, ...], str]]:
        return [(step.path, step.arguments["name"]) for step in self.named("unstash")]


def _step(event: dict[str, Any]) -> Step:
    return Step(
        name=event["name"],
        arguments=event["arguments"],
        path=tuple(event["path"]),
        node=event["node"],
        section=event["section"],
        env=event["env"],
        credentials=event["credentials"],
        within=event["within"],
    )


@final
@dataclass
class GroovyServer:
    """A JVM with the recorder, started on first use; also a context manager.

    Raises `tests.support.jars.JavaMissing` from the first question when Java, Maven or the jars can't be had.
    """

    answer_seconds: float = ANSWER_SECONDS
    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _answers: queue.Queue[str] = field(default_factory=queue.Queue, init=False)
    _log: IO[str] | None = field(default=None, init=False)

    def __enter__(self) -> GroovyServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def lint(self, text: str) -> Linted:
        """What Jenkins' ``pipeline-model-converter/validate`` would say, and the model it would see."""
        answer = self._ask({"op": "lint", "text": text})
        return Linted(errors=answer["errors"], model=answer["model"])

    def run(
        self,
        text: str,
        *,
        params: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        answers: Sequence[Mapping[str, Any]] = (),
        seed: int | None = None,
    ) -> Recorded:
        """Runs a Jenkinsfile, declarative or scripted, by Jenkins' CPS interpreter, recording what its steps would do.

        ``answers`` prepares steps: ``{"step": "sh", "match": "part of the command", "value": "text"}`` or
        ``"error": "why"``.
        With a ``seed``, parallel branches interleave, the order drawn from it; without, one runs after the other.
        """
        answer = self._ask(
            {
                "op": "run",
                "text": text,
                "params": dict(params or {}),
                "env": dict(env or {}),
                "answers": [dict(each) for each in answers],
                "seed": seed,
            }
        )
        return Recorded(events=answer["events"], error=answer["error"])

    def compile_cps(self, text: str) -> list[str]:
        """What stops Jenkins' CPS compiler; empty where it compiles."""
        errors: list[str] = self._ask({"op": "cps", "text": text})["errors"]
        return errors

    def evaluate(self, expressions: Sequence[str]) -> list[Any]:
        """The values of Groovy expressions. Raises ValueError for one that doesn't compile or fails."""
        answer = self._ask({"op": "evaluate", "texts": list(expressions)})
        for expression, error in zip(expressions, answer["errors"], strict=True):
            if error is not None:
                raise ValueError(f"{expression!r}: {error}")
        values: list[Any] = answer["values"]
        return values

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        if self._process is None or self._process.poll() is not None:
            self._start()
        answer = self._exchange(question, self.answer_seconds)
        if "crash" in answer:
            raise GroovyFailed(answer["crash"])
        return answer

    def _start(self) -> None:
        self.close()
        path = os.pathsep.join(map(str, [*jars.classpath(), _SOURCES]))
        main = str(_SOURCES / "recorder" / "Server.groovy")
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            ["java", *_JVM, "-cp", path, "groovy.ui.GroovyMain", main],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
        )
        self._answers = queue.Queue()
        threading.Thread(target=_forward, args=(self._process, self._answers), daemon=True).start()
        self._exchange({"op": "evaluate", "texts": ["1"]}, START_SECONDS)

    def _exchange(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            self.close()
            raise GroovyFailed(f"no answer to {question['op']!r} within {seconds:g} s") from None
        except BrokenPipeError:
            line = ""
        if not line:
            said = self._last_words()
            self.close()
            raise GroovyFailed(f"the JVM ended: {said}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        if self._log is None:
            return ""
        self._log.seek(0)
        return self._log.read()[-2000:]


def _forward(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    """Hands each line on; an empty one says that there will be no more."""
    assert process.stdout is not None
    for line in process.stdout:
        answers.put(line)
    answers.put("")
