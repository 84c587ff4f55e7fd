"""Gives a version of a model to an environment, and takes it back. `promote` and `roll_back` tell the whole way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipegen.errors import PipegenError, RunFailed
from pipegen.records import GateRun
from pipegen.registry import notes, versions
from pipegen.registry.history import History, Service, Version
from pipegen.registry.notes import Notes
from pipegen.registry.repository import Overtaken, Registry, StillBroken
from pipegen.runner.agent.commands import Stopped
from pipegen.runner.kept_results import digest_of
from pipegen.runner.release.approval import approver_of
from pipegen.runner.release.deploying import Deployer, deployer
from pipegen.runner.release.evidence import Evidence
from pipegen.runner.release.registering import version_of_run
from pipegen.runner.release.task import Notify, ReleaseTask

NOTHING = "none"
"""What `--expect` says where nothing is to be there yet."""


@dataclass(frozen=True)
class Promoted:
    """What became of a promotion or a roll-back."""

    outcome: Literal["promoted", "rolled back", "unchanged"]
    """`unchanged`: the version is there already."""
    model: str
    version: str
    environment: str
    before: str
    """The version that was there; empty where there was none."""
    tag: str
    """The tag that says so."""
    deployed: bool


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be promoted, and how carefully."""

    to: str
    version: str | None = None
    from_: str | None = None
    """The environment whose version is meant."""
    expect: str | None = None
    """The version that must be there now, or `NOTHING`."""
    without_gates: str = ""
    """Why no evidence is asked for."""
    take_over: bool = False
    """Whether to go on where another deployment seems to be under way, and to deploy anew what is there."""


def promote(task: ReleaseTask, wish: Wish, notify: Notify) -> Promoted:
    """Say that a version serves in an environment, and deploy it where the description says how.

    Of several who saw the same state one wins. A failed deployment is brought back, and so is what the tags say.

    Raises:
        Overtaken: somebody else was faster, or the environment has something newer.
        Busy: somebody else deploys there.
        RunFailed: the deployment failed, and was brought back.
        StillBroken: it failed, and could not be brought back.
        PipegenError: whatever else stands against it, such as a gate.
    """
    approver = approver_of(task)
    seen = task.registry.history(task.model)
    version = _candidate(task, seen, wish)
    evidence = [] if wish.without_gates else Evidence.of(task, notify).check(version)
    said = _notes(task, wish, version, seen.serving(wish.to), evidence, approver)

    def may(history: History) -> bool:
        return _may_go(task.registry, seen, history, version, wish)

    return _give(task, wish, version, said, may, notify)


def roll_back(
    task: ReleaseTask,
    environment: str,
    *,
    to: str | None = None,
    reason: str = "",
    take_over: bool = False,
    notify: Notify,
) -> Promoted:
    """Return an environment to the version before, or to an earlier one, and deploy that.

    Raises:
        PipegenError: there is none.
        Overtaken, Busy, RunFailed, StillBroken: as for `promote`.
    """
    seen = task.registry.history(task.model)
    now, before = seen.serving(environment), seen.before(environment)
    if now is None:
        raise PipegenError(f"no version of {task.model} is in {environment}: there is nothing to roll back")
    if to is None and before is None:
        raise PipegenError(f"{task.model} {now.version.name} is the first version in {environment}")
    version = before.version if to is None and before else _named(seen, to or "")
    says = f"{task.model} {version.name} in {environment} again, instead of {now.version.name}"
    said = Notes(
        says,
        (
            (notes.VERSION, version.name),
            (notes.ROLLS_BACK, now.version.name),
            (notes.OVER, now.version.name),
            (notes.REASON, reason),
            (notes.BUILD, task.build.url),
        ),
    )

    def may(history: History) -> bool:
        if history.counter(environment) != seen.counter(environment):
            raise _overtaken(history, environment)
        return take_over or version != now.version

    done = _give(task, Wish(to=environment, take_over=take_over), version, said, may, notify)
    return done if done.outcome == "unchanged" else Promoted(**{**vars(done), "outcome": "rolled back"})


