"""`pipegen cancel`."""

from __future__ import annotations

from pathlib import Path

import click

from pipegen.cli.at_server import (
    branch_option,
    deployed,
    find_run,
    name_of,
    project_option,
    run_option,
    server_option,
    workflow_argument,
)


@click.command()
@workflow_argument
@run_option
@branch_option
@server_option
@project_option()
def cancel(
    workflow: str | None, number: int | None, branch: str | None, server: str | None, directory: Path
) -> None:
    """Stop a run on the CI server, or take it out of the queue.

    The last run of WORKFLOW, or the one that --run names. What its stages pushed stays: a later run takes it over.
    """
    there = deployed(directory, server)
    run = there.server.run(find_run(there, workflow, branch, number))
    name = name_of(there, run.ref)
    if run.over:
        click.echo(f"{name} is over already: it {run.state if run.state == 'passed' else 'is ' + run.state}")
        return
    there.server.cancel(run.ref)
    click.echo(f"cancelled {name}; agents may take some seconds to notice")
