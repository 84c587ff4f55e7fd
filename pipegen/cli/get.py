"""`pipegen get`: fetch a model by its version, or by where it is."""

from __future__ import annotations

from pathlib import Path

import click

from pipegen.cli.options import directory_option
from pipegen.cli.releasing import release_task, say


@click.command()
@click.argument("model", metavar="MODEL@VERSION|MODEL@ENV")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Where it goes. [default: its file name, in this folder]",
)
@click.option("-f", "--force", is_flag=True, help="Replace what is there.")
@directory_option("The folder of the description.")
def get(model: str, out: Path | None, force: bool, directory: Path) -> None:
    """Fetch a model: house-price@v1.2.0, or house-price@production for what is there now.

    The data comes from DVC's cache or remote, by the lock file of the version's commit, and is hashed again.
    """
    from pipegen.errors import OverwriteRefused
    from pipegen.runner.release.model_data import fetch, version_meant

    name, at, wanted = model.partition("@")
    if not at or not wanted:
        raise click.UsageError("say MODEL@VERSION or MODEL@ENV, such as house-price@production")
    task = release_task(directory, name)
    target = Path.cwd() / (out or Path(str(task.described.path)).name)
    if target.exists() and not force:
        raise OverwriteRefused(f"{target} is there already: say --force, or another place with --out")
    version = version_meant(task, wanted)
    fetch(task, version, target, say)
    click.echo(f"{name} {version.name} is in {out or target.name}")
