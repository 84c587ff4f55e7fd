"""`pipegen exec`: one stage on an agent."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.options import directory_option, json_option

if TYPE_CHECKING:
    from pipegen.project import Project
    from pipegen.runner.agent.task import AgentTask


@click.command()
@click.argument("stage", metavar="STAGE")
@click.option(
    "--fragments",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where lock fragments are read from, and its own is written to. [default: .pipegen/fragments]",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where its record is written. [default: .pipegen/records/NAME.json]",
)
@click.option("--no-push", is_flag=True, help="Leave the DVC remote as it is.")
@click.option("-f", "--force", is_flag=True, help="Run it even if its result is known, and push it anew.")
@click.option("--lock", is_flag=True, help="Put the lock file, with all that it needs, into .pipegen/lock.")
@click.option("--explain", is_flag=True, help="Say whether and why it would run, and run nothing.")
@json_option
@directory_option("The folder of the description.")
def exec(
    stage: str,
    fragments: Path | None,
    record: Path | None,
    no_push: bool,
    force: bool,
    lock: bool,
    explain: bool,
    as_json: bool,
    directory: Path,
) -> None:
    """Run one stage on an agent that has only the commit, the DVC remote, and the lock fragments of what it needs.

    What the stage reads is fetched, its result restored if it ran before with this command on this data, else it is
    run, tested and pushed. Generated files call this; it prints the output of the command, and a line that begins with
    ##pipegen for each thing that happens. Exit codes: 1 the stage or its tests failed, 6 the remote can't be used.
    """
    from pipegen.project import Project
    from pipegen.runner.agent.console import Console
    from pipegen.runner.agent.masking import Masker, secret_values

    task = _task(Project.open(directory), stage, fragments, record, push=not no_push, force=force, lock=lock)
    masker = Masker(secret_values(task.secrets, os.environ))
    streams = (sys.stderr, sys.stdout) if as_json else (sys.stdout, None)
    if explain:
        from pipegen.runner.agent.explain import explain as explained

        click.echo(masker.text(explained(task, Console(sys.stderr, masker=masker))))
        return
    from pipegen.runner.agent.execute import execute
    from pipegen.views.published import leave_page

    console = Console(streams[0], task.log, masker, streams[1])
    try:
        done = execute(task, console)
    except BaseException as error:
        leave_page(task, error, os.environ, console)
        raise
    leave_page(task, done, os.environ, console)


def _task(
    project: Project,
    stage: str,
    fragments: Path | None,
    record: Path | None,
    *,
    push: bool,
    force: bool,
    lock: bool,
) -> AgentTask:
    from pipegen.description.reading import nearest
    from pipegen.errors import PipegenError
    from pipegen.plan import files
    from pipegen.plan.names import to_name
    from pipegen.runner.agent.task import AgentTask

    if stage not in project.stages:
        raise PipegenError(f"no stage is called {stage!r}; {nearest(stage, project.stages)}")
    folder = project.folder.resolve()
    return AgentTask(
        pipeline=project.pipeline,
        stages=project.stages,
        folder=folder,
        place=project.place,
        address=stage,
        fragments=fragments.resolve() if fragments else (folder / files.VALUES).parent,
        record=record.resolve() if record else folder / files.kept(to_name(stage))[1],
        push=push,
        force=force,
        lock=lock,
    )
