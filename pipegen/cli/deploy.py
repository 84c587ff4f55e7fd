"""`pipegen deploy`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipegen.cli.at_server import deployed, project_option
from pipegen.cli.options import json_option
from pipegen.cli.output import coloured_diff, print_json, styled
from pipegen.errors import EditedOnServer, PipegenError, ServerError
from pipegen.views.plain import count

if TYPE_CHECKING:
    from pipegen.deployed import Deployed
    from pipegen.servers import Server
    from pipegen.servers.model import Change, Finding

SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red"), "refused": ("!", "red")}
DONE = {"create": "created", "update": "updated", "delete": "deleted", "refused": "overwritten"}


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


def greet(server: Server, *, quiet: bool) -> None:
    """Connect: the version, and who we are there."""
    about = server.about()
    if not quiet:
        click.echo(f"{server.title} {about.version} at {server.connection.url}, as {about.user}")
    if about.closed:
        click.echo(f"{styled('warning:', 'yellow', err=True)} {server.title}: {about.closed}", err=True)


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


def show_change(change: Change) -> None:
    """One change: its sign, what it is, and the difference."""
    sign, colour = SIGNS[change.kind]
    reason = f": {change.reason}" if change.reason else ""
    click.echo(f"{styled(sign, colour, bold=True)} {change.what} {change.name}{reason}")
    body = [
        line
        for line in change.difference.splitlines(keepends=True)
        if not line.startswith(("--- ", "+++ ", "@@"))
    ]
    click.echo(coloured_diff("".join(f"    {line}" for line in body)), nl=False)


def print_findings(findings: Sequence[Finding]) -> None:
    """What stands against it, each with what to do."""
    for finding in findings:
        word, colour = ("missing:", "red") if finding.serious else ("warning:", "yellow")
        click.echo(f"{styled(word, colour, err=True)} {finding.message}", err=True)
        if finding.hint:
            click.echo(f"    {finding.hint}", err=True)


def refuse(pending: Sequence[Change], findings: Sequence[Finding], *, force: bool) -> None:
    """Raise an error if something must not be touched, or no run could succeed."""
    if force:
        return
    taken = [change for change in pending if change.kind == "refused"]
    if taken:
        names = ", ".join(change.name for change in taken)
        raise EditedOnServer(
            f"nothing was changed, since not all is ours to change: {names}\n"
            "take the edits over into the description, or overwrite them with --force"
        )
    serious = [finding for finding in findings if finding.serious]
    if serious:
        things = "1 thing is" if len(serious) == 1 else f"{len(serious)} things are"
        raise ServerError(
            f"nothing was changed, since no run could succeed: {things} missing (see above); "
            "--force deploys all the same"
        )


def ask(question: str) -> None:
    """Ask, or raise an error where nobody is there to answer."""
    if not sys.stdin.isatty():
        raise PipegenError(f"{question} Say --yes to apply without being asked, or --dry-run to see only")
    click.confirm(question, abort=True)


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


def as_data(change: Change) -> dict[str, Any]:
    """A change for `--json`."""
    return {
        "kind": change.kind,
        "what": change.what,
        "name": change.name,
        "difference": change.difference,
        "reason": change.reason,
    }


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
