"""`pipegen resume`."""

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
    say,
    server_option,
    show,
    workflow_argument,
)


@click.command()
@workflow_argument
@click.option("-f", "--follow", is_flag=True, help="Show the run until it is over, and exit as it did.")
@run_option
@branch_option
@server_option
@project_option()
@click.option("--json", "as_json", is_flag=True, help="With --follow: one JSON picture per line.")
@click.pass_context
def resume(
    ctx: click.Context,
    workflow: str | None,
    follow: bool,
    number: int | None,
    branch: str | None,
    server: str | None,
    directory: Path,
    as_json: bool,
) -> None:
    """Take up a run on the CI server that ended badly.

    From the stage or job that failed, where the server can; else as a new run of the same revision, in which stages
    that are done come from DVC's run cache.
    """
    there = deployed(directory, server)
    run = there.server.run(find_run(there, workflow, branch, number))
    ref = there.server.resume(run)
    how = "again" if ref.number == run.ref.number else f"as {name_of(there, ref)}"
    if follow:
        say(f"resumed {name_of(there, run.ref)} {how}")
        ctx.exit(show(there.follow(ref), as_json=as_json))
    click.echo(f"resumed {name_of(there, run.ref)} {how}")
