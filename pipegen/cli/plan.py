"""`pipegen plan`: what would happen on each server, before anything is deployed."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from pipegen.cli.options import description_argument, json_option
from pipegen.cli.output import colour_wanted, print_json, print_warnings


@click.command()
@description_argument
@click.option("-w", "--workflow", metavar="NAME", help="Only this workflow.")
@click.option("--layout", metavar="NAME", help="As if each server that knows this layout had it.")
@json_option
def plan(path: Path, workflow: str | None, layout: str | None, as_json: bool) -> None:
    """Show which stage becomes which CI job, the critical path and what each layout costs.

    Durations are those of earlier runs on this machine. They change nothing that is generated.
    """
    from pipegen.project import Project
    from pipegen.runner.history import History
    from pipegen.targets import Request
    from pipegen.views.overview import overview
    from pipegen.views.page import page

    project = Project.open(path)
    project.validate()
    recorded = History(project.folder).expected()
    request = Request(project.pipeline, project.stages, project.place)
    found = overview(request, recorded, workflow=workflow, layout=layout)
    if as_json:
        print_json(found.as_data())
        return
    columns = min(shutil.get_terminal_size().columns, 120)
    click.echo(page(found, columns=columns, colour=colour_wanted()), nl=False)
    print_warnings(found.warnings)
