"""`pipegen affected`: which stages a change can touch."""

from __future__ import annotations

import click

from pipegen.cli.options import description_argument, json_option
from pipegen.cli.output import print_json


@click.command()
@description_argument
@click.option(
    "--base",
    required=True,
    metavar="REV",
    help="What the change is compared with: a branch, a tag, a commit.",
)
@json_option
def affected(path: click.Path, base: str, as_json: bool) -> None:
    """Print the stages that the commits since REV can touch, one a line, each after what it needs.

    A stage is touched by a change of what it reads, of its parameters' values, of its definition, or of a stage that
    it needs. What no stage reads touches none.
    """
    from pipegen.errors import PipegenError
    from pipegen.project import Project
    from pipegen.runner.affected import affected as touched
    from pipegen.runner.affected import changed_paths, tree_of

    project = Project.open(str(path))
    changed = changed_paths(project.folder, base)
    with tree_of(project.repository_root, base) as root:
        before_folder = root / project.place
        try:
            before = Project.open(before_folder).stages
        except PipegenError:
            before = None
        found = touched(project.stages, project.graph, changed, project.folder, before, before_folder)
    if as_json:
        print_json({"base": base, "changed": changed, "stages": found})
        return
    for address in found:
        click.echo(address)
