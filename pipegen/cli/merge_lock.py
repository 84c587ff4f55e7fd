"""`pipegen merge-lock`: git's merge driver for `dvc.lock`."""

from __future__ import annotations

from pathlib import Path

import click

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("base", type=_file, required=False)
@click.argument("ours", type=_file, required=False)
@click.argument("theirs", type=_file, required=False)
@click.option(
    "--install", is_flag=True, help="Let git use it here: .gitattributes, and this clone's configuration."
)
def merge_lock(base: Path | None, ours: Path | None, theirs: Path | None, install: bool) -> None:
    """Merge the dvc.lock files BASE, OURS and THEIRS stage by stage into OURS.

    git calls it once it is installed. A stage that both sides changed is left out of the lock file: the next run makes
    it anew. There is never a conflict to resolve by hand.
    """
    from pipegen.dvc.lockfile import write_atomically
    from pipegen.dvc.merge_lock import ATTRIBUTE, merge_locks
    from pipegen.dvc.merge_lock import install as install_driver

    if install:
        changed = install_driver(Path())
        click.echo(
            f"{'added' if changed else 'found'} `{ATTRIBUTE}` in .gitattributes; git merges dvc.lock here now"
        )
        return
    if base is None or ours is None or theirs is None:
        raise click.UsageError("BASE, OURS and THEIRS are needed, or --install")
    merged = merge_locks(base, ours, theirs)
    write_atomically(str(ours), merged.text)
    if merged.left_out:
        click.echo(
            f"dvc.lock: both sides changed {', '.join(merged.left_out)}; left out, so that the next run makes them",
            err=True,
        )
