"""What `pipegen deploy` says and asks, of one description or of hundreds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from pipegen.cli.output import coloured_diff, styled
from pipegen.errors import EditedOnServer, PipegenError, ServerError

if TYPE_CHECKING:
    from pipegen.servers import Server
    from pipegen.servers.model import Change, Finding

SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red"), "refused": ("!", "red")}
DONE = {"create": "created", "update": "updated", "delete": "deleted", "refused": "overwritten"}


def greet(server: Server, *, quiet: bool) -> None:
    """Connect: the version, and who we are there."""
    about = server.about()
    if not quiet:
        click.echo(f"{server.title} {about.version} at {server.connection.url}, as {about.user}")
    if about.closed:
        click.echo(f"{styled('warning:', 'yellow', err=True)} {server.title}: {about.closed}", err=True)


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


def as_data(change: Change) -> dict[str, Any]:
    """A change for `--json`."""
    return {
        "kind": change.kind,
        "what": change.what,
        "name": change.name,
        "difference": change.difference,
        "reason": change.reason,
    }
