"""The last runs on a CI server: `pipegen history --server`."""

from __future__ import annotations

from pathlib import Path

import click

from pipegen.cli.at_server import deployed
from pipegen.cli.output import print_json
from pipegen.cli.runs_table import as_data, print_runs


def show_runs(server: str, workflow: str | None, most: int, directory: Path, *, as_json: bool) -> None:
    """The last runs of a workflow, or of each."""
    found = deployed(directory, server).history(workflow, None, most)
    if as_json:
        print_json([as_data(run) for _, run in found])
    elif not found:
        click.echo("nothing has run there yet")
    else:
        print_runs(found)
