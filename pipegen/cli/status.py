"""`pipegen status`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.at_server import (
    branch_option,
    deployed,
    find_run,
    project_option,
    run_option,
    server_option,
    workflow_argument,
)
from pipegen.cli.options import json_option
from pipegen.cli.output import colour_wanted, print_json
from pipegen.cli.runs_table import as_data, print_runs

if TYPE_CHECKING:
    from pipegen.deployed import Deployed


@click.command()
@workflow_argument
@run_option
@branch_option
@server_option
@project_option()
@json_option
def status(
    workflow: str | None,
    number: int | None,
    branch: str | None,
    server: str | None,
    directory: Path,
    as_json: bool,
) -> None:
    """Show how runs on the CI server stand.

    Of WORKFLOW the stages of its last run, or of the one that --run names; without WORKFLOW one line for the last
    run of each. The exit code is 0 whatever became of the run: `pipegen watch` exits as it did.
    """
    there = deployed(directory, server)
    if workflow is None and len(there.workflows) > 1:
        _every_workflow(there, as_json=as_json)
        return
    view = there.follow(find_run(there, workflow, branch, number)).look()
    if as_json:
        print_json(view.as_data())
        return
    from pipegen.views.stage_table import text

    columns = shutil.get_terminal_size((100, 24)).columns
    click.echo(text(view, columns=columns, colour=colour_wanted()), nl=False)


def _every_workflow(there: Deployed, *, as_json: bool) -> None:
    found = there.last_runs()
    if as_json:
        print_json([{"workflow": name, "run": as_data(run) if run else None} for name, run in found])
        return
    print_runs([(name, run) for name, run in found])
