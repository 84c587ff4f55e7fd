"""`pipegen gc`: remove from the remote what nothing needs."""

from __future__ import annotations

import time
from pathlib import Path

import click

from pipegen.cli.options import description_argument, json_option
from pipegen.cli.output import print_json


@click.command()
@description_argument
@click.option("--remove", "really", is_flag=True, help="Remove it. Without this nothing is changed.")
@click.option("--dry-run", is_flag=True, help="Only say what would go. This is the default.")
@click.option(
    "--keep-runs",
    type=click.FloatRange(min=0),
    default=90,
    show_default=True,
    metavar="DAYS",
    help="For so long a run can be restored, and what its record names stays.",
)
@click.option(
    "--keep-young",
    type=click.FloatRange(min=0),
    default=3,
    show_default=True,
    metavar="DAYS",
    help="For so long everything stays: a build may be on its way.",
)
@click.option(
    "--repository",
    "others",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    metavar="DIR",
    help="A clone of another repository that uses the same remote. May be repeated.",
)
@json_option
def gc(
    path: Path,
    really: bool,
    dry_run: bool,
    keep_runs: float,
    keep_young: float,
    others: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Remove data and run cache entries from the DVC remote that no branch, tag or run record needs.

    A run record needs its data for --keep-runs days, and for ever where an annotated tag carries its digest, as those
    of registered models do. The records themselves stay.

    All branches and tags must be here, those of the server too: run `git fetch --all --tags` first. What other
    repositories keep on the same remote is not known unless each is named with --repository.
    """
    from pipegen.dvc.collect import find_root
    from pipegen.dvc.collect_garbage import garbage, is_shallow, remove
    from pipegen.dvc.stores import RemoteChoice, open_store
    from pipegen.errors import WorkspaceError
    from pipegen.project import Project

    if really and dry_run:
        raise click.UsageError("--remove and --dry-run exclude each other")
    project = Project.open(path)
    asked = project.pipeline.data.remote
    choice = RemoteChoice(str(asked.name), asked.url) if asked else RemoteChoice()
    store = open_store(
        find_root(project.folder.resolve()), choice, lambda message: click.echo(message, err=True)
    )
    if store is None:
        raise WorkspaceError("no DVC remote is configured: there is nothing to remove from")
    if not store.has_runs:
        raise WorkspaceError(f"{store.shown} can't be listed over HTTP, so nothing can be told of it")
    roots = [project.repository_root, *others]
    for root in roots:
        if is_shallow(root):
            raise WorkspaceError(
                f"{root} is a shallow clone, so what its branches need is not known: `git fetch --unshallow` there"
            )
    found = garbage(store, roots, now=time.time(), keep_runs=keep_runs, keep_young=keep_young)
    if really:
        remove(store, found)
    if as_json:
        print_json(
            {
                "removed": really,
                "bytes": found.bytes,
                "files": [i.path for i in found.all],
                "kept": found.kept,
            }
        )
        return
    for item in found.all:
        click.echo(item.path)
    said = "removed" if really else "would go (say --remove)"
    click.echo(
        f"{len(found.all)} files, {found.bytes:,} bytes, {said}; {found.kept} stay on {store.shown}", err=True
    )
