"""`pipegen run`: the pipeline on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.options import directory_option

if TYPE_CHECKING:
    from pipegen.dvc.workspace import Workspace
    from pipegen.project import Project
    from pipegen.runner.about import About
    from pipegen.runner.local_runs import LocalRun


def _jobs(ctx: click.Context, param: click.Parameter, value: str) -> int:
    if value == "auto":
        from pipegen.runner.machine import cores

        return cores()
    if value.isdigit() and int(value) > 0:
        return int(value)
    raise click.BadParameter("a number of at least 1, or `auto`, is expected")


def _tags(ctx: click.Context, param: click.Parameter, words: tuple[str, ...]) -> dict[str, str]:
    if not words:
        return {}
    from pipegen.runner.about import tags_of

    found = tags_of(list(words))
    if len(found) < len(words):
        raise click.BadParameter("KEY=VALUE is expected, each key once")
    return found


def _project(directory: Path) -> Project | None:
    """The description here, `dvc.yaml` being brought up to it; None where there is none."""
    from pipegen.description.load import FILE_NAME
    from pipegen.project import Project

    if not (directory / FILE_NAME).exists():
        return None
    project = Project.open(directory)
    if project.refresh_dvc():
        click.echo(f"wrote {directory / 'dvc.yaml'}", err=True)
    return project


def _tracked(
    workspace: Workspace, project: Project | None, hypothesis: str, tags: Mapping[str, str]
) -> LocalRun:
    """What keeps a record of the run for `pipegen runs`."""
    from pipegen.runner.local_runs import LocalRun, name_of

    pipeline = project.pipeline if project else None
    place = project.place if project else "."
    secret = [str(name) for each in pipeline.secrets.values() for name in each.env] if pipeline else []

    def about() -> About:
        from pipegen.runner.about import about_here

        return about_here(pipeline, place, workspace.folder, hypothesis=hypothesis, tags=tags)

    return LocalRun(name_of(pipeline, workspace.folder), workspace.folder, workspace.stages, about, secret)


@click.command()
@click.argument("stages", nargs=-1, metavar="[STAGE]...")
@click.option(
    "-j", "--jobs", default="auto", callback=_jobs, help="Commands at a time. [default: auto, the cores]"
)
@click.option(
    "-k", "--keep-going", is_flag=True, help="After a failure, run all that does not need what failed."
)
@click.option(
    "-f", "--force", is_flag=True, help="Run stages even if they are up to date or in the run cache."
)
@click.option("--dry", is_flag=True, help="Say what would run, and run nothing.")
@click.option("--explain", is_flag=True, help="Say of every stage why it would run, and run nothing.")
@click.option(
    "--downstream", is_flag=True, help="Run STAGEs and what depends on them, instead of what they need."
)
@click.option(
    "--hypothesis", default="", metavar="TEXT", help="What the run is to show; `pipegen runs` tells it."
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    callback=_tags,
    metavar="KEY=VALUE",
    help="Said of the run in `pipegen runs`.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per event and line.")
@directory_option("The folder of the pipeline.")
@click.pass_context
def run(
    ctx: click.Context,
    stages: tuple[str, ...],
    jobs: int,
    keep_going: bool,
    force: bool,
    dry: bool,
    explain: bool,
    downstream: bool,
    hypothesis: str,
    tags: Mapping[str, str],
    as_json: bool,
    directory: Path,
) -> None:
    """Bring the pipeline up to date: `dvc repro` in parallel, with the same result.

    STAGE is a stage, a glob (`train@*`), a foreach or matrix group (`train`), or a dvc.yaml; what it needs runs too.
    Works in any DVC repository, with or without a pipegen.yaml. Ctrl-C lets running stages finish; twice stops them.
    """
    from pipegen.dvc.workspace import Workspace
    from pipegen.runner.scheduler import Options, run_graph
    from pipegen.runner.selection import selected
    from pipegen.runner.tasks import tasks_from

    workspace = Workspace(directory)
    project = _project(directory)
    extras = project.extras() if project else None
    tasks = selected(workspace, tasks_from(workspace, extras), stages, downstream=downstream)
    if dry or explain:
        from pipegen.cli.run_preview import preview

        preview(workspace, tasks, force=force, everything=explain, as_json=as_json)
        return
    from pipegen.runner.progress import reporter

    tracked = _tracked(workspace, project, hypothesis, tags)
    with reporter(as_json=as_json) as report:
        finished = run_graph(workspace, tasks, Options(jobs, keep_going, force), report, tracked)
    if finished.interrupted:
        ctx.exit(130)
    if not finished.ok:
        ctx.exit(1)
