"""`pipegen view`: a run as a page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.at_server import branch_option, run_option, server_option, workflow_argument
from pipegen.cli.options import directory_option, json_option
from pipegen.cli.output import colour_wanted, print_json

if TYPE_CHECKING:
    from pipegen.plan.graph import Graph
    from pipegen.project import Project
    from pipegen.records import RunView
    from pipegen.views.sources import Source


_ASK_SERVER = 3.0
"""Seconds between two looks at a run on a server."""


@click.command()
@workflow_argument
@run_option
@branch_option
@server_option
@click.option(
    "--html",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the page to FILE and end, instead of serving it.",
)
@click.option("--text", "as_text", is_flag=True, help="Print the stages and end.")
@click.option(
    "--records",
    is_flag=True,
    help="Show what agents left in .pipegen/records. [default in a server's job]",
)
@click.option(
    "--from",
    "given",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Show what an earlier --json printed.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Where to serve it. [default: any that is free]"
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
@json_option
@directory_option("The folder of the pipeline.")
def view(
    workflow: str | None,
    number: int | None,
    branch: str | None,
    server: str | None,
    file: Path | None,
    as_text: bool,
    records: bool,
    given: Path | None,
    port: int,
    opens: bool,
    as_json: bool,
    directory: Path,
) -> None:
    """Show a run as a page: its stages as a graph, with state, time, agent, tests and metrics.

    Of the last `pipegen run` here; with WORKFLOW or --server of a run on a CI server. The page is served on this
    machine alone and follows the run; Ctrl-C ends that, never the run. With --html it is one file that needs no
    network: generated jobs publish it. It only shows, it changes nothing.
    """
    if workflow or server:
        source = _at_server(directory, server, workflow, branch, number)
    else:
        source = _source(directory, given, records=records or bool(os.environ.get("PIPEGEN_PLAN")))
    if as_json:
        print_json(source.run().as_data())
    elif as_text:
        _print(source.run())
    elif file:
        _write(source, file, directory)
    else:
        _serve(source, port, opens)


def _source(directory: Path, given: Path | None, *, records: bool) -> Source:
    from pipegen.description.load import FILE_NAME
    from pipegen.description.starting import name_for
    from pipegen.project import Project
    from pipegen.views.sources import of_file, of_records, of_run, wanted_metrics

    if given:
        return of_file(given)
    if not records and not (directory / FILE_NAME).exists():
        return of_run(directory.resolve(), name_for(directory.resolve()))
    project = Project.open(directory)
    name, wanted = str(project.pipeline.name), wanted_metrics(project.pipeline)
    if records:
        return of_records(project.folder.resolve(), project.pipeline, _stages_of_build(project), _notice)
    return of_run(project.folder.resolve(), name, wanted)


def _at_server(
    directory: Path, server: str | None, workflow: str | None, branch: str | None, number: int | None
) -> Source:
    from pipegen.cli.at_server import deployed, find_run
    from pipegen.views.sources import Source

    there = deployed(directory, server)
    return Source(there.follow(find_run(there, workflow, branch, number)).look, pause=_ASK_SERVER)


def _notice(message: str) -> None:
    click.echo(f"notice: {message}", err=True)


def _stages_of_build(project: Project) -> Graph:
    """The stages of the workflows that this job is for; all of them outside of a job."""
    names = os.environ.get("PIPEGEN_WORKFLOWS", "").split(",")
    plans = [project.plan(name) for name in names if name in project.pipeline.workflows]
    wanted = {stage for plan in plans for job in plan.jobs for stage in job.stages}
    return project.graph.subgraph(wanted) if plans else project.graph


def _print(run: RunView) -> None:
    import shutil
    import sys

    from pipegen.views.stage_table import text

    columns = shutil.get_terminal_size((100, 24)).columns
    ascii_only = "utf" not in (sys.stdout.encoding or "").lower()
    click.echo(text(run, columns=columns, colour=colour_wanted(), ascii_only=ascii_only), nl=False)


def _write(source: Source, file: Path, directory: Path) -> None:
    from pipegen.views.published import write_page

    write_page(source.run(), file, directory)
    click.echo(f"wrote {file}")


def _serve(source: Source, port: int, opens: bool) -> None:
    from pipegen.views.serving import serve

    def ready(address: str) -> None:
        click.echo(f"{address}  (Ctrl-C ends it)")
        if opens:
            import webbrowser

            webbrowser.open(address)

    serve(source, port, ready)
