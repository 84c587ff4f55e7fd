"""Makes the report of one run. `make_report` tells the whole way; what is missing becomes a sentence."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pipegen.dvc.errors import RemoteError
from pipegen.dvc.lockfile import LockFile
from pipegen.dvc.stages import Stage
from pipegen.errors import PipegenError, WorkspaceError
from pipegen.git import git
from pipegen.quality import junit
from pipegen.quality.gates import known_values
from pipegen.quality.metrics import File
from pipegen.quality.rules import Baseline
from pipegen.records import GateRun, StageView
from pipegen.records.report import Changes, Plot, Report, Reported
from pipegen.runner.agent import record
from pipegen.runner.agent.base import base_of
from pipegen.runner.agent.masking import Masker, secret_values
from pipegen.runner.gates.ground import Ground, standing
from pipegen.runner.gates.trends import gate_trends
from pipegen.runner.report import changes as changing
from pipegen.runner.report import measuring, next_step, plots, stages
from pipegen.runner.report.keeping import KeptReports
from pipegen.runner.report.taming import tamed
from pipegen.runner.report.task import ReportTask

_MOST_EARLIER = 20
_MOST_TRENDS = 60


def make_report(task: ReportTask, notify: Callable[[str], None]) -> Report:
    """Bring together all that is to be said of a run, and keep it for the next report.

    Args:
        task: what is asked for.
        notify: told what a user should know.

    Raises:
        CheckFailed: the generated file is of another description.
        WorkspaceError: a server's job is in no git or no DVC repository.
    """
    with standing(task.gates, notify, needs=False, wants=True) as ground:
        making = _Making(task, ground)
        making.try_remote()
        return making.report()


@dataclass
class _Making:
    task: ReportTask
    ground: Ground
    notes: list[str] = field(default_factory=list)

    def report(self) -> Report:
        task, build = self.task, self.ground.build
        found, seconds = self._stages()
        tests = tuple(stages.tests_of(task.gates.folder, found))
        gates, no_gates = self._gates()
        base = self._base()
        mood, headline, step = next_step.verdict(
            found,
            tests,
            gates,
            gates_are_missing=bool(no_gates),
            pull=task.pull,
            workflow=task.gates.described,
        )
        report = Report(
            pipeline=str(task.gates.pipeline.name),
            workflow=task.gates.workflow,
            at=record.now(),
            commit=build.commit,
            branch=task.branch,
            subject=self._subject(),
            server="gocd" if "/go/pipelines/" in build.url else "jenkins" if build.url else "",
            number=task.env.get("BUILD_NUMBER") or task.env.get("GO_PIPELINE_COUNTER") or "",
            url=build.url,
            run=build.run or build.tree,
            owner=task.gates.pipeline.owner or "",
            mood=mood,
            headline=headline,
            next_step=step,
            changes=self._changes(),
            base=base.name.removeprefix("branch:") if base and base.values else "",
            no_base=_why_none(base),
            last=self.last.at if self.last else "",
            measures=tuple(
                measuring.measures(
                    self.values,
                    task.gates.pipeline.gates,
                    base,
                    [run.values for run in self._earlier()],
                    self.last.values if self.last else None,
                )
            ),
            groups=tuple(measuring.groups(self.files, task.gates.pipeline.gates, base)),
            gates=gates,
            no_gates=no_gates,
            reds=self._reds(),
            stages=tuple(found),
            seconds=seconds,
            tests=tests,
            plots=tuple(self._plots()),
            stale=task.stale,
        )
        masker = Masker(secret_values(task.gates.secrets, os.environ))
        self._keep(report, masker)
        return tamed(replace(report, notes=tuple(dict.fromkeys(self.notes))), masker)

    @contextmanager
    def _or_note(self, what: str) -> Iterator[None]:
        """A part of the report that may be missing."""
        try:
            yield
        except PipegenError as error:
            self.notes.append(f"{what}: {error.message}.")

    # ------------------------------------------------------------------------------------------ stages and gates

    def _stages(self) -> tuple[list[StageView], float | None]:
        task, build = self.task, self.ground.build
        folder, name = task.gates.folder, str(task.gates.pipeline.name)
        found: list[StageView] = []
        with self._or_note("The stages can't be shown"):
            if task.gates.in_job:
                found = stages.stages_of_build(folder, task.gates.pipeline, task.graph, build, self._say)
            else:
                found, note = stages.stages_here(folder, name, task.graph, build)
                self.notes += [note] if note else []
        return found, stages.span(found)

    def try_remote(self) -> None:
        """Find out once whether the DVC remote answers; where it doesn't, what is here has to do."""
        try:
            store = self.ground.store
            if store is not None:
                store.hurry()
                store.names("pipegen")
        except PipegenError as error:
            self.ground.store = None
            self._say(error.message)
            self._say("what earlier runs and other agents left there is missing here")

    def _say(self, message: str) -> None:
        self.notes.append(f"{message[:1].upper()}{message[1:]}.")

    def _gates(self) -> tuple[GateRun | None, str]:
        """The gates of this run; or why they can't be shown, where they were to be judged."""
        task, build = self.task.gates, self.ground.build
        if not task.names:
            return None, ""
        with self._or_note("Results of gates can't be read"):
            for workflow in dict.fromkeys((task.workflow, "")) if not task.in_job else (task.workflow,):
                for run in self.ground.kept.newest_first(workflow):
                    if task.in_job and (run.url != build.url or run.stamp != self.ground.stamp):
                        continue
                    if run.tree == build.tree:
                        return run, ""
                    if not task.in_job:
                        break
        said = [bad.get("message") or "" for suite in junit.read(task.junit) for bad in suite.iter("error")]
        reasons = [text.removeprefix("not judged: ") for text in said if text.startswith("not judged: ")]
        why = f": {reasons[0]}" if reasons and task.in_job else ""
        return None, f"The gates were not judged for this commit{why}."

    def _reds(self) -> dict[str, str]:
        """Since when gates are red, or when they were."""
        runs: list[GateRun] = []
        with self._or_note("Earlier results of gates can't be read"):
            runs = list(
                itertools.islice(self.ground.kept.newest_first(self.task.gates.workflow), _MOST_TRENDS)
            )
        found = {}
        for trend in gate_trends(runs):
            red = trend.red
            if red is not None:
                where = f"{red.since[:10]} ({red.commit[:10] or 'no commit'})"
                found[trend.gate] = (
                    f"red since {where}"
                    if red.seconds is None
                    else f"last red on {where}, until {_span(red.seconds)} later"
                )
        return found

    # ------------------------------------------------------------------------------------------ metrics

    @cached_property
    def _own(self) -> list[Stage]:
        """The description's stages as DVC has them."""
        if self.ground.repository is None:
            return []
        workspace = self.ground.repository[0]
        return [workspace.stages[address] for address in workspace.own]

    @cached_property
    def files(self) -> Mapping[str, File]:
        """The metrics files of this run."""
        task = self.task.gates
        paths = measuring.metrics_files(self._own, task.pipeline, str(task.folder))
        found: dict[str, File] = {}
        for path in paths:
            try:
                found |= self.ground.files([path])
            except PipegenError as error:
                found[path] = File(problem=f"can't be had: {error.message}")
        self.notes += [f"{path} {file.problem}." for path, file in found.items() if file.problem]
        return found

    @cached_property
    def values(self) -> dict[str, float]:
        """The metrics of this run, those in files of gates first; not more than anybody compares."""
        found = measuring.values_of(self.files)
        if len(found) > measuring.MOST:
            self.notes.append(f"{len(found) - measuring.MOST:,} more metrics: `dvc metrics show` has all.")
        gated = [
            name
            for name in known_values(self.task.gates.pipeline.gates.values(), self.files)
            if name in found
        ]
        return {name: found[name] for name in [*dict.fromkeys([*gated, *found])][: measuring.MOST]}

    def _base(self) -> Baseline | None:
        """What metrics are compared with: the branch that a pull request goes to, else production."""
        against = f"branch:{self.task.target}" if self.task.target else "production"
        if not self.task.target and (self.task.pull or not self.task.gates.pipeline.models):
            return None
        with self._or_note(f"{against} can't be compared with"):
            return self.ground.baselines.whole(against, self.files)
        return None

    # ------------------------------------------------------------------------------------------ earlier runs

    @cached_property
    def _kept(self) -> KeptReports:
        return KeptReports(str(self.task.gates.pipeline.name), self.task.gates.folder, self.ground.store)

    @cached_property
    def _reported(self) -> list[Reported]:
        """Earlier reports of the workflow, newest first; a run that is reported again is not earlier than itself."""
        found: list[Reported] = []
        url, build = self.ground.build.url, self.ground.build
        with self._or_note("Earlier reports can't be read"):
            for run in self._kept.newest_first(self.task.gates.workflow):
                is_same = run.url == url if url else (run.tree, run.values) == (build.tree, self._finite)
                if not is_same:
                    found.append(run)
                if len(found) == _MOST_EARLIER:
                    break
        return found

    @property
    def last(self) -> Reported | None:
        """The last report of this workflow; pull requests are compared with where they go to."""
        return next(iter(self._reported), None) if not self.task.pull else None

    def _earlier(self) -> list[Reported | GateRun]:
        """Reports, and results of gates without a report, oldest first."""
        known = {(run.commit, run.stamp) for run in self._reported}
        known.add((self.ground.build.commit, self.ground.stamp))
        found: list[Reported | GateRun] = list(self._reported)
        with self._or_note("Earlier results of gates can't be read"):
            runs = itertools.islice(self.ground.kept.newest_first(self.task.gates.workflow), _MOST_EARLIER)
            found += [run for run in runs if (run.commit, run.stamp) not in known]
        return sorted(found, key=lambda run: run.at)[-_MOST_EARLIER:]

    @property
    def _finite(self) -> dict[str, float]:
        return {name: value for name, value in self.values.items() if math.isfinite(value)}

    @cached_property
    def _entries(self) -> dict[str, dict[str, Any]] | None:
        """The lock file of this run, as reports keep it."""
        if self.ground.repository is None:
            return None
        entries: dict[str, Mapping[str, Any]] = {}
        with self._or_note("The lock file of this run can't be had"):
            if self.ground.merged is not None:
                entries = dict(self.ground.merged.entries)
            else:
                lock_files = {path: LockFile(path) for path in {stage.lock_file for stage in self._own}}
                entries = {
                    stage.address: lock_files[stage.lock_file].entries[stage.name]
                    for stage in self._own
                    if stage.name in lock_files[stage.lock_file].entries
                }
        workspace = self.ground.repository[0]
        return changing.plain_entries(entries, workspace.stages, workspace.folder) or None

    def _changes(self) -> Changes:
        folder, last = self.task.gates.folder, self.last
        if self.ground.build.commit == "":
            return Changes(why_not="What changed can't be told: there is no git repository here.")
        if self.task.pull:
            return self._changes_of_pull()
        if last is None:
            whose = f"of {self.task.gates.workflow}" if self.task.gates.workflow else "here"
            return Changes(why_not=f"This is the first report {whose}: there is nothing to compare with.")
        since = f"the last report ({last.at[:16].replace('T', ' ')} UTC, {last.commit[:10] or 'no commit'})"
        return changing.changes(folder, since, last.commit, last.entries, self._entries)

    def _changes_of_pull(self) -> Changes:
        folder = self.task.gates.folder
        base = base_of(folder, {**self.task.env, "CHANGE_TARGET": self.task.target})
        if not base.commit:
            return Changes(why_not=f"What changed can't be told: {base.why}.")
        before = None
        with self._or_note("Earlier reports can't be read"):
            for workflow in map(str, self.task.gates.pipeline.workflows):
                for run in self._kept.of_commit(workflow, base.commit):
                    before = before or run.entries
        if before is None and self.ground.repository is not None:
            before = changing.entries_at(folder, base.commit, self.ground.repository[0].stages)
        since = f"{self.task.target} ({base.commit[:10]})"
        return changing.changes(folder, since, base.commit, before, self._entries)

    def _subject(self) -> str:
        try:
            return git(self.task.gates.folder, "log", "-1", "--format=%s")
        except WorkspaceError:
            return ""

    def _keep(self, report: Report, masker: Masker) -> None:
        """Pull requests are not kept: their reports are no base for those of a branch."""
        build = self.ground.build
        if self.task.pull or build.is_foreign:
            return
        kept = Reported(
            at=report.at,
            passed=report.mood != "bad",
            workflow=report.workflow,
            commit=build.commit,
            tree=build.tree,
            stamp=self.ground.stamp,
            url=build.url,
            values=self._finite,
            entries=self._entries or {},
        )
        try:
            self._kept.add(tamed(kept, masker), push=self.task.gates.in_job)
        except RemoteError as error:
            self.notes.append(f"The next report can't compare with this one: {error.message}.")

    # ------------------------------------------------------------------------------------------ plots

    def _plots(self) -> Iterator[Plot]:
        pipeline, folder = self.task.gates.pipeline, self.task.gates.folder
        asked = list(plots.asked_of(self._own, pipeline.plots, folder))
        if len(asked) > plots.MOST_PLOTS:
            self.notes.append(f"{len(asked) - plots.MOST_PLOTS} more plots: `dvc plots show` has all.")
        masker = Masker(secret_values(self.task.gates.secrets, os.environ))
        for each in asked[: plots.MOST_PLOTS]:
            made = plots.plot(each, self._content)
            if masker.is_in(made.picture):
                made = Plot(title=made.title, path=made.path, says="It holds the value of a secret.")
            yield made

    def _content(self, path: str) -> bytes:
        """What a file of this run holds."""
        if self.ground.fragments is not None:
            return self.ground.fragments.content(path)
        file = self.task.gates.folder / path
        return file.read_bytes()


def _why_none(base: Baseline | None) -> str:
    if base is None or base.values:
        return ""
    reason = base.broken or base.missing or f"{base.name} has none of these metrics"
    return f"Not compared: {reason}."


def _span(seconds: float) -> str:
    """`12 minutes`, `3.5 hours`, `2.1 days`."""
    if seconds < 3600:
        minutes = max(1, round(seconds / 60))
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{seconds / 3600:.3g} hours" if seconds < 2 * 86400 else f"{seconds / 86400:.3g} days"
