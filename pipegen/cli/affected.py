"""`pipegen affected`: which stages a change can touch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.options import description_argument, json_option
from pipegen.cli.output import print_json

if TYPE_CHECKING:
    from pipegen.project import Project


@click.command()
@description_argument
@click.option("--base", metavar="REV", help="What the change is compared with: a branch, a tag, a commit.")
@click.option(
    "--build",
    is_flag=True,
    help="Compare with what the server built before, and leave the answer for the other jobs of this build.",
)
@json_option
def affected(path: Path, base: str | None, build: bool, as_json: bool) -> None:
    """Print the stages that the commits since REV can touch, one a line, each after what it needs.

    A stage is touched by a change of what it reads, of what its tests may read, of its parameters' values, of its
    definition, or of a stage that it needs. What no stage reads touches none.

    With --build, which generated files call in the first job of a build, a stage whose result is not on the DVC remote
    counts as touched too. The answer, and the lock fragments of all others, go to .pipegen/fragments.
    """
    from pipegen.project import Project

    if build == (base is not None):
        raise click.UsageError("one of --base REV and --build is needed")
    project = Project.open(path)
    if base is not None:
        _print_touched(project, base, as_json=as_json)
    else:
        _leave_answer(project, as_json=as_json)


def _print_touched(project: Project, base: str, *, as_json: bool) -> None:
    from pipegen.errors import PipegenError
    from pipegen.project import Project
    from pipegen.runner.affected import affected as touched
    from pipegen.runner.affected import changed_paths, common_ancestor, tree_of

    ancestor = common_ancestor(project.folder, base)
    changed = changed_paths(project.folder, ancestor)
    with tree_of(project.repository_root, ancestor) as root:
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


def _leave_answer(project: Project, *, as_json: bool) -> None:
    from dataclasses import asdict

    from pipegen.runner.agent.look import Change, look
    from pipegen.runner.history import own_folder

    folder = project.folder.resolve()
    own_folder(folder / ".pipegen")
    change = Change(
        pipeline=project.pipeline,
        stages=project.stages,
        graph=project.graph,
        folder=folder,
        place=project.place,
        env=os.environ,
    )
    answer = look(change, lambda message: click.echo(message, err=True))
    if as_json:
        print_json(asdict(answer))
        return
    if answer.nothing:
        click.echo(f"nothing to do: {answer.nothing}")
    click.echo(f"compared with {answer.base[:12]}" if answer.base else "compared with nothing")
    for address, why in answer.runs.items():
        click.echo(f"runs      {address}: {why}")
    for address in answer.left_out:
        click.echo(f"left out  {address}")
