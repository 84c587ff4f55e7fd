"""The picture of a build out of what its agents left.

Records tell all of a stage, lock fragments only its result. A job has the records of its own stages, the DVC remote
those of others; fragments of all stages before it come to it in any case.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pipegen.dvc.fragments import fragments_in
from pipegen.errors import PipegenError
from pipegen.plan import files
from pipegen.plan.graph import Graph
from pipegen.plan.names import to_name
from pipegen.records import Link, RunView, StageRecord, StageView, State, record_from_data, stage_view
from pipegen.runner.agent.build import Build
from pipegen.runner.agent.record import now
from pipegen.runner.last_run import group_of
from pipegen.runner.processes import tail
from pipegen.runner.values import Values, stamp_of
from pipegen.targets.gocd import published


def gathered(
    folder: Path,
    name: str,
    graph: Graph,
    build: Build,
    *,
    elsewhere: Iterable[StageRecord] = (),
    wanted: Iterable[str] = (),
    env: Mapping[str, str] | None = None,
) -> RunView:
    """The picture of a build.

    Args:
        folder: the description's folder, which has the records.
        name: what the pipeline is called.
        graph: the build's stages.
        build: records of other builds are passed over.
        elsewhere: records that other jobs of the build left.
        wanted: metrics that are shown first, as `FILE:KEY`.
        env: the variables that Jenkins and GoCD set; the process's own for None.
    """
    env = os.environ if env is None else env
    wanted = tuple(wanted)
    records = _newest((*records_here(folder, build), *elsewhere))
    results = _results(folder, build)
    stages: dict[str, StageView] = {}
    for address in graph.order:
        record = records.get(address)
        view = stage_view(record, wanted) if record else results.get(address)
        view = view or _without_result(address, graph, stages)
        view = replace(view, needs=graph.needs(address), group=group_of(address))
        stages[address] = _with_log(view, folder, record)
    begin, end = _span(records.values())
    return RunView(
        pipeline=name,
        workflow=", ".join(build.workflows),
        server=_server(build, env),
        number=env.get("BUILD_NUMBER") or env.get("GO_PIPELINE_COUNTER") or "",
        url=build.url,
        state=_state(stages.values()),
        taken=now(),
        started=begin.isoformat(timespec="milliseconds") if begin else "",
        seconds=(end - begin).total_seconds() if begin and end else None,
        commit=build.commit,
        branch=env.get("BRANCH_NAME") or env.get("GIT_BRANCH") or "",
        stages=tuple(stages.values()),
    )


def records_here(folder: Path, build: Build) -> list[StageRecord]:
    """The records in a description's folder that are of this build."""
    found = []
    for path in sorted((folder / files.kept("x")[1]).parent.glob("*.json")):
        try:
            record = record_from_data(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue  # something else that lies there
        if build.has(record):
            found.append(record)
    return found


def _newest(records: Iterable[StageRecord]) -> dict[str, StageRecord]:
    """The newest record of each stage."""
    return {record.stage: record for record in sorted(records, key=lambda record: record.ended)}


def _results(folder: Path, build: Build) -> dict[str, StageView]:
    """What lock fragments of this build tell: of their own stage, and of all that it needed."""
    found: dict[str, StageView] = {}
    try:
        values = Values.read(folder / files.VALUES)
        stamp = stamp_of(build.tree, values)
        fragments = [each for each in fragments_in((folder / files.VALUES).parent) if each.stamp == stamp]
    except PipegenError:
        return {}
    for fragment in fragments:
        found.update({address: StageView(name=address, state="passed") for address in fragment.entries})
    for fragment in fragments:
        if fragment.state != "done":
            found[fragment.stage] = StageView(
                name=fragment.stage, state=fragment.state, message=fragment.message
            )
    return found


def _without_result(address: str, graph: Graph, before: Mapping[str, StageView]) -> StageView:
    stopped = [n for n in graph.needs(address) if before[n].state in ("failed", "cancelled", "skipped")]
    if stopped:
        return StageView(name=address, state="skipped", message=f"needs {', '.join(stopped)}")
    return StageView(name=address)


def _with_log(stage: StageView, folder: Path, record: StageRecord | None) -> StageView:
    path = files.kept(to_name(stage.name))[0]
    if stage.state in ("waiting", "skipped"):
        return stage
    if (folder / path).is_file():
        lines = tail(folder / path) if stage.state == "failed" else ()
        return replace(stage, links=(Link("log", path),), tail=tuple(lines))
    if record is None or not record.url:
        return stage
    # Jenkins keeps what all jobs of a build left together, GoCD by job
    where = published.address(record.url, record.job, path) if record.job else path
    return replace(stage, links=(Link("log", where),))


def _span(records: Iterable[StageRecord]) -> tuple[datetime | None, datetime | None]:
    times = [(_time(record.started), _time(record.ended)) for record in records]
    begins, ends = [b for b, _ in times if b], [e for _, e in times if e]
    return min(begins, default=None), max(ends, default=None)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None


def _state(stages: Iterable[StageView]) -> State:
    states = {stage.state for stage in stages}
    if "failed" in states:
        return "failed"
    if "cancelled" in states:
        return "cancelled"
    return "running" if "waiting" in states else "passed"


def _server(build: Build, env: Mapping[str, str]) -> str:
    if env.get("GO_PIPELINE_NAME") or build.is_on_gocd:
        return "gocd"
    return "jenkins" if env.get("JENKINS_URL") or build.url else ""
