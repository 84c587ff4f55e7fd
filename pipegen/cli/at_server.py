"""What the commands that talk to a CI server share: their options, and how they reach the server and the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipegen.cli.options import directory_option
from pipegen.cli.output import styled
from pipegen.errors import PipegenError

if TYPE_CHECKING:
    from pipegen.deployed import Deployed
    from pipegen.records import RunView
    from pipegen.servers.following import Follower
    from pipegen.servers.model import RunRef

server_option = click.option(
    "-s",
    "--server",
    metavar="NAME",
    help="jenkins, gocd or another. [default: the only one that is configured]",
)
branch_option = click.option(
    "-b", "--branch", metavar="NAME", help="For workflows on push: the branch. [default: the first one]"
)
run_option = click.option(
    "-r",
    "--run",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="The run's number. [default: the last]",
)
workflow_argument = click.argument("workflow", required=False)


def project_option() -> Callable[[Any], Any]:
    """`-C DIR`: where the description is."""
    return directory_option("The folder of the description.")


def deployed(directory: Path, server: str | None) -> Deployed:
    """The project in a folder on the server that is meant; what takes longer is said on standard error."""
    from pipegen.deployed import Deployed
    from pipegen.project import Project

    return Deployed.of(Project.open(directory), server, say)


def say(sentence: str) -> None:
    """Tell whoever waits why."""
    click.echo(styled(sentence, "bright_black", err=True), err=True)


def find_run(there: Deployed, workflow: str | None, branch: str | None, number: int | None) -> RunRef:
    """The run that is meant: by number, or the last one."""
    return there.server.latest(there.place(workflow, branch), number)


def name_of(there: Deployed, ref: RunRef) -> str:
    """How messages call a run: `nightly #12`."""
    number = f" #{ref.number}" if ref.number is not None else ""
    branch = f" on {ref.place.branch}" if ref.place.branch else ""
    return f"{ref.place.workflow}{number}{branch}"


def show(follower: Follower, *, as_json: bool) -> int:
    """Show a run until it is over; the exit code is the run's: 0 if it passed, else 1.

    Ctrl-C ends the showing, never the run.
    """
    try:
        last = _show(follower, as_json=as_json)
    except KeyboardInterrupt:
        again = "pipegen watch" + (f" {follower.ref.place.workflow}" if follower.ref else "")
        say(f"no longer watching; the run goes on: `{again}` shows it again, `pipegen cancel` stops it")
        return 130
    return 0 if last.state == "passed" else 1


def _show(follower: Follower, *, as_json: bool) -> RunView:
    if as_json:
        import json

        for view in follower.pictures():
            click.echo(json.dumps(view.as_data(), ensure_ascii=False))
        return view
    from pipegen.cli.watching import watch

    return watch(follower)


def refuse_over(there: Deployed, ref: RunRef, what: str) -> None:
    """Raise an error if a run is over and so can't be `what` any more."""
    run = there.server.run(ref)
    if run.over:
        raise PipegenError(f"{name_of(there, run.ref)} is over ({run.state}): there is nothing to {what}")
