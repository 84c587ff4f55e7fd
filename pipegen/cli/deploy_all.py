"""`pipegen deploy --all`: every description below a folder, several at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.at_server import say
from pipegen.cli.deploy_words import DONE, SIGNS, as_data, ask, greet, print_findings, refuse
from pipegen.cli.output import print_json, styled
from pipegen.cli.side_by_side import side_by_side
from pipegen.errors import FileError, PipegenError
from pipegen.views.plain import count

if TYPE_CHECKING:
    from pipegen.plan.deployment import Deployment
    from pipegen.servers import Server
    from pipegen.servers.model import Change, Finding


@dataclass
class One:
    """One description, and how far it came."""

    path: Path
    changes: Sequence[Change] = ()
    findings: Sequence[Finding] = ()
    made: list[Change] = field(default_factory=list)
    error: str = ""

    @property
    def pending(self) -> list[Change]:
        """What is to be done."""
        return [change for change in self.changes if change.kind != "unchanged"]


def deploy_all(
    folder: Path,
    name: str | None,
    *,
    yes: bool,
    dry_run: bool,
    prune: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Deploy every description below a folder; 7 if one failed, whatever became of the others."""
    from pipegen.project import find_descriptions

    paths = find_descriptions(folder)
    if not paths:
        raise FileError(f"there is no pipegen.yaml below {folder}")
    server = _server(folder, name)
    greet(server, quiet=as_json)
    work = _Work(server, prune=prune, force=force)
    at_once = server.connection.at_once
    compared = side_by_side(work.compared, paths, at_once=at_once)
    ones = _without_repeats([one for one in compared if one.error or one.changes])
    _show(ones, quiet=as_json)
    pending = [one for one in ones if one.pending and not one.error]
    if pending and not dry_run:
        if not yes:
            number = sum(len(one.pending) for one in pending)
            ask(f"Apply {count(number, 'change')} of {count(len(pending), 'description')} to {server.title}?")
        work.shared(pending)
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(work.applied, pending))
    return _finish(ones, dry_run=dry_run, as_json=as_json)


def _server(folder: Path, name: str | None) -> Server:
    """The server for all: what is configured at the folder counts, not beside each description."""
    from pipegen.deployed import connect
    from pipegen.servers import server_names
    from pipegen.servers.settings import choose, settings

    root = next((f for f in (folder.resolve(), *folder.resolve().parents) if (f / ".git").exists()), folder)
    known = settings(folder, root, server_names())
    return connect(known, choose(known.names, server_names(), name), say)


class _Work:
    """What is done with each description."""

    def __init__(self, server: Server, *, prune: bool, force: bool) -> None:
        self._server, self._prune, self._force = server, prune, force

    def compared(self, path: Path) -> One:
        """What is to be done; checked where there is something. In another process where there are many."""
        from pipegen.project import Project

        one = One(path)
        try:
            project = Project.open(path)
            if self._server.name in project.targets:
                self._compare(one, project.deployment(self._server.name))
        except PipegenError as error:
            one.error = error.message
        return one

    def _compare(self, one: One, deployment: Deployment) -> None:
        one.changes = self._server.compare(deployment, prune=self._prune)
        if one.pending:
            one.findings = self._server.check(deployment)
            refuse(one.pending, one.findings, force=self._force)

    def shared(self, ones: Sequence[One]) -> None:
        """Make what several descriptions stand in, such as folders, before anything that goes into them."""
        for one in ones:
            for change in one.pending:
                if change.definition is None and change.kind == "create" and not one.error:
                    self._apply(one, change)

    def _apply(self, one: One, change: Change) -> None:
        try:
            self._server.apply(change, force=self._force)
            one.made.append(change)
        except PipegenError as error:
            one.error = error.message

    def applied(self, one: One) -> One:
        """Make its changes; one that fails ends them, for this description alone."""
        for change in one.pending:
            if change not in one.made and not one.error:
                self._apply(one, change)
        return one


def _without_repeats(ones: list[One]) -> list[One]:
    """Each thing that several descriptions would make, such as a folder, left to the first of them."""
    seen: set[tuple[str, str, str]] = set()
    for one in ones:
        shared = [(c, (c.what, c.name, c.difference)) for c in one.changes if c.definition is None]
        repeated = [change for change, key in shared if key in seen]
        seen |= {key for _, key in shared}
        one.changes = [change for change in one.changes if change not in repeated]
    return ones


def _show(ones: Sequence[One], *, quiet: bool) -> None:
    if not quiet:
        for one in ones:
            for change in one.pending:
                sign, colour = SIGNS[change.kind]
                reason = f": {change.reason}" if change.reason else ""
                click.echo(f"{styled(sign, colour, bold=True)} {change.what} {change.name}{reason}")
    said: dict[Finding, None] = {finding: None for one in ones for finding in one.findings}
    print_findings(list(said))


def _finish(ones: Sequence[One], *, dry_run: bool, as_json: bool) -> int:
    failed = [one for one in ones if one.error]
    if as_json:
        print_json(
            [
                {
                    "description": str(one.path),
                    "changes": [as_data(change) for change in one.changes],
                    "made": [change.name for change in one.made],
                    "error": one.error or None,
                }
                for one in ones
            ]
        )
    else:
        click.echo(
            f"{'dry run, nothing was changed: ' if dry_run else ''}{', '.join(_totals(ones, dry_run))}"
        )
    for one in failed:
        made = f" ({len(one.made)} of {count(len(one.pending), 'change')} made)" if one.made else ""
        click.echo(f"{styled('error:', 'red', err=True)} {one.path}{made}: {one.error}", err=True)
    return 7 if failed else 0


def _totals(ones: Sequence[One], dry_run: bool) -> Iterator[str]:
    yield count(len(ones), "description")
    changes = [change for one in ones for change in (one.pending if dry_run else one.made)]
    for kind, word in DONE.items():
        number = sum(change.kind == kind for change in changes)
        if number:
            yield f"{number} {'to be ' if dry_run else ''}{word}"
    unchanged = sum(change.kind == "unchanged" for one in ones for change in one.changes)
    if unchanged:
        yield f"{unchanged} unchanged"
    failed = sum(bool(one.error) for one in ones)
    if failed:
        yield f"{failed} failed"
