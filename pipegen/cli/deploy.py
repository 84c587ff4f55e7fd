"""`pipegen deploy`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.at_server import deployed, project_option
from pipegen.cli.deploy_words import DONE, as_data, ask, greet, print_findings, refuse, show_change
from pipegen.cli.options import json_option
from pipegen.cli.output import print_json, styled
from pipegen.errors import ServerError
from pipegen.views.plain import count

if TYPE_CHECKING:
    from pipegen.deployed import Deployed
    from pipegen.servers import Server
    from pipegen.servers.model import Change


@click.command()
@click.argument("server", required=False)
@click.option("-y", "--yes", is_flag=True, help="Apply without asking.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--prune", is_flag=True, help="Delete what this description made there and no longer has.")
@click.option(
    "-f",
    "--force",
    is_flag=True,
    help="Overwrite what somebody else made or changed there, and deploy whatever is missing.",
)
@click.option(
    "--all",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Deploy every pipegen.yaml below FOLDER, several at a time; one that fails doesn't stop the others.",
)
@project_option()
@json_option
@click.pass_context
def deploy(
    ctx: click.Context,
    server: str | None,
    yes: bool,
    dry_run: bool,
    prune: bool,
    force: bool,
    folder: Path | None,
    directory: Path,
    as_json: bool,
) -> None:
    """Bring the CI server to what the description says.

    SERVER is jenkins, gocd or another that is installed; it may be left out where only one is configured. Shows the
    difference first and asks; changes only what pipegen made for this description; a second time changes nothing.

    A server is configured by PIPEGEN_JENKINS_URL, PIPEGEN_JENKINS_USER and PIPEGEN_JENKINS_TOKEN (PIPEGEN_GOCD_URL,
    PIPEGEN_GOCD_TOKEN, or _USER and _PASSWORD), by `url` and `user` under [servers.jenkins] in pipegen.toml, and
    tokens by netrc or keyring too; never in a file here.
    """
    if folder is not None:
        from pipegen.cli.deploy_all import deploy_all

        ctx.exit(
            deploy_all(folder, server, yes=yes, dry_run=dry_run, prune=prune, force=force, as_json=as_json)
        )
    there = deployed(directory, server)
    deployment = there.deployment  # what is wrong with the description is said before the server is asked
    greet(there.server, quiet=as_json)
    warn_of_files(there)
    changes = there.server.compare(deployment, prune=prune)
    pending = [change for change in changes if change.kind != "unchanged"]
    findings = there.server.check(deployment)
    if not as_json:
        for change in pending:
            show_change(change)
        print_findings(findings)
    refuse(pending, findings, force=force)
    if not pending or dry_run:
        _finish(changes, pending, dry_run=dry_run, as_json=as_json)
        return
    if not yes:
        ask(f"Apply {count(len(pending), 'change')} to {there.server.title}?")
    apply(there.server, pending, force=force, quiet=as_json)
    _finish(changes, pending, dry_run=False, as_json=as_json)


def warn_of_files(there: Deployed) -> None:
    """Say where the generated files here are not what the description says: the server reads them from git."""
    stale = [
        change.shown
        for change in there.project.generate([there.server.name]).changes
        if change.state in ("new", "changed")
    ]
    if stale:
        names = ", ".join(stale[:3]) + (f" and {len(stale) - 3} more" if len(stale) > 3 else "")
        click.echo(
            f"{styled('warning:', 'yellow', err=True)} {names}: not what the description says; "
            "run `pipegen generate`, commit and push",
            err=True,
        )


def apply(server: Server, pending: Sequence[Change], *, force: bool, quiet: bool) -> None:
    """Make the changes in order; what was and what was not made is said where one fails."""
    for index, change in enumerate(pending):
        try:
            server.apply(change, force=force)
        except ServerError as error:
            if len(pending) == 1:
                raise
            left = ", ".join(each.name for each in pending[index:])
            message = (
                f"{error.message}\n{index} of {count(len(pending), 'change')} made; not made: {left}; "
                "run it again to go on"
            )
            raise type(error)(message) from None
        if not quiet:
            click.echo(f"{DONE[change.kind]} {change.what} {change.name}")


def _finish(changes: Sequence[Change], pending: Sequence[Change], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {"applied": bool(pending) and not dry_run, "changes": [as_data(change) for change in changes]}
        )
    elif not pending:
        click.echo(f"nothing to do: {summary(changes)}")
    elif dry_run:
        click.echo(f"dry run, nothing was changed: {summary(changes)}")


def summary(changes: Sequence[Change]) -> str:
    """How many of each kind."""
    words = {"create": "to create", "update": "to update", "delete": "to delete", "refused": "not ours"}
    found = []
    for kind in ("create", "update", "delete", "refused", "unchanged"):
        number = sum(change.kind == kind for change in changes)
        if number:
            found.append(f"{number} {words.get(kind, kind)}")
    return ", ".join(found) or "the description has nothing for this server"
