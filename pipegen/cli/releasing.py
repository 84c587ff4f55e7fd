"""What the commands about versions of models share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipegen.runner.release.task import ReleaseTask

workflow_option = click.option(
    "-w", "--workflow", default="", metavar="NAME", help="The workflow whose run this is."
)
fragments_option = click.option(
    "--fragments",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where the lock fragments of the run are. [default: .pipegen/fragments in a server's job; elsewhere dvc.lock "
    "says what was made]",
)
take_over_option = click.option(
    "--take-over",
    is_flag=True,
    help="Go on though another deployment seems under way: when it is known to be dead. Deploys anew what is there.",
)


def say(message: str) -> None:
    """Tell a person what goes on."""
    click.echo(message, err=True)


def release_task(
    directory: Path, model: str, workflow: str = "", fragments: Path | None = None, *, as_json: bool = False
) -> ReleaseTask:
    """One model of the description in a folder; with `as_json` what commands print goes to standard error."""
    from pipegen.plan import files
    from pipegen.project import Project
    from pipegen.runner.release.task import ReleaseTask

    project = Project.open(directory)
    folder = project.folder.resolve()
    in_job = bool(os.environ.get("PIPEGEN_PLAN"))
    if in_job and fragments is None:
        fragments = (folder / files.VALUES).parent
    return ReleaseTask(
        pipeline=project.pipeline,
        stages=project.stages,
        folder=folder,
        place=project.place,
        model=model,
        workflow=workflow,
        fragments=fragments.resolve() if fragments else None,
        in_job=in_job,
        env=dict(os.environ),
        output=sys.stderr if as_json else None,
    )
