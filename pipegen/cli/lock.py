"""`pipegen lock`: the lock file that a build made."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pipegen.cli.options import description_argument, json_option
from pipegen.cli.output import print_json


@click.command()
@description_argument
@click.option(
    "--fragments",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where the build's lock fragments are. [default: .pipegen/fragments]",
)
@click.option("--commit", is_flag=True, help="Commit it, and push it to the branch that the build came from.")
@click.option("--branch", metavar="NAME", help="That branch. [default: what Jenkins or GoCD says]")
@json_option
def lock(path: Path, fragments: Path | None, commit: bool, branch: str | None, as_json: bool) -> None:
    """Merge the lock fragments of a build into dvc.lock, and put it into .pipegen/lock for the server to keep.

    With --commit it is committed alone, on top of the branch as that is now, and pushed with git's own credentials.
    If the branch gets another commit meanwhile, that is tried again; nothing is ever forced. Pull requests from outside
    and builds of such a commit commit nothing. Generated files call this.
    """
    from dataclasses import asdict

    from pipegen.plan import files
    from pipegen.project import Project
    from pipegen.runner.agent.lock_job import LockTask, bring_together
    from pipegen.runner.history import own_folder

    project = Project.open(path)
    folder = project.folder.resolve()
    task = LockTask(
        pipeline=project.pipeline,
        stages=project.stages,
        folder=folder,
        place=project.place,
        fragments=fragments.resolve() if fragments else (folder / files.AFFECTED).parent,
        commit=commit,
        branch=branch,
    )
    own_folder(folder / ".pipegen")
    record = bring_together(task, os.environ, lambda message: click.echo(message, err=True))
    if as_json:
        print_json(asdict(record))
        return
    click.echo(f"dvc.lock has {len(record.stages)} stages of this build: {files.LOCK}")
    if record.outcome == "committed":
        click.echo(f"committed as {record.commit[:12]} on {record.branch}")
    elif record.outcome == "unchanged":
        click.echo(f"{record.branch} has it already")
    elif record.outcome == "withheld":
        click.echo(f"not committed: {record.message}")
