"""Makes a version of a model. `register` tells the whole way."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pipegen.description.load import FILE_NAME
from pipegen.dvc.bearer import Bearer
from pipegen.dvc.errors import RemoteError
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.run_records import RunRecords
from pipegen.dvc.session import Session
from pipegen.dvc.wanted import Wanted
from pipegen.dvc.workspace import Workspace
from pipegen.errors import PipegenError
from pipegen.git import git, unattended
from pipegen.plan import files
from pipegen.registry import notes, versions
from pipegen.registry.history import History, Version
from pipegen.registry.notes import Notes
from pipegen.registry.repository import Overtaken
from pipegen.registry.versions import Bump
from pipegen.runner.agent.lock_commit import committed
from pipegen.runner.agent.lock_files import entries_of, lock_texts
from pipegen.runner.agent.masking import Masker, secret_values
from pipegen.runner.agent.plan_check import check_plan
from pipegen.runner.kept_results import digest_of
from pipegen.runner.release.evidence import Evidence, values_digest, values_of
from pipegen.runner.release.model_data import model_in
from pipegen.runner.release.task import Notify, ReleaseTask
from pipegen.runner.values import stamp_of

_ATTEMPTS = 20
_MOST_METRICS = 12
_LONGEST_RUN = timedelta(days=40)
"""Records that are older are of no run that still goes on."""


@dataclass(frozen=True)
class Registered:
    """A version of a model, which was made now or was there."""

    model: str
    version: str
    tag: str
    commit: str
    """The one that is tagged."""
    built: str
    is_new: bool


def register(
    task: ReleaseTask, notify: Notify, *, bump: Bump | None = None, version: str | None = None
) -> Registered:
    """Make a version of what this run made, or of what is here: commit its lock file on what was built, and tag that.

    Everything that could fail comes before the tag: data first. The same run gets one version, however often it asks.

    Args:
        task: the model.
        notify: told what a user should know.
        bump: which number of the last version is raised; the last one for None.
        version: the version itself, instead.

    Raises:
        Overtaken: `version` is taken.
        RemoteError: data can't be brought to the remote.
        PipegenError: whatever else stands against it.
    """
    wanted = versions.checked(version) if version else None
    if task.build.is_foreign:
        raise PipegenError("a pull request from outside registers nothing")
    workspace = Workspace(task.folder)
    with workspace.session(notify) as session:
        made = Made.of(task, workspace, session)
        bearer = session.bearer(task.remote)
        _bring_to_remote(made, bearer, workspace)
        evidence = Evidence.of(task, notify)
        said = _notes(task, made, evidence, values_of(task, workspace, session), bearer)
    return _tagged(task, made.commit, said, wanted, bump)


@dataclass(frozen=True)
class Made:
    """What a run made.

    Args:
        commit: what was built, with the run's lock files.
        entries: those of the lock file, by address.
        model: the data of the model.
    """

    commit: str
    entries: Mapping[str, Entry]
    model: Wanted

    @classmethod
    def of(cls, task: ReleaseTask, workspace: Workspace, session: Session) -> Made:
        """What this run made, by its fragments; or what is here, by the lock file.

        Raises:
            PipegenError: it is not whole, or not of this commit.
        """
        if task.fragments is not None:
            check_plan(task.pipeline, task.stages, task.place, task.env)
            entries = _of_fragments(task, task.fragments)
        else:
            entries = _of_workspace(task, workspace, session)
        texts = lock_texts(task.folder, entries, workspace.order)
        model = model_in(task, workspace, entries)
        return cls(_commit_with(task, texts), entries, model)


def made_commit(task: ReleaseTask) -> str:
    """The commit that `register` tags for the run that this job is part of: the same content gives the same commit."""
    assert task.fragments is not None
    check_plan(task.pipeline, task.stages, task.place, task.env)
    entries = _of_fragments(task, task.fragments)
    return _commit_with(task, lock_texts(task.folder, entries, Workspace(task.folder).order))


def _of_fragments(task: ReleaseTask, folder: Path) -> Mapping[str, Entry]:
    return entries_of(folder, task.stages, stamp_of(task.build.tree, task.values))


def _of_workspace(task: ReleaseTask, workspace: Workspace, session: Session) -> Mapping[str, Entry]:
    """What the lock file here says, where all of it is up to date and all else is committed."""
    changed = _uncommitted(task)
    if changed:
        raise PipegenError(
            f"{', '.join(changed[:3])}{' …' if len(changed) > 3 else ''}: not committed as it is here: a version "
            "is of a commit, so commit first"
        )
    entries: dict[str, Entry] = {}
    for address in workspace.own:
        reasons = session.reasons(address)
        if reasons:
            raise PipegenError(f"{address} is not up to date ({reasons[0]}): `pipegen run` first")
        entries[address] = session.entry(address)
    return entries


def _uncommitted(task: ReleaseTask) -> list[str]:
    """Files that git has otherwise or, of what the description is made of, not at all; lock files are none."""
    locks = set(files.inside(task.place, task.sources.locks))
    own = {FILE_NAME, *(lock.removesuffix(".lock") + ".yaml" for lock in task.sources.locks)}
    read = {path for stage in task.stages.values() for path in (*stage.deps, *stage.params)}
    needed = set(files.inside(task.place, [*own, *read]))
    paths = ("--", *task.sources.from_folder)
    changed = git(task.folder, "diff", "--name-only", "-z", "HEAD", *paths).split("\0")
    unknown = git(
        *(task.folder, "ls-files", "-z", "--others", "--exclude-standard", "--full-name"), *paths
    ).split("\0")
    return [path for path in changed if path and path not in locks] + [
        path for path in unknown if path in needed
    ]


def _commit_with(task: ReleaseTask, texts: Mapping[str, str]) -> str:
    """The commit with these lock files on top of what was built; that itself where it has them already.

    Author and time are of no person and no moment of today: so all who ask for the same get the same commit.
    """
    built = task.build.commit
    env = unattended(task.folder)
    moment = git(task.folder, "show", "--no-patch", "--format=%ct", built)
    for who in ("AUTHOR", "COMMITTER"):
        env |= {
            f"GIT_{who}_NAME": "pipegen",
            f"GIT_{who}_EMAIL": "pipegen@localhost",
            f"GIT_{who}_DATE": f"{moment} +0000",
        }
    message = f"Add {' and '.join(texts)} of the run of {built[:12]}\n"
    made = committed(task.sources, texts, built, message, env)
    same = git(task.folder, "rev-parse", f"{made}^{{tree}}") == task.build.tree
    return built if same else made


def _bring_to_remote(made: Made, bearer: Bearer, workspace: Workspace) -> None:
    """All data that the lock file names; agents brought it there, and this makes sure."""
    if bearer.store is None:
        raise RemoteError(
            "there is no DVC remote, from which others could fetch the model: `dvc remote add -d …`"
        )
    for address, entry in made.entries.items():
        try:
            bearer.push(address, entry, run=False)
        except FileNotFoundError:
            raise RemoteError(
                f"{bearer.store.shown} has not what {address} made, and neither has this machine: run {address} again"
            ) from None


def _notes(
    task: ReleaseTask, made: Made, evidence: Evidence, values: Mapping[str, float], bearer: Bearer
) -> Notes:
    fixed = task.values.set if task.values else {}
    masker = Masker(secret_values(task.secrets, task.env))
    stamp = stamp_of(task.build.tree, task.values)
    metrics = [f"{name} = {value:.6g}" for name, value in itertools.islice(values.items(), _MOST_METRICS)]
    rows = [
        (notes.BUILT, task.build.commit),
        (notes.STAMP, stamp),
        (notes.MODEL, f"{made.model.md5} {task.described.path}"),
        (notes.WORKFLOW, task.workflow),
        (notes.BUILD, task.build.url),
        *notes.rows(notes.SET, (f"{name} = {json.dumps(value)}" for name, value in fixed.items())),
        *notes.rows(notes.METRIC, metrics),
        (notes.VALUES, values_digest(values)),
        *notes.rows(
            notes.GATES,
            (
                f"{digest_of(run)} {run.workflow or 'by hand'} {'passed' if run.passed else 'failed'} {run.at}"
                for run in evidence.of_values(task.build.commit, stamp, values_digest(values))
            ),
        ),
        *notes.rows(notes.RECORD, _records(task, bearer)),
    ]
    where = f" of workflow {task.workflow}" if task.workflow else ""
    says = f"{task.model}, made from {task.build.commit[:12]}{where}"
    return Notes(says, tuple((key, masker.text(value)) for key, value in rows))


def _records(task: ReleaseTask, bearer: Bearer) -> Iterator[str]:
    """The digests of the records of this run."""
    if not task.in_job or bearer.store is None or not bearer.store.has_runs:
        return
    oldest = datetime.now(timezone.utc) - _LONGEST_RUN
    for kept in RunRecords(bearer.store).newest_first(str(task.pipeline.name)):
        if kept.began < oldest:
            return
        if kept.run == task.build.run:
            yield kept.digest


def _tagged(task: ReleaseTask, commit: str, said: Notes, wanted: str | None, bump: Bump | None) -> Registered:
    for _ in range(_ATTEMPTS):
        history = task.registry.history(task.model)
        found = history.at_commit(commit)
        if found is not None:
            return _known(task, found, wanted)
        if wanted in history.version_names:
            raise Overtaken(f"{task.model} {wanted} is there already, of another run: choose another version")
        name = wanted or versions.following(history.version_names, bump)
        numbered = Notes(f"{task.model} {name}{said.says.removeprefix(task.model)}", said.trailers)
        try:
            task.registry.add_version(history, name, commit, numbered)
        except Overtaken:
            continue
        made = task.registry.history(task.model).versions[name]
        return Registered(task.model, name, made.tag.name, commit, task.build.commit, True)
    raise Overtaken(f"{task.model} got {_ATTEMPTS} other versions meanwhile: try again")


def _known(task: ReleaseTask, found: Version, wanted: str | None) -> Registered:
    if wanted not in (None, found.name):
        raise Overtaken(
            f"this run is registered already, as {task.model} {found.name}: it gets no other version"
        )
    return Registered(task.model, found.name, found.tag.name, found.commit, found.built, False)


def version_of_run(task: ReleaseTask, history: History) -> Version:
    """The version that `register` made of the run that this job is part of.

    Raises:
        PipegenError: it made none.
    """
    found = history.at_commit(made_commit(task))
    if found is None:
        raise PipegenError(
            f"no version of {task.model} was registered of this run: `pipegen register {task.model}` goes first"
        )
    return found
