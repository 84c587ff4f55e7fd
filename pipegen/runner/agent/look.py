"""The first job of a build: finds which stages the change can touch, and the known results of all others."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipegen.description.load import FILE_NAME, load
from pipegen.description.model import Pipeline
from pipegen.description.stages import ResolvedStage, resolve
from pipegen.dvc.errors import RemoteError
from pipegen.dvc.foresight import Foresight
from pipegen.dvc.fragments import Fragment
from pipegen.dvc.lockfile import write_atomically
from pipegen.dvc.session import Session
from pipegen.dvc.stores import RemoteChoice
from pipegen.dvc.workspace import Workspace
from pipegen.errors import PipegenError
from pipegen.git import git
from pipegen.plan import files
from pipegen.plan.graph import Graph
from pipegen.plan.model import Plan
from pipegen.plan.names import to_name
from pipegen.runner.affected import affected, changed_paths, tree_of
from pipegen.runner.agent.answer import Answer
from pipegen.runner.agent.base import Base, base_of
from pipegen.runner.agent.build import build_of
from pipegen.runner.agent.lock_commit import Sources
from pipegen.runner.agent.lock_files import lock_texts, publish
from pipegen.runner.agent.plan_check import check_plan

Notify = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is built, and where.

    Args:
        pipeline: the description.
        stages: all its stages, by address.
        graph: what each needs.
        folder: its folder, absolute.
        place: the same relative to the repository's root.
        env: the variables of the build.
    """

    pipeline: Pipeline
    stages: Mapping[str, ResolvedStage]
    graph: Graph
    folder: Path
    place: str
    env: Mapping[str, str]

    @property
    def sources(self) -> Sources:
        """What of the repository the description is made of."""
        locks = tuple(dict.fromkeys(map(files.lock_file, self.stages)))
        return Sources(self.folder, self.place, files.outside(self.place, self.stages), locks)

    @property
    def can_leave_out(self) -> bool:
        """Whether the server can leave out jobs: GoCD runs them all."""
        return not self.env.get("GO_PIPELINE_NAME")


@dataclass
class _Found:
    """How far the look has come."""

    runs: dict[str, str] = field(default_factory=dict)
    known: dict[str, Fragment] = field(default_factory=dict)


def look(change: Change, notify: Notify) -> Answer:
    """Look what the change touches, and leave the answer for the other jobs with the fragments of what it doesn't.

    A stage is left out only if its result on exactly what it reads now is known to be on the remote.

    Args:
        change: what is built.
        notify: told what a reader of the log should know.

    Raises:
        PipegenError: the generated file is not of this description, or a file can't be written.
    """
    plan = check_plan(change.pipeline, change.stages, change.place, change.env)
    build, base = build_of(change.folder, change.env), base_of(change.folder, change.env)
    stamp, found = build.tree, _Found()
    nothing = _nothing(change, base, is_foreign=build.is_foreign)
    if not (nothing and change.can_leave_out):
        found.runs = {} if nothing else _touched(change, base)
        _look_up(change, found, stamp, notify)
    answer = Answer(stamp, base.commit, nothing, found.runs, tuple(found.known))
    _leave(change, answer, found, plan)
    return answer


def _nothing(change: Change, base: Base, *, is_foreign: bool) -> str:
    """Why nothing at all is to be done; empty where something is.

    What a commit's message says counts for nothing in a pull request from outside: it could call itself built.
    """
    sources = change.sources
    if change.pipeline.data.lock == "commit" and not is_foreign and sources.is_lock_commit():
        return "its commit only has the lock file of what an earlier build made"
    if not (base.commit and base.passed and sources.paths):
        return ""
    differs = git(change.folder, "diff", "--name-only", "-z", base.commit, "HEAD", "--", *sources.from_folder)
    return "" if differs else f"nothing in {change.place} or that it reads changed since {base.commit[:12]}"


