"""What gates compare with: a branch, the last good run of the workflow, the model in production."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipegen.description.model import Gate
from pipegen.description.text import Metric
from pipegen.dvc.at_revision import AtRevision
from pipegen.dvc.errors import RemoteError
from pipegen.dvc.metric_files import BadMetrics, parse_metrics
from pipegen.errors import WorkspaceError
from pipegen.git import git
from pipegen.quality.metrics import Unusable, numbers, select
from pipegen.quality.rules import Baseline
from pipegen.registry import tags
from pipegen.runner.gates.keeping import KeptGates
from pipegen.runner.gates.task import GateTask

PRODUCTION = "production"
_FARTHEST = 50
"""Commits of a branch that are looked through for one whose metrics are known."""
_PATIENCE = 120
"""Seconds for git to fetch."""


class _Broken(Exception):
    """There is a baseline, but it can't be had; the message says why."""


@dataclass
class Baselines:
    """Finds them; each is looked for once.

    Args:
        task: the gates.
        commit: the one that is judged.
        kept: earlier results.
        at: reads the files of a commit.
        notify: told what a user should know.
    """

    task: GateTask
    commit: str
    kept: KeptGates
    at: Callable[[str], AtRevision]
    notify: Callable[[str], None]
    _contents: dict[tuple[str, str], Any] = field(default_factory=dict)
    _branches: dict[str, list[str]] = field(default_factory=dict)
    _readers: dict[str, AtRevision] = field(default_factory=dict)

    def of(self, name: str, gate: Gate) -> Baseline | None:
        """What a gate compares with; None where it compares with nothing."""
        if gate.against is None:
            return None
        kind, _, branch = str(gate.against).partition(":")
        try:
            if kind == "branch":
                return self._branch(branch, str(gate.metric))
            return self._production(gate) if kind == PRODUCTION else self._last(name, str(gate.metric))
        except (_Broken, RemoteError, WorkspaceError) as error:
            return Baseline(str(gate.against), broken=str(error))

    def whole(self, against: str, files: Iterable[str]) -> Baseline:
        """All numbers of metrics files in production or on a branch, by `FILE:KEY`.

        Args:
            against: `production` or `branch:NAME`.
            files: their paths.
        """
        try:
            named, commits = self._newest(against)
        except (_Broken, RemoteError, WorkspaceError) as error:
            return Baseline(against, broken=str(error))
        if not commits:
            return Baseline(against, missing=named)
        values, broken = dict[str, float](), ""
        files = list(files)
        for file in files:
            try:
                content = self._content(commits[0], file)
                values |= {f"{file}:{key}": number for key, number in numbers(content)}
            except (BadMetrics, RemoteError) as error:
                broken = f"{file} {error}"
        kept = self._kept_values(commits)
        kept = {name: kept[name] for name in kept if name.partition(":")[0] in files}
        if kept and against != PRODUCTION and self.task.pipeline.data.lock == "artifact":
            values = kept  # the lock file in git may be of an older commit
        values = {**kept, **values}
        return Baseline(f"{against} ({named})", values, broken="" if values else broken)

    def _newest(self, against: str) -> tuple[str, list[str]]:
        """How it is called and the commits that may know it, nearest first; or why there are none."""
        kind, _, branch = against.partition(":")
        if kind == "branch":
            commits = [commit for commit in self._commits(branch) if commit != self.commit]
            return (commits[0][:10], commits) if commits else (f"{branch} has no other commit", [])
        model = self._model(None)
        serving = self._serving(model)
        if serving is None:
            return f"no version of {model} is in production yet", []
        return serving.shown, [serving.commit, *self._parents(serving.commit)]

    def _kept_values(self, commits: list[str]) -> dict[str, float]:
        for commit in commits:
            for workflow in map(str, self.task.pipeline.workflows):
                for run in self.kept.of_commit(workflow, commit):
                    return dict(run.values)
        return {}

    # ------------------------------------------------------------------------------------------ the last good run

    def _last(self, name: str, metric: str) -> Baseline:
        """The last run of the workflow that passed and in which this very gate was green, or had nothing to compare
        with: a first run is what the second compares with."""
        whose = f"of the workflow {self.task.workflow}" if self.task.workflow else "here"
        for run in self.kept.newest_first(self.task.workflow, passed_only=True):
            good = any(gate.gate == name and gate.verdict in ("passed", "new") for gate in run.gates)
            if good and metric in run.values:
                return Baseline(f"last ({_when(run.at)}, {run.commit[:10]})", {metric: run.values[metric]})
        return Baseline("last", missing=f"no earlier run {whose} passed this gate")

    # ------------------------------------------------------------------------------------------ a branch

    def _branch(self, branch: str, metric: str) -> Baseline:
        """The newest commit of a branch, other than the one that is judged, whose metrics are known."""
        if branch not in self._branches:
            self._branches[branch] = [commit for commit in self._commits(branch) if commit != self.commit]
        commits = self._branches[branch]
        named = f"branch:{branch}"
        if not commits:
            return Baseline(named, missing=f"the branch {branch} has no other commit than this one")
        found = [self._in_files(commits[:1], metric), self._in_results(commits, metric)]
        if self.task.pipeline.data.lock == "artifact":  # the lock file in git may be of an older commit
            found.reverse()
        for commit, value in itertools.chain(*found):
            return Baseline(f"{named} ({commit[:10]})", {metric: value})
        return Baseline(named, missing=f"no run of the branch {branch} is known that has {metric}")

    def _commits(self, branch: str) -> list[str]:
        refs = (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}")
        failed = ""
        if self.task.in_job or not any(map(self._exists, refs)):
            failed = self._fetch(f"+refs/heads/{branch}:{refs[0]}")
        ref = next((ref for ref in refs if self._exists(ref)), None)
        if ref is None:
            raise _Broken(f"there is no branch {branch} here" + (f", and {failed}" if failed else ""))
        return git(self.task.folder, "rev-list", "--first-parent", f"--max-count={_FARTHEST}", ref).split()

    def _exists(self, ref: str) -> bool:
        done = subprocess.run(
            ("git", "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"),
            cwd=self.task.folder,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    # ------------------------------------------------------------------------------------------ production

    def _production(self, gate: Gate) -> Baseline:
        """The version of the model that serves in production, by its git tag."""
        metric, model = str(gate.metric), self._model(gate.model)
        serving = self._serving(model)
        if serving is None:
            return Baseline(PRODUCTION, missing=f"no version of {model} is in production yet")
        named = f"production ({serving.shown})"
        try:
            for _, value in self._in_files([serving.commit], metric):
                return Baseline(named, {metric: value})
        except (_Broken, RemoteError) as error:
            for _, value in self._in_results([serving.commit, *self._parents(serving.commit)], metric):
                return Baseline(named, {metric: value})
            return Baseline(named, broken=str(error))
        for _, value in self._in_results([serving.commit, *self._parents(serving.commit)], metric):
            return Baseline(named, {metric: value})
        return Baseline(named)

    def _serving(self, model: str) -> tags.Serving | None:
        failed = self._tags_fetched
        lines = git(self.task.folder, "for-each-ref", f"--format={tags.FORMAT}", "refs/tags").split("\n")
        serving = tags.serving(lines, model, PRODUCTION, self.task.place)
        if serving is None and failed:
            raise _Broken(f"no tag here says which {model} is in production, and {failed}")
        return serving

    def _model(self, asked: str | None) -> str:
        workflow = self.task.described
        if asked:
            return str(asked)
        if workflow is not None and workflow.promote is not None:
            return str(workflow.promote.model)
        models = list(self.task.pipeline.models)
        if len(models) != 1:
            said = "none" if not models else "several"
            raise _Broken(f"`models:` has {said}: say which by the gate's `model`")
        return str(models[0])

    @cached_property
    def _tags_fetched(self) -> str:
        """Bring the tags of others here, once; the answer says why that failed."""
        return self._fetch("refs/tags/*:refs/tags/*") if self.task.in_job else ""

    def _parents(self, commit: str) -> list[str]:
        try:
            return git(self.task.folder, "rev-parse", f"{commit}^@").split()
        except WorkspaceError:
            return []

    # ------------------------------------------------------------------------------------------ where values are

    def _in_files(self, commits: list[str], metric: str) -> Iterator[tuple[str, Any]]:
        """The value in the metrics files of commits."""
        where = Metric(metric)
        for commit in commits:
            try:
                content = self._content(commit, where.file)
                found = select(content, where.path) if content is not None else {}
            except (BadMetrics, Unusable) as error:
                raise _Broken(f"{where.file} {error}") from None
            for value in found.values():
                yield commit, value

    def _content(self, commit: str, file: str) -> Any:
        if (commit, file) not in self._contents:
            if commit not in self._readers:
                self._readers[commit] = self.at(commit)
            data = self._readers[commit].read(file)
            self._contents[commit, file] = (
                None if data is None else parse_metrics(data, os.path.basename(file))
            )
        return self._contents[commit, file]

    def _in_results(self, commits: list[str], metric: str) -> Iterator[tuple[str, Any]]:
        """The value in what is kept of the runs of commits, of any workflow."""
        for commit in commits:
            for workflow in map(str, self.task.pipeline.workflows):
                for run in self.kept.of_commit(workflow, commit):
                    if metric in run.values:
                        yield commit, run.values[metric]

    def _fetch(self, refspec: str) -> str:
        """Let git fetch; the answer says why it failed."""
        command = ("git", "fetch", "--quiet", "--no-tags", "origin", refspec)
        env = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        try:
            done = subprocess.run(
                command,
                cwd=self.task.folder,
                env=env,
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"git could not fetch it within {_PATIENCE} seconds"
        if done.returncode == 0:
            return ""
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        self.notify(f"git could not fetch {refspec}: {said}")
        return f"git could not fetch it: {said}"


def _when(at: str) -> str:
    return at[:16].replace("T", " ")
