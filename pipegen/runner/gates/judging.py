"""Judges the gates of one run. `judge_gates` tells the whole way."""

from __future__ import annotations

import os
from collections.abc import Callable

from pipegen.errors import PipegenError, os_error
from pipegen.quality import junit
from pipegen.quality.gates import broken_suite, decide, files_of, is_passed, known_values, suite
from pipegen.quality.waivers import read_waivers
from pipegen.records import GateRun
from pipegen.runner.agent import record
from pipegen.runner.agent.masking import Masker, secret_values
from pipegen.runner.gates.ground import standing
from pipegen.runner.gates.keeping import KeptGates, masked
from pipegen.runner.gates.task import GateTask
from pipegen.runner.history import own_folder


def judge_gates(task: GateTask, notify: Callable[[str], None]) -> GateRun:
    """Bring metrics and baselines, judge, and keep the result: as JUnit, in the folder, and from a server's job on the
    DVC remote.

    Args:
        task: the gates.
        notify: told what a user should know.

    Raises:
        PipegenError: they can't be judged at all; the JUnit file says so too. A red gate is no error here.
    """
    try:
        own_folder(task.folder / ".pipegen")
    except OSError as error:
        raise os_error(error, "write into", task.folder / ".pipegen") from None
    try:
        run, kept, push = _judged(task, notify)
    except PipegenError as error:
        junit.write([broken_suite(task.names, task.workflow, error.message)], task.junit)
        raise
    junit.write([suite(run)], task.junit)
    kept.add(run, push=push)
    return run


def _judged(task: GateTask, notify: Callable[[str], None]) -> tuple[GateRun, KeptGates, bool]:
    """The result, where to keep it, and whether others are to have it."""
    waivers = read_waivers(task.folder, task.pipeline.gates)
    compares = {str(gate.against) for gate in task.gates.values() if gate.against}
    needs, wants = bool(compares - {"last"}), bool(compares) or task.in_job
    with standing(task, notify, needs=needs, wants=wants) as ground:
        if task.in_job and (ground.store is None or not ground.store.has_runs):
            notify("no DVC remote that can list what it has: later runs can't compare with this one")
        every = task.pipeline.gates.values()
        files = ground.files(files_of(every))
        results = tuple(
            decide(name, gate, files, ground.baselines.of(name, gate), waivers.get(name), task.today)
            for name, gate in task.gates.items()
        )
        kept, build = ground.kept, ground.build
    run = GateRun(
        at=record.now(),
        passed=is_passed(results),
        gates=results,
        values=known_values(every, files),
        workflow=task.workflow,
        commit=build.commit,
        tree=build.tree,
        stamp=ground.stamp,
        agent=build.agent,
        url=build.url,
    )
    masker = Masker(secret_values(task.secrets, os.environ))
    return masked(run, masker), kept, task.in_job and not build.is_foreign