def _touched(change: Change, base: Base) -> dict[str, str]:
    """The stages that the change can touch, each with the reason."""
    if not base.commit:
        return dict.fromkeys(change.graph.order, base.why)
    changed = changed_paths(change.folder, base.commit)
    with tree_of(change.folder, base.commit) as root:
        folder = root / change.place
        before = _described_in(folder)
        if before and _surroundings(before[0]) != _surroundings(change.pipeline):
            return dict.fromkeys(
                change.graph.order, "the variables, the setup or the Python of all stages changed"
            )
        stages = before[1] if before else None
        found = affected(change.stages, change.graph, changed, change.folder, stages, folder)
    for address, stage in change.stages.items():
        if stage.ci.tests and not base.passed:
            found.setdefault(address, "the server does not say whether its tests passed before")
        elif stage.ci.tests and set(_requirements(change.pipeline)) & set(changed):
            found.setdefault(address, "its tests run with other requirements")
    return found


def _surroundings(pipeline: Pipeline) -> tuple[object, ...]:
    """What every stage and its tests run with; DVC knows nothing of it."""
    return pipeline.env, pipeline.setup, pipeline.python


def _requirements(pipeline: Pipeline) -> list[str]:
    return [posixpath.normpath(path) for path in pipeline.python.requirements] if pipeline.python else []


def _described_in(folder: Path) -> tuple[Pipeline, Mapping[str, ResolvedStage]] | None:
    """The description that a folder has; None where it can't be read."""
    try:
        pipeline = load(str(folder / FILE_NAME))
        return pipeline, resolve(pipeline, folder)
    except PipegenError:
        return None


def _look_up(change: Change, found: _Found, stamp: str, notify: Notify) -> None:
    """The known results of all stages that are not touched; those without one run after all, and what needs them."""
    remote = change.pipeline.data.remote
    choice = RemoteChoice(str(remote.name), remote.url) if remote else RemoteChoice()
    with Workspace(change.folder).session(notify) as session:
        try:
            foresight = session.foresight(choice)
            for address in change.graph.order:
                _look_up_one(change, address, found, stamp, session, foresight)
        except RemoteError as error:
            found.known.clear()
            found.runs = dict.fromkeys(change.graph.order, f"no result can be looked up: {error.message}")


def _look_up_one(
    change: Change, address: str, found: _Found, stamp: str, session: Session, foresight: Foresight | None
) -> None:
    need = next((need for need in change.graph.needs(address) if need in found.runs), None)
    if address in found.runs or need:
        found.runs.setdefault(address, f"it needs {need}")
        return
    entries = {a: fragment.entries[a] for a, fragment in found.known.items()}
    entry = foresight.result(address, entries, session.entry(address)) if foresight else None
    carried = foresight.carried(address, entry, change.folder) if foresight and entry else None
    if entry is None or carried is None:
        found.runs[address] = "no result of it on what it reads is known"
        return
    travels = {address: carried} if carried else {}
    found.known[address] = Fragment(address, stamp, entries={address: entry}, files=travels)


def _leave(change: Change, answer: Answer, found: _Found, plan: Plan | None) -> None:
    folder = change.folder
    answer.write(folder / files.AFFECTED)
    for address, fragment in found.known.items():
        fragment.write(folder / files.fragment(to_name(address)))
    if change.can_leave_out and plan:
        out = [job.name for job in plan.jobs if _is_left_out(job.stages, files.AFFECTED in job.reads, answer)]
        write_atomically(str(folder / files.LEFT_OUT), "".join(f"{name}\n" for name in out))
    if found.known and not found.runs:  # the job that publishes the lock file otherwise may be left out
        entries = {a: fragment.entries[a] for a, fragment in found.known.items()}
        publish(folder, lock_texts(folder, entries, Workspace(folder).order))


def _is_left_out(stages: tuple[str, ...], asks: bool, answer: Answer) -> bool:
    if not asks:
        return False
    return bool(answer.nothing) or (bool(stages) and set(stages) <= set(answer.left_out))
