"""`pipegen report`: what a run says to people: as a page, as text, by mail and on the pull request."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.options import directory_option
from pipegen.errors import PipegenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipegen.description.model import Workflow
    from pipegen.project import Project
    from pipegen.records.report import Report
    from pipegen.runner.report.task import ReportTask


@click.command()
@click.option(
    "-w",
    "--workflow",
    default="",
    metavar="NAME",
    help="The workflow whose run it is of. [default: what is here, of no workflow]",
)
@click.option(
    "--fragments",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Take the results from lock fragments, as on an agent. [default: .pipegen/fragments in a server's job; "
    "elsewhere the files that are here]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to write index.html and report.txt. [default: .pipegen/report]",
)
@click.option(
    "--send/--no-send",
    default=None,
    help="Mail it, and comment on the pull request, as the workflow says. [default: only in a server's job]",
)
@directory_option("The folder of the description.")
def report(
    workflow: str, fragments: Path | None, out: Path | None, send: bool | None, directory: Path
) -> None:
    """Write the report of a run: a page and a text for whoever has to decide.

    It says what changed since the last report, the metrics against production and over time, gates, groups, tests,
    durations, plots and the next step. What is missing is said, and is no error. Exit codes: 0 it is written, and sent
    where it had to be; 3 the description is wrong; 4 a file can't be written; 7 it is written, but could not be sent to
    everybody.
    """
    from pipegen.plan import files
    from pipegen.project import Project
    from pipegen.runner.report.making import make_report
    from pipegen.views.plain import plain
    from pipegen.views.report import look
    from pipegen.views.report.delivery import is_to_be_sent
    from pipegen.views.report.write import PAGE, write

    def notify(message: str) -> None:
        click.echo(message, err=True)

    project = Project.open(directory)
    task = _task(project, workflow, fragments)
    made = make_report(task, notify)
    folder = out if out is not None else project.folder / files.REPORT
    write(made, folder)
    click.echo(plain(look.subject(made)))
    click.echo(plain(made.next_step))
    click.echo(f"written: {folder / PAGE}")
    if send or (send is None and task.gates.in_job):
        _send(made, task, notify)
    elif is_to_be_sent(task):
        click.echo("not sent: `--send` does so outside of a server's job")


def _send(made: Report, task: ReportTask, notify: Callable[[str], None]) -> None:
    from pipegen.errors import ServerError
    from pipegen.views.plain import plain
    from pipegen.views.report.delivery import deliver

    delivered = deliver(made, task, notify)
    for sentence in delivered.done:
        click.echo(plain(sentence))
    if delivered.failed:
        said = "; ".join(map(plain, delivered.failed))
        raise ServerError(f"{said}. The report is written: run the job again, or `pipegen report --send`")


def _task(project: Project, workflow: str, fragments: Path | None) -> ReportTask:
    from datetime import datetime, timezone

    from pipegen.plan import files
    from pipegen.runner.gates.task import GateTask, chosen
    from pipegen.runner.report.task import ReportTask

    folder = project.folder.resolve()
    in_job = bool(os.environ.get("PIPEGEN_PLAN"))
    if in_job and fragments is None:
        fragments = (folder / files.VALUES).parent
    gates = GateTask(
        pipeline=project.pipeline,
        stages=project.stages,
        folder=folder,
        place=project.place,
        names=chosen(project.pipeline, (), workflow),
        workflow=workflow,
        fragments=fragments.resolve() if fragments else None,
        in_job=in_job,
        today=datetime.now(timezone.utc).date(),
    )
    stale = tuple(_stale(project)) if gates.described and _is_scheduled(gates.described) else ()
    return ReportTask(gates=gates, graph=project.graph, env=os.environ, stale=stale)


def _is_scheduled(workflow: Workflow) -> bool:
    from pipegen.description.model import On

    return isinstance(workflow.on, On) and workflow.on.schedule is not None


def _stale(project: Project) -> Iterator[str]:
    """What is out of date, for who reads the report of a scheduled run; it never stands in the report's way."""
    from pipegen.cli.doctor import findings

    try:
        for finding in findings(project):
            if finding.state == "stale":
                yield finding.sentence
    except PipegenError as error:
        yield f"Not all could be looked at: {error.message}"
