"""`pipegen models`: versions of models, and where they are."""

from __future__ import annotations

from pathlib import Path

import click

from pipegen.cli.options import directory_option, json_option
from pipegen.cli.output import print_json, styled


@click.command()
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@click.option(
    "-n", "--most", type=click.IntRange(min=1), default=10, show_default=True, help="Versions of each."
)
@click.option("--offline", is_flag=True, help="Show what is known here, and ask no server.")
@json_option
@directory_option("A folder of the repository.")
def models(names: tuple[str, ...], most: int, offline: bool, as_json: bool, directory: Path) -> None:
    """Show the versions of each model, the newest first: where they are, who made them when, their metrics.

    All of it stands in git tags, those of GTO and DVC included.
    """
    from pipegen.project import Project
    from pipegen.registry.repository import Registry
    from pipegen.views.models_table import as_data, models_table

    project = Project.open(directory)
    registry = Registry(project.folder.resolve(), project.place)
    histories = [one for one in registry.histories(fresh=not offline) if not names or one.model in names]
    if as_json:
        print_json([as_data(history) for history in histories])
        return
    click.echo(models_table(histories, most, styled))
