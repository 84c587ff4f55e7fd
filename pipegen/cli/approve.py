"""`pipegen approve`."""

from __future__ import annotations

import sys
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
from pipegen.errors import PipegenError


@click.command()
@workflow_argument
@click.option("--reject", is_flag=True, help="Say no: the run ends.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@run_option
@branch_option
@server_option
@project_option()
def approve(
    workflow: str | None,
    reject: bool,
    yes: bool,
    number: int | None,
    branch: str | None,
    server: str | None,
    directory: Path,
) -> None:
    """Answer what a run on the CI server waits for: let it go on, or with --reject end it.

    It is the server that decides who may. What is approved is shown first, and asked for unless --yes is given.
    """
    there = deployed(directory, server)
    run = there.server.run(find_run(there, workflow, branch, number))
    name = name_of(there, run.ref)
    if not run.questions:
        raise PipegenError(f"{name} waits for no approval: it is {run.state}")
    for question in run.questions:
        what = question.message or question.part
        if not yes:
            _ask(f"{'Reject' if reject else 'Approve'} {name}: {what.rstrip('?')}?")
        there.server.approve(run.ref, question, accept=not reject)
        click.echo(f"{'rejected' if reject else 'approved'} {name}: {what}")


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise PipegenError(f"{question} Say --yes to answer without being asked")
    click.confirm(question, abort=True)
