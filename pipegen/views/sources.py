"""Where pictures come from: the run here, the records that agents left, a file. A server's client is another one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipegen.errors import FileError, PipegenError, os_error
from pipegen.records import RunView

if TYPE_CHECKING:
    from pipegen.description.model import Pipeline
    from pipegen.plan.graph import Graph

MOST_OF_LOG = 256 * 1024
"""Bytes of a log that are shown, from its end."""


@dataclass(frozen=True)
class Source:
    """Asked again and again while a picture is looked at."""

    run: Callable[[], RunView]
    """The picture now. Raises PipegenError if there is none."""
    log: Callable[[str], str | None] = lambda stage: None
    """The end of a stage's log, by the stage's name; None where there is none."""
    pause: float = 0.5
    """Seconds between two questions that are worth asking."""


def of_run(folder: Path, name: str, wanted: tuple[str, ...] = ()) -> Source:
    """The last run in a workspace's folder.

    Args:
        folder: the workspace's folder.
        name: what the pipeline is called.
        wanted: metrics that are shown first, as `FILE:KEY`.
    """
    from pipegen.dvc.workspace import Workspace
    from pipegen.runner.agent.record import metrics_of
    from pipegen.runner.last_run import last_run

    def measured(stage: str) -> Mapping[str, Any]:
        found = workspace.stages.get(stage)
        return metrics_of(found) if found else {}

    def run() -> RunView:
        found = last_run(folder, name, measured, wanted)
        if found is None:
            raise PipegenError("nothing has run here yet: `pipegen run` runs it")
        return found

    workspace = Workspace(folder)
    return Source(run, _logs(folder, run))


def of_records(
    folder: Path, pipeline: Pipeline, graph: Graph, notify: Callable[[str], None] | None
) -> Source:
    """What agents left in `.pipegen/records`, and on the DVC remote, which is asked once.

    Args:
        folder: the description's folder.
        pipeline: the description.
        graph: the stages of the build.
        notify: told when the remote is away; None to leave it alone.
    """
    from pipegen.runner.agent.build import build_of
    from pipegen.runner.elsewhere import records_elsewhere
    from pipegen.runner.gates.shown import with_gates
    from pipegen.runner.gathered import gathered, records_here

    build, wanted = build_of(folder), wanted_metrics(pipeline)
    here = {record.stage for record in records_here(folder, build)}
    unknown = [address for address in graph.order if address not in here]
    elsewhere = records_elsewhere(pipeline, folder, build, unknown, notify) if notify else []

    def run() -> RunView:
        found = gathered(folder, str(pipeline.name), graph, build, elsewhere=elsewhere, wanted=wanted)
        return with_gates(found, folder, graph, build)

    return Source(run, _logs(folder, run))


def of_file(path: Path) -> Source:
    """What `pipegen view --json` or `pipegen status --json` printed."""

    def run() -> RunView:
        try:
            return RunView.from_data(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise os_error(error, "read", path) from None
        except ValueError as error:
            raise FileError(f"can't read {path}: {error}") from None

    return Source(run)


def wanted_metrics(pipeline: Pipeline) -> tuple[str, ...]:
    """The metrics that gates look at: those that matter."""
    return tuple(str(gate.metric) for gate in pipeline.gates.values() if gate.metric)


def _logs(folder: Path, run: Callable[[], RunView]) -> Callable[[str], str | None]:
    """Logs that pictures link to, as long as they lie where logs lie."""
    allowed = (folder / ".pipegen" / "logs").resolve()

    def log(name: str) -> str | None:
        for stage in run().stages:
            for link in stage.links:
                path = (folder / link.url).resolve()
                if stage.name == name and link.label == "log" and path.parent == allowed:
                    return _end_of(path)
        return None

    return log


def _end_of(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MOST_OF_LOG))
            return file.read().decode(errors="replace")
    except OSError:
        return None
