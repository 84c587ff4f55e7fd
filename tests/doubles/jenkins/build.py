"""One build: answers what its Groovy asks for, and keeps what happened."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.doubles.jenkins.agents import AGENT_REMOVED, Agents
from tests.doubles.jenkins.credentials import Bindings
from tests.doubles.jenkins.files import Case, Stashes, Tests, archive
from tests.doubles.jenkins.gates import Inputs, Locks
from tests.doubles.jenkins.jobs import Job
from tests.doubles.jenkins.jvm import Jvm
from tests.doubles.jenkins.scm import Source
from tests.doubles.jenkins.scopes import Abort, Interruption, Operation, Refused, Scopes
from tests.doubles.jenkins.shell import Command, Shell

_QUICK = ("step", "open-scope", "close-scope", "bind", "unbind", "kinds", "free-node", "unlock")


@dataclass
class Stage:
    """A stage as the stage view shows it. Times in seconds of the monotonic clock."""

    number: int
    path: tuple[str, ...]
    parent: int | None
    start: float
    end: float | None = None
    status: str | None = None
    """SUCCESS, UNSTABLE, FAILED, ABORTED, NOT_BUILT or NOT_EXECUTED; None while it runs."""
    agent: str | None = None
    """The agent that was taken in it, not in a stage inside it."""

    @property
    def name(self) -> str:
        return self.path[-1]


@dataclass(frozen=True)
class Call:
    """A shell command that ran: where, on which agent, with which environment, and its exit code."""

    script: str
    stages: tuple[str, ...]
    agent: str
    env: Mapping[str, str]
    start: float
    end: float
    code: int | None
    """None where it was interrupted."""


@dataclass(frozen=True)
class Build:
    """A build that has ended."""

    number: int
    result: str
    log: list[str]
    stages: list[Stage]
    calls: list[Call]
    tests: list[Case]
    artifacts: Path
    error: str | None
    inputs: list[dict[str, Any]]
    stashes: Stashes
    preserves_stashes: bool
    """Whether they are there for a restart: the file says `preserveStashes`."""
    source: Source | None
    most_busy: dict[str, int]
    """The most executors that were held at once, by agent."""

    def stage(self, name: str) -> Stage:
        """The only stage of a name. Raises ValueError for none or several."""
        (found,) = [stage for stage in self.stages if stage.name == name]
        return found

    @property
    def statuses(self) -> dict[str, str | None]:
        return {stage.name: stage.status for stage in self.stages}


@dataclass
class Controller:
    """What builds share: agents, locks, milestones, the shell, the JVM."""

    jvm: Jvm
    agents: Agents
    shell: Shell
    locks: Locks = field(default_factory=Locks)
    time_scale: float = 1.0


@dataclass
class Started:
    """What a build is started with."""

    number: int
    job: Job
    cause: str
    folder: Path
    source: Source | None
    stashes: Path
    on_line: Callable[[str, RunningBuild], None] | None = None


class RunningBuild:
    """A build under way. The methods `abort` and `lose` do what a person or a power cut does."""

    def __init__(self, controller: Controller, started: Started, bindings: Bindings, inputs: Inputs) -> None:
        self.controller, self.started = controller, started
        self.scopes = Scopes()
        self.bindings, self.inputs = bindings, inputs
        self.stashes = Stashes(started.stashes)
        self.tests = Tests()
        self.log: list[str] = []
        self.stages: dict[int, Stage] = {}
        self.calls: list[Call] = []
        self.most_busy: dict[str, int] = {}
        self.finished = threading.Event()
        self.last: dict[str, Any] = {}
        self.commit: str | None = None
        """What it checked out."""
        self._lines = threading.Lock()

    def abort(self, by: str = "admin") -> None:
        """contracts/jenkins/57b: the steps under way end, `post` runs."""
        self.scopes.cancel("build", Interruption(f"Aborted by {by}", told=True))
        self.say(f"Aborted by {by}")

    def lose(self, agent: str) -> None:
        """The agent's machine is gone for good, and with it all that runs there."""
        self.scopes.lose(self.controller.agents.remove(agent), AGENT_REMOVED)

    def hear(self, message: dict[str, Any]) -> None:
        """Takes one message of the JVM; what lasts gets a thread."""
        if "ask" in message:
            if message["effect"] == "node":
                message["queued"] = self.controller.agents.line_up(message["label"])
            if message["effect"] in _QUICK:  # at once, and so in the order in which the branches ask
                self._answer(message)
            else:
                threading.Thread(target=self._answer, args=(message,), daemon=True).start()
        else:
            getattr(self, "_tell_" + message["tell"].replace("-", "_"))(message)

    def say(self, line: str, bindings: list[str] | None = None) -> None:
        line = self.bindings.mask(line, bindings or [])
        for each in line.split("\n"):
            with self._lines:
                self.log.append(each)
            if self.started.on_line:
                self.started.on_line(each, self)

    # --- news ------------------------------------------------------------------------------------------------------

    def _tell_say(self, message: dict[str, Any]) -> None:
        self.say(message["line"], message["bindings"])

    def _tell_stage(self, message: dict[str, Any]) -> None:
        number = message["number"]
        self.stages[number] = Stage(number, tuple(message["path"]), message["parent"], time.monotonic())

    def _tell_stage_end(self, message: dict[str, Any]) -> None:
        stage = self.stages[message["number"]]
        stage.end, stage.status = time.monotonic(), message["status"]

    def _tell_finished(self, message: dict[str, Any]) -> None:
        self.last = message
        self.scopes.stop()
        self.started.job.end(self, message.get("result"), message.get("properties", {}))
        self.finished.set()

    # --- questions -------------------------------------------------------------------------------------------------

    def _answer(self, message: dict[str, Any]) -> None:
        number, effect = message["ask"], message["effect"]
        try:
            with self.scopes.operation(effect, message["place"]) as operation:
                do = getattr(self, "_do_" + effect.replace("-", "_"), None) or getattr(
                    self, "_step_" + effect
                )
                value = do(message, operation)
        except Abort as failure:
            self.controller.jvm.fail(number, {"kind": "abort", "message": str(failure)})
        except Interruption as why:
            self.controller.jvm.fail(number, why.as_reply())
        except Refused as refusal:
            self.controller.jvm.fail(number, {"kind": "refused", "message": str(refusal)})
        except Exception as broken:
            self.controller.jvm.fail(number, {"kind": "refused", "message": f"{effect}: {broken!r}"})
        else:
            self.controller.jvm.reply(number, value)

    def _do_step(self, message: dict[str, Any], operation: Operation) -> None:
        """A step begins: there an interruption arrives."""

    def _do_interpolated(self, message: dict[str, Any], operation: Operation) -> None:
        handles = message["place"]["bindings"]
        names = self.bindings.used_in(message["texts"], handles)
        if names:  # quirks/cred-mask
            what = f'A secret was passed to "{message["name"]}" using Groovy String interpolation'
            self.say(f"Warning: {what}, which is insecure.")
            self.say(f"\t\t Affected argument(s) used the following variable(s): [{', '.join(names)}]")
            self.say("\t\t See https://jenkins.io/redirect/groovy-string-interpolation for details.")

    def _do_triggered_by(self, message: dict[str, Any], operation: Operation) -> bool:
        """pipeline-model-definition, TriggeredByConditional."""
        return bool(message["cause"] == self.started.cause)

    def _do_open_scope(self, message: dict[str, Any], operation: Operation) -> str:
        """quirks/options-on-stage, quirks/timeout-0."""
        if "millis" not in message:
            return self.scopes.open(None, None)
        if message["millis"] <= 0:
            scope = self.scopes.open(None, None)
            self.say("Timeout expired 0 ms ago")
            self.say("Cancelling nested steps due to timeout")
            self.scopes.cancel(scope, Interruption("Timeout has been exceeded", scope=scope))
            return scope
        self.say(f"Timeout set to expire in {_span(message['millis'])}")
        return self.scopes.open(
            message["millis"] / 1000 * self.controller.time_scale,
            lambda: self.say("Cancelling nested steps due to timeout"),
        )

    def _do_close_scope(self, message: dict[str, Any], operation: Operation) -> None:
        self.scopes.close(message["scope"])

    def _do_cancel_scope(self, message: dict[str, Any], operation: Operation) -> None:
        self.scopes.cancel(message["scope"], Interruption(message["message"], scope=message["scope"]))

    def _do_node(self, message: dict[str, Any], operation: Operation) -> dict[str, Any]:
        operation.name = f"node {message['label']!r}"
        one = self.controller.agents.allocate(message["queued"], self.started.job.workspace, operation)
        for name, count in self.controller.agents.busy().items():
            self.most_busy[name] = max(self.most_busy.get(name, 0), count)
        inner = [
            s for s in self.stages.values() if s.path == tuple(message["place"]["path"]) and s.end is None
        ]
        if inner:
            inner[-1].agent = one.agent.name
        self.say(f"Running on {one.agent.name} in {one.workspace}")
        env = self.controller.agents.environment(one)
        return {"handle": one.handle, "name": one.agent.name, "workspace": str(one.workspace), "env": env}

    def _do_free_node(self, message: dict[str, Any], operation: Operation) -> None:
        self.controller.agents.free(message["allocation"])

    def _do_lock(self, message: dict[str, Any], operation: Operation) -> None:
        """proved/levels.Jenkinsfile."""
        operation.name = f"lock {', '.join(message['names'])}"
        holder = f"{self.started.job.name} #{self.started.number}"
        self.controller.locks.take(message["names"], holder, operation)

    def _do_unlock(self, message: dict[str, Any], operation: Operation) -> None:
        self.controller.locks.give_back(message["names"])

    def _do_kinds(self, message: dict[str, Any], operation: Operation) -> list[dict[str, Any]]:
        return self.bindings.kinds(message["ids"])

    def _do_bind(self, message: dict[str, Any], operation: Operation) -> dict[str, Any]:
        handle = message["place"]["allocation"]
        temporary = self.controller.agents.of(handle).temporary if handle else None
        return self.bindings.bind(message["bindings"], temporary)

    def _do_unbind(self, message: dict[str, Any], operation: Operation) -> None:
        self.bindings.unbind(message["handle"])

    # --- steps -----------------------------------------------------------------------------------------------------

    def _step_sh(self, message: dict[str, Any], operation: Operation) -> Any:
        """facts/jenkins.md 2.8."""
        given, place = message["arguments"], message["place"]
        one = self.controller.agents.of(place["allocation"])
        capture = bool(given.get("returnStdout"))
        command = Command(given["script"], Path(place["folder"]), place["env"], one.temporary, capture)
        start, code, output = time.monotonic(), None, ""
        operation.name = f"sh {given['script']!r}"
        try:
            code, output = self.controller.shell.run(
                command, operation, lambda line: self.say(line, place["bindings"])
            )
        finally:
            stages = tuple(place["path"])
            end = time.monotonic()
            self.calls.append(Call(given["script"], stages, one.agent.name, place["env"], start, end, code))
        if given.get("returnStatus"):  # quirks/sh-returnStatus
            return code
        if code:
            raise Abort(f"script returned exit code {code}")  # quirks/sh-exit-code
        return output if capture else None

    def _step_checkout(self, message: dict[str, Any], operation: Operation) -> dict[str, str]:
        if message["arguments"].get("scm") != {"$symbol": "scm"} or self.started.source is None:
            raise Refused("checkout of anything but `scm`")
        found = self.started.source.check_out(Path(message["place"]["folder"]), self.say)
        self.commit = found["GIT_COMMIT"]
        before = self.started.job.last_success
        # git plugin, /env-vars.html of a controller: "the commit last successfully built on this branch, if any"
        return found | ({"GIT_PREVIOUS_SUCCESSFUL_COMMIT": before} if before else {})

    def _step_stash(self, message: dict[str, Any], operation: Operation) -> None:
        self.stashes.put(Path(message["place"]["folder"]), message["arguments"], self.say)

    def _step_unstash(self, message: dict[str, Any], operation: Operation) -> None:
        self.stashes.get(message["arguments"]["name"], Path(message["place"]["folder"]))

    def _step_archiveArtifacts(self, message: dict[str, Any], operation: Operation) -> None:
        archive(
            Path(message["place"]["folder"]), message["arguments"], self.started.folder / "archive", self.say
        )

    def _step_junit(self, message: dict[str, Any], operation: Operation) -> dict[str, int]:
        place = message["place"]
        return self.tests.read(Path(place["folder"]), message["arguments"], tuple(place["path"]), self.say)

    def _step_readFile(self, message: dict[str, Any], operation: Operation) -> str:
        """manual: Pipeline: Basic Steps. A file that is missing is refused: no recording shows the message."""
        path = Path(message["place"]["folder"], message["arguments"]["file"])
        if not path.is_file():
            raise Refused(f"readFile of a missing file: {path.name}")
        return path.read_text()

    def _step_writeFile(self, message: dict[str, Any], operation: Operation) -> None:
        """quirks/stash-overwrite."""
        path = Path(message["place"]["folder"], message["arguments"]["file"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(message["arguments"]["text"])

    def _step_fileExists(self, message: dict[str, Any], operation: Operation) -> bool:
        """manual: Pipeline: Basic Steps."""
        return Path(message["place"]["folder"], message["arguments"]["file"]).exists()

    def _step_deleteDir(self, message: dict[str, Any], operation: Operation) -> None:
        """quirks/stash-excludes-default."""
        shutil.rmtree(message["place"]["folder"])
        Path(message["place"]["folder"]).mkdir()

    def _step_sleep(self, message: dict[str, Any], operation: Operation) -> None:
        """proved/graph.Jenkinsfile."""
        if message["arguments"].get("unit", "SECONDS") != "SECONDS":
            raise Refused("sleep in other units than seconds")
        seconds = message["arguments"]["time"]
        self.say(f"Sleeping for {_span(seconds * 1000)}")
        operation.sleep(seconds)

    def _step_milestone(self, message: dict[str, Any], operation: Operation) -> None:
        """manual: Pipeline: Milestone Step."""
        self.started.job.pass_milestone(message["arguments"]["ordinal"], self)

    def _step_input(self, message: dict[str, Any], operation: Operation) -> Any:
        """contracts/jenkins/67h, quirks/input-in-steps-agent-any."""
        operation.name = f"input {message['arguments']['message']!r}"
        return self.inputs.ask(message["arguments"], operation, self.say)


def _span(millis: float) -> str:
    """hudson.Util.getTimeSpanString: the two largest units."""
    seconds, left = divmod(int(millis), 1000)
    if seconds < 10 and left:
        return f"{seconds + left / 1000:.2g} sec"
    units = [("day", 86400), ("hr", 3600), ("min", 60), ("sec", 1)]
    parts: list[str] = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count} {name}{'s' if name == 'day' and count > 1 else ''}")
    return " ".join(parts[:2]) or "0 ms"
