"""What became of each stage, and of its tests: by the records of this build, here and on the DVC remote."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pipegen.description.model import Pipeline
from pipegen.plan import files
from pipegen.plan.graph import Graph
from pipegen.plan.names import to_name
from pipegen.quality import junit
from pipegen.records import StageView
from pipegen.records.report import TestsOf
from pipegen.runner.agent.build import Build
from pipegen.runner.elsewhere import records_elsewhere
from pipegen.runner.gathered import gathered
from pipegen.runner.last_run import last_run

_MOST_NAMES = 20
"""Failed tests of a stage that are named."""


def stages_of_build(
    folder: Path, pipeline: Pipeline, graph: Graph, build: Build, notify: Callable[[str], None]
) -> list[StageView]:
    """The stages of the build that this job belongs to.

    Args:
        folder: the description's.
        pipeline: the description.
        graph: its stages.
        build: the build.
        notify: told why the records of other jobs can't be had.
    """
    elsewhere = records_elsewhere(pipeline, folder, build, graph.order, notify)
    found = gathered(folder, str(pipeline.name), graph, build, elsewhere=elsewhere)
    return [replace(stage, links=(), tail=()) for stage in found.stages]


def stages_here(folder: Path, pipeline: str, graph: Graph, build: Build) -> tuple[list[StageView], str]:
    """The stages as they ran here last, for a person; and a sentence where nothing is known."""
    views = {stage.name: stage for stage in gathered(folder, pipeline, graph, build).stages}
    if any(stage.state != "waiting" for stage in views.values()):
        return [views[address] for address in graph.order], ""
    run = last_run(folder, pipeline)
    if run is None:
        return [], "No run is known here: `pipegen run` runs the stages."
    of_another = run.commit and build.commit and not build.commit.startswith(run.commit[:10])
    note = f"The stages are those of the last run here, of commit {run.commit[:10]}." if of_another else ""
    known = {stage.name: stage for stage in run.stages}
    return [replace(known[a], links=(), tail=()) for a in graph.order if a in known], note


def span(stages: Iterable[StageView]) -> float | None:
    """Seconds from the begin of the first stage that ran to the end of the last."""
    times = []
    for stage in stages:
        try:
            begin = datetime.fromisoformat(stage.started.replace("Z", "+00:00")).timestamp()
        except ValueError:
            continue
        times.append((begin, begin + (stage.seconds or 0.0)))
    return max(end for _, end in times) - min(begin for begin, _ in times) if times else None


def tests_of(folder: Path, stages: Iterable[StageView]) -> Iterable[TestsOf]:
    """What became of the tests of each stage that has some, failed ones by name where their JUnit file is here."""
    for stage in stages:
        if stage.tests is None or not stage.tests.total:
            continue
        names = _failed(folder / files.junit(to_name(stage.name))) if stage.tests.failed else ()
        yield TestsOf(
            stage=stage.name,
            total=stage.tests.total,
            failed=stage.tests.failed,
            skipped=stage.tests.skipped,
            names=tuple(itertools.islice(names, _MOST_NAMES)),
        )


def _failed(path: Path) -> Iterable[str]:
    for suite in junit.read(path):
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                yield case.get("name") or "a test"
