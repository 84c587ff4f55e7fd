"""`pipegen values`: the first short job of a run that fixes its values."""

from __future__ import annotations

from pathlib import Path

import click

from pipegen.cli.options import description_argument, json_option
from pipegen.cli.output import print_json


@click.command()
@description_argument
@click.option("-w", "--workflow", required=True, metavar="NAME", help="The workflow that runs.")
@json_option
def values(path: Path, workflow: str, as_json: bool) -> None:
    """Fix the values of one run: dates of its `set`, and its `inputs` from the environment variables of their names.

    They go into .pipegen/fragments/values.json, from where `exec` writes them into the parameter files.
    """
    import os

    from pipegen.plan import files
    from pipegen.plan.build import workflow_of
    from pipegen.project import Project
    from pipegen.runner.history import own_folder
    from pipegen.runner.values import fix

    project = Project.open(path)
    fixed = fix(workflow, workflow_of(project.pipeline, workflow), os.environ)
    own_folder(project.folder / ".pipegen")
    fixed.write(project.folder / files.VALUES)
    if as_json:
        print_json({"workflow": fixed.workflow, "at": fixed.at, "set": dict(fixed.set)})
        return
    for name, value in fixed.set.items():
        click.echo(f"{name} = {value}")
