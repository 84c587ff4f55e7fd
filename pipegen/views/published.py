"""Pages as files: those that people ask for, and those that jobs of a CI server leave among their artifacts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from urllib.parse import quote

from pipegen.dvc.errors import RemoteError
from pipegen.errors import PipegenError, os_error
from pipegen.plan import files
from pipegen.plan.graph import Graph
from pipegen.plan.names import to_name
from pipegen.records import Link, RunView, StageRecord
from pipegen.runner.agent.commands import Stopped
from pipegen.runner.agent.console import Console
from pipegen.runner.agent.task import AgentTask

_SHORT = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{stage}: {outcome}</title>
<main style="font-family: system-ui, sans-serif; margin: 1.5rem">
<h1 style="font-size: 1.2rem">{stage}: {outcome}</h1>
<p>It took {seconds:.1f} s on {agent}. <a href="../logs/{name}.log">Log of {stage}</a></p>
<p>The page of the whole run is with the run's last job, or with a job that failed.</p>
</main>
</html>
"""


def write_page(run: RunView, file: Path, folder: Path) -> None:
    """Write the page of a run.

    Args:
        run: the run.
        file: where it goes; what it links to keeps its way from there.
        folder: what the run's own links are relative to.

    Raises:
        FileError: it can't be written.
    """
    from pipegen.views.html import page

    here, folder = file.resolve().parent, folder.resolve()

    def seen(links: Iterable[Link]) -> tuple[Link, ...]:
        return tuple(replace(link, url=_way(link.url, folder, here)) for link in links)

    stages = tuple(replace(stage, links=seen(stage.links)) for stage in run.stages)
    _write(page(replace(run, stages=stages, links=seen(run.links))), file)


def _way(url: str, folder: Path, here: Path) -> str:
    """Where a link leads from a page, by the shortest way: that one still leads there where GoCD calls the folder
    around both by another name."""
    is_path = url and "://" not in url and not url.startswith("/")
    return os.path.relpath(folder / url, here) if is_path else url


def _write(text: str, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise os_error(error, "write", file) from None


def leave_page(
    task: AgentTask, ended: StageRecord | BaseException, env: Mapping[str, str], console: Console
) -> None:
    """Leave a page for the people who look at a stage's job on its server; nothing fails without it.

    The whole run is on it where people look: if the stage failed, and where it is the last one. Elsewhere this costs
    nothing worth naming: on GoCD, which shows a tab in any case, the page tells of the stage alone.

    Args:
        task: the stage.
        ended: what became of it, or what it failed of.
        env: the variables that Jenkins and GoCD set.
        console: told why there is none.
    """
    if not env.get("PIPEGEN_PLAN"):
        return  # started by hand
    try:
        if isinstance(ended, BaseException):
            # a stop leaves little time, and a remote that was away need not be waited for again
            _whole(task, None if isinstance(ended, (Stopped, RemoteError)) else console.notice)
        elif task.lock:
            _whole(task, console.notice)
        elif env.get("GO_PIPELINE_NAME"):
            _write(_short(task, ended), _place(task))
    except PipegenError as error:
        console.notice(f"there is no page of the run: {error.message}")


def _whole(task: AgentTask, notify: Callable[[str], None] | None) -> None:
    from pipegen.views.sources import of_records

    source = of_records(task.folder, task.pipeline, _graph(task), notify)
    write_page(source.run(), _place(task), task.folder)


def _short(task: AgentTask, record: StageRecord) -> str:
    return _SHORT.format(
        stage=escape(task.address),
        outcome=record.outcome,
        seconds=record.seconds,
        agent=escape(record.agent),
        name=quote(task.name),
    )


def _place(task: AgentTask) -> Path:
    """The page of the job, which other stages of the job have too."""
    jobs = task.plan.jobs if task.plan else ()
    found = next((job.page for job in jobs if task.address in job.stages), None)
    return task.folder / (found or files.page(to_name(task.address)))


def _graph(task: AgentTask) -> Graph:
    """The stages of the build."""
    if task.plan is None:
        return task.graph
    return task.graph.subgraph({stage for job in task.plan.jobs for stage in job.stages})