# ------------------------------------------------------------------------------------------------- what, and whether


def _candidate(task: ReleaseTask, history: History, wish: Wish) -> Version:
    if wish.version is not None:
        return _named(history, wish.version)
    if wish.from_ is not None:
        return _served(task, history, wish.from_)
    if task.fragments is not None:
        return version_of_run(task, history)
    raise PipegenError(
        f"which version of {task.model}? Say `pipegen promote {task.model} VERSION --to {wish.to}`"
        + _known(history)
    )


def _named(history: History, text: str) -> Version:
    name = versions.checked(text)
    found = history.versions.get(name)
    if found is None:
        raise PipegenError(f"there is no version {name} of {history.model}{_known(history)}")
    return found


def _known(history: History) -> str:
    names = list(history.versions)[-5:]
    return f"; the last are {', '.join(reversed(names))}" if names else "; none is registered yet"


def _served(task: ReleaseTask, history: History, environment: str) -> Version:
    """The version of another environment; a run that began before its commit does not know what it would promote."""
    found = history.serving(environment)
    if found is None:
        raise PipegenError(f"no version of {task.model} is in {environment}")
    version, own = found.version, task.build.commit
    if task.in_job and own != version.built and task.registry.is_ancestor(own, version.built):
        raise Overtaken(
            f"{environment} has got {task.model} {version.name}, made from {version.built[:12]}, which is newer than "
            f"the commit of this run, {own[:12]}: nobody approved that. Start the workflow again"
        )
    return version


def _may_go(registry: Registry, seen: History, history: History, version: Version, wish: Wish) -> bool:
    """Whether the version is to be given to the environment; False where it is there already.

    Raises:
        Overtaken: it is older than what is there, or what is there is not what was seen or expected.
    """
    now = history.serving(wish.to)
    if wish.expect is not None:
        expected = NOTHING if wish.expect == NOTHING else versions.checked(wish.expect)
        there = now.version.name if now else NOTHING
        if there != expected:
            raise Overtaken(f"{wish.to} has {_told(now)}, and not {expected}, as was expected")
    if now is not None and now.version == version:
        return wish.take_over
    if history.counter(wish.to) != seen.counter(wish.to):
        raise _overtaken(history, wish.to)
    if now is not None and registry.is_older(version, now.version):
        raise Overtaken(
            f"{history.model} {version.name} ({version.built[:12]}) is older than {_told(now)}, which {wish.to} has: "
            f"an older version does not overtake a newer one. To go back, `pipegen rollback {history.model} "
            f"--in {wish.to}`"
        )
    return True


def _overtaken(history: History, environment: str) -> Overtaken:
    now = history.serving(environment)
    by = f" by {now.tag.by}" if now and now.tag.by else ""
    return Overtaken(f"{environment} got {_told(now)} meanwhile{by}: nothing was done. Look, and try again")


def _told(service: Service | None) -> str:
    if service is None:
        return "no version"
    return f"{service.version.name} ({service.version.built[:12]})"


def _notes(
    task: ReleaseTask,
    wish: Wish,
    version: Version,
    now: Service | None,
    evidence: list[GateRun],
    approver: str,
) -> Notes:
    approved = f", approved by {approver}" if approver else ""
    rows = [
        (notes.VERSION, version.name),
        (notes.BUILT, version.built),
        (notes.OVER, now.version.name if now else ""),
        (notes.FROM, wish.from_ or ""),
        (notes.APPROVED, approver),
        (notes.WORKFLOW, task.workflow),
        (notes.BUILD, task.build.url),
        *notes.rows(
            notes.GATES, (f"{digest_of(run)} {run.workflow or 'by hand'} passed {run.at}" for run in evidence)
        ),
        (notes.WITHOUT_GATES, wish.without_gates),
    ]
    return Notes(f"{task.model} {version.name} in {wish.to}{approved}", tuple(rows))


