"""The gates' evidence of a version: results of gates that looked at the very metrics that its run made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipegen.dvc import fragments
from pipegen.dvc.session import Session
from pipegen.dvc.workspace import Workspace
from pipegen.errors import PipegenError
from pipegen.quality.gates import files_of, known_values
from pipegen.records import GateRun
from pipegen.registry import notes
from pipegen.registry.history import Version
from pipegen.runner.gates.keeping import KeptGates, kept_gates
from pipegen.runner.gates.metrics import FromFragments, files_here
from pipegen.runner.release.task import Notify, ReleaseTask
from pipegen.runner.values import stamp_of


def values_of(task: ReleaseTask, workspace: Workspace, session: Session) -> dict[str, float]:
    """Every metric of this run that a gate may look at, by `FILE:PATH`."""
    gates = task.pipeline.gates.values()
    if task.fragments is None:
        return known_values(gates, files_here(task.folder, files_of(gates)))
    stamp = stamp_of(task.build.tree, task.values)
    merged = fragments.merge(fragments.fragments_in(task.fragments), task.stages, stamp)
    found = FromFragments(workspace, session, merged, task.fragments, task.remote)
    return known_values(gates, found.files(files_of(gates)))


def values_digest(values: Mapping[str, float]) -> str:
    """What tells the metrics of one run from those of another: forty hexadecimal digits; empty where there are none."""
    if not values:
        return ""
    return hashlib.sha256(json.dumps(dict(values), sort_keys=True).encode()).hexdigest()[:40]


@dataclass(frozen=True)
class Evidence:
    """What gates said of versions."""

    task: ReleaseTask
    kept: KeptGates

    @classmethod
    def of(cls, task: ReleaseTask, notify: Notify) -> Evidence:
        """All that is kept here and on the remote."""
        return cls(task, kept_gates(task.pipeline, task.folder, notify))

    def of_values(self, commit: str, stamp: str, digest: str) -> list[GateRun]:
        """The last result of each workflow for these metrics of this commit."""
        return list(self._newest({commit}, stamp, digest))

    def of_version(self, version: Version) -> list[GateRun]:
        """The last result of each workflow for a version."""
        said = version.notes
        return list(
            self._newest({version.built, version.commit}, said.get(notes.STAMP), said.get(notes.VALUES))
        )

    def _newest(self, commits: set[str], stamp: str, digest: str) -> Iterator[GateRun]:
        if not digest:
            return
        for workflow in ("", *map(str, self.task.pipeline.workflows)):
            runs = [run for commit in sorted(commits) for run in self.kept.of_commit(workflow, commit)]
            fitting = [
                run for run in runs if run.stamp in ("", stamp) and values_digest(run.values) == digest
            ]
            if fitting:
                yield max(fitting, key=lambda run: run.at)

    def check(self, version: Version) -> list[GateRun]:
        """The evidence that lets a version be promoted; none is needed where the description has no gates.

        Raises:
            PipegenError: there is none, or a gate was red; the message says what to do.
        """
        if not self.task.pipeline.gates:
            return []
        runs = self.of_version(version)
        named = f"{self.task.model} {version.name}"
        red = next((run for run in runs if not run.passed), None)
        if red is not None:
            names = ", ".join(gate.gate for gate in red.gates if gate.verdict == "failed")
            where = f" in workflow {red.workflow}" if red.workflow else ""
            raise PipegenError(
                f"{named} is not promoted: its gates are red{where} ({names}). A waiver in waivers.yaml is part of a "
                "commit, so it makes a new version"
            )
        workflow = version.notes.get(notes.WORKFLOW)
        by_workflow = {run.workflow for run in runs}
        if runs and (workflow in by_workflow or not self._judges(workflow)):
            return runs
        raise PipegenError(
            f"{named} is not promoted: no gates were judged on what it was made of. Judge them "
            f"(`git checkout '{version.tag.name}' && dvc pull && pipegen gate`) and promote again, "
            "or say why it needs none: --without-gates REASON"
        )

    def _judges(self, workflow: str) -> bool:
        """Whether a workflow judges gates itself."""
        described = self.task.pipeline.workflows
        return any(str(name) == workflow and bool(one.gates) for name, one in described.items())
