"""`pipegen watch`."""

from __future__ import annotations

from pathlib import Path

import click

from pipegen.cli.at_server import (
    branch_option,
    deployed,
    find_run,
    project_option,
    run_option,
    server_option,
    show,
    workflow_argument,
)


@click.command()
@workflow_argument
@run_option
@branch_option
@server_option
@project_option()
@click.option("--json", "as_json", is_flag=True, help="One JSON picture per line, whenever it changes.")
@click.pass_context
def watch(
    ctx: click.Context,
    workflow: str | None,
    number: int | None,
    branch: str | None,
    server: str | None,
    directory: Path,
    as_json: bool,
) -> None:
    """Show a run on the CI server until it is over, and exit as it did.

    The last run of WORKFLOW, or the one that --run names. A connection that breaks is taken up again. Ctrl-C stops
    watching, never the run.
    """
    there = deployed(directory, server)
    ctx.exit(show(there.follow(find_run(there, workflow, branch, number)), as_json=as_json))
