"""`pipegen trigger`."""

from __future__ import annotations

from pathlib import Path

import click

from pipegen.cli.at_server import (
    branch_option,
    deployed,
    name_of,
    project_option,
    say,
    server_option,
    show,
    workflow_argument,
)
from pipegen.cli.options import json_option
from pipegen.cli.output import print_json

NUMBERED_IN = 5.0
"""Seconds to wait for the run's number; one that is still queued then is said to be."""


def _pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{value!r} is not NAME=VALUE")
        if name in found:
            raise click.BadParameter(f"{name} is given twice")
        found[name] = text
    return found


@click.command()
@workflow_argument
@click.option(
    "-i",
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_pairs,
    help="A value for one of the workflow's inputs. May be repeated.",
)
@branch_option
@click.option("-f", "--follow", is_flag=True, help="Show the run until it is over, and exit as it did.")
@server_option
@project_option()
@json_option
@click.pass_context
def trigger(
    ctx: click.Context,
    workflow: str | None,
    inputs: dict[str, str],
    branch: str | None,
    follow: bool,
    server: str | None,
    directory: Path,
    as_json: bool,
) -> None:
    """Start a workflow on the CI server.

    WORKFLOW may be left out where there is only one. With --follow the exit code is the run's: 0 if it passed,
    1 if not. Ctrl-C stops following, never the run.
    """
    there = deployed(directory, server)
    ref = there.trigger(there.place(workflow, branch), inputs)
    if follow:
        say(f"started {name_of(there, ref)} on {there.server.title}")
        ctx.exit(show(there.follow(ref), as_json=as_json))
    from pipegen.servers.following import numbered

    run = numbered(there.server, ref, most=NUMBERED_IN)
    if as_json:
        print_json(
            {
                "workflow": run.ref.place.workflow,
                "branch": run.ref.place.branch,
                "number": run.ref.number,
                "state": run.state,
                "url": run.url,
            }
        )
        return
    waits = f", queued: {run.reason}" if run.ref.number is None and run.reason else ""
    click.echo(f"started {name_of(there, run.ref)} on {there.server.title}{waits}")
    if run.url:
        click.echo(run.url)
