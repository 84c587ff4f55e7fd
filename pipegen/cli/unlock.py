"""`pipegen unlock`."""

from __future__ import annotations

from pathlib import Path

import click

from pipegen.cli.at_server import deployed, project_option, server_option, workflow_argument


@click.command()
@workflow_argument
@server_option
@project_option()
def unlock(workflow: str | None, server: str | None, directory: Path) -> None:
    """Free a pipeline on GoCD that a run left locked.

    A pipeline that deploys is locked while it runs, and stays so where its run failed, until a person has looked.
    """
    there = deployed(directory, server)
    place = there.place(workflow)
    there.server.unlock(place)
    click.echo(f"unlocked {place.workflow} on {there.server.title}")