# ------------------------------------------------------------------------------------------------- doing it


def _give(
    task: ReleaseTask,
    wish: Wish,
    version: Version,
    said: Notes,
    may: Callable[[History], bool],
    notify: Notify,
) -> Promoted:
    """Make the tag, and deploy where the description says how: there one at a time."""
    registry = task.registry
    if wish.to not in task.pipeline.environments:
        history = registry.history(task.model)
        tag = registry.assign(history, version, wish.to, said) if may(history) else ""
        return _done(history, version, wish.to, tag, deployed=False)
    says = f"{task.model} {version.name} by {task.who}"
    with registry.deploying(wish.to, version.commit, says, take_over=wish.take_over):
        history = registry.history(task.model)
        tag = _deploy(task, wish.to, history, version, said, notify) if may(history) else ""
        return _done(history, version, wish.to, tag, deployed=bool(tag))


def _done(history: History, version: Version, environment: str, tag: str, *, deployed: bool) -> Promoted:
    now = history.serving(environment)
    return Promoted(
        "promoted" if tag else "unchanged",
        history.model,
        version.name,
        environment,
        now.version.name if now else "",
        tag or (now.tag.name if now else ""),
        deployed,
    )


def _deploy(
    task: ReleaseTask, environment: str, history: History, version: Version, said: Notes, notify: Notify
) -> str:
    """Tag, deploy, verify; or bring all that back."""
    now = history.serving(environment)
    with deployer(task, environment, version, now.version if now else None, notify) as ready:
        tag = task.registry.assign(history, version, environment, said)
        try:
            ready.run("deploy")
            ready.run("verify")
        except (RunFailed, Stopped) as error:
            notify(error.message)
            raise _brought_back(ready, now, tag, error) from None
    return tag


def _brought_back(ready: Deployer, now: Service | None, tag: str, error: PipegenError) -> PipegenError:
    """Bring back what was there before, in the environment and in the tags; the error that tells all of it."""
    where, failed = ready.environment, f"{ready.task.model} {ready.version.name}"
    why = error.message.removesuffix(".")
    if now is None:
        _take_back(ready, None, tag, why)
        return RunFailed(
            f"{why}. No version was in {where} before, so nothing was brought back; the promotion is taken back"
        )
    try:
        _bring_back(ready, now.version)
    except PipegenError as second:
        _take_back(ready, now.version, tag, why)
        return StillBroken(
            f"{why}; and what was there before could not be brought back: {second.message}. Nobody knows what is in "
            f"{where} now. It stays locked until somebody deploys with --take-over"
        )
    _take_back(ready, now.version, tag, why)
    kind = Stopped if isinstance(error, Stopped) else RunFailed
    return kind(f"{why}. {failed} is taken back: {where} has {now.version.name} again")


def _bring_back(ready: Deployer, version: Version) -> None:
    if ready.described.rollback is not None:
        ready.run("rollback")
        return
    with deployer(ready.task, ready.environment, version, ready.version, ready.notify) as other:
        other.run("deploy")


def _take_back(ready: Deployer, to: Version | None, tag: str, why: str) -> None:
    """A further tag that says what is so again; the one of the promotion stays, as history does.

    Raises:
        StillBroken: the server can't be reached.
    """
    registry, where = ready.task.registry, ready.environment
    again = f"{to.name} in {where} again" if to else f"nothing in {where} again"
    said = Notes(f"{ready.task.model}: {again}", ((notes.TAKES_BACK, tag), (notes.REASON, why)))
    try:
        history = registry.history(ready.task.model)
        registry.assign(history, to or ready.version, where, said, cancels=to is None)
    except PipegenError as error:
        raise StillBroken(
            f"{why}; what was there before is there again, but no tag can say so: {error.message}. Say "
            f"`pipegen rollback {ready.task.model} --in {where} --take-over` when the server is there again"
        ) from None
