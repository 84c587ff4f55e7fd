"""`pipegen logs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
)
from pipegen.errors import NotOnServer

if TYPE_CHECKING:
    from pipegen.deployed import Deployed
    from pipegen.servers.model import RunRef


@click.command()
@click.argument("stage", required=False)
@click.option(
    "-w", "--workflow", metavar="NAME", help="Which workflow's run. [default: the newest run of all]"
)
@click.option(
    "-f", "--follow", is_flag=True, help="Go on until the log is complete, and exit as the run did."
)
@run_option
@branch_option
@server_option
@project_option()
@click.pass_context
def logs(
    ctx: click.Context,
    stage: str | None,
    workflow: str | None,
    follow: bool,
    number: int | None,
    branch: str | None,
    server: str | None,
    directory: Path,
) -> None:
    """Print the log of a run on the CI server, or of one STAGE of it.

    With --follow the exit code is the run's: 0 if it passed, 1 if not. Ctrl-C stops printing, never the run.
    """
    from pipegen.servers.following import log, numbered

    there = deployed(directory, server)
    ref = (
        find_run(there, workflow, branch, number)
        if workflow or branch or number or len(there.workflows) < 2
        else _newest(there)
    )
    run = numbered(there.server, ref)
    try:
        for name in there.log_names(run, stage):
            for piece in log(there.server, run.ref, name, follow=follow):
                click.echo(piece, nl=False)
    except KeyboardInterrupt:
        say("no longer printing; the run goes on")
        ctx.exit(130)
    if follow:
        ctx.exit(0 if there.server.run(run.ref).ok else 1)


def _newest(there: Deployed) -> RunRef:
    """The run that began last, of all workflows."""
    runs = [run for _, run in there.last_runs() if run is not None]
    if not runs:
        raise NotOnServer(
            f"nothing of {there.project.pipeline.name} has run on {there.server.title} yet; `pipegen trigger` starts it"
        )
    newest = max(runs, key=lambda run: run.started or float("inf"))
    say(f"the log of {name_of(there, newest.ref)}")
    return newest.ref
