"""`pipegen runs`: the runs of a pipeline, tracked on the DVC remote and on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipegen.cli.options import directory_option, json_option
from pipegen.cli.output import print_json, styled

if TYPE_CHECKING:
    from pipegen.description.model import Pipeline
    from pipegen.records.tracked import TrackedRun
    from pipegen.registry.runs import Runs

_HERE = click.option("--here", is_flag=True, help="Only runs of this machine; the remote is not asked.")


class _ListsByDefault(click.Group):
    """`pipegen runs -n 5` is `pipegen runs list -n 5`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListsByDefault)
def runs() -> None:
    """List, show and compare runs: those of CI servers, from the DVC remote, and those of this machine.

    Without a word it lists them. RUN is a run's id, at least four digits of it, or `last`, `last~1` …
    """


@runs.command("list")
@click.option(
    "-n", "--most", type=click.IntRange(min=1), default=20, metavar="N", help="So many. [default: 20]"
)
@click.option("-w", "--workflow", default="", metavar="NAME", help="Only runs of this workflow.")
@click.option("-b", "--branch", default="", metavar="NAME", help="Only runs of this branch.")
@click.option("--commit", default="", metavar="HASH", help="Only runs of this commit.")
@click.option("--failed", is_flag=True, help="Only runs in which a stage failed.")
@_HERE
@json_option
@directory_option("The folder of the pipeline.")
def list_(
    most: int,
    workflow: str,
    branch: str,
    commit: str,
    failed: bool,
    here: bool,
    as_json: bool,
    directory: Path,
) -> None:
    """List runs, the newest first, with their metrics."""
    from pipegen.registry.runs import Wanted
    from pipegen.views.run_tables import run_list
    from pipegen.views.sources import wanted_metrics

    pipeline, known = _open(directory, here)
    wanted = Wanted(workflow=workflow, branch=branch, commit=commit, failed=failed)
    found = known.last(most, wanted)
    if as_json:
        print_json([run.as_data() for run in found])
    elif found:
        click.echo(run_list(found, wanted_metrics(pipeline) if pipeline else (), styled))
    else:
        click.echo(
            "no run yet: `pipegen run` and builds on a CI server leave one"
            if wanted == Wanted()
            else "no such run"
        )


@runs.command()
@click.argument("run", default="last")
@_HERE
@json_option
@directory_option("The folder of the pipeline.")
def show(run: str, here: bool, as_json: bool, directory: Path) -> None:
    """Show all that is kept of one run; of the last one by default."""
    from pipegen.views.run_tables import run_page

    _, known = _open(directory, here)
    found = _found(known, run)
    if as_json:
        print_json(found.as_data())
    else:
        click.echo(run_page(found, styled))


@runs.command()
@click.argument("one", metavar="RUN")
@click.argument("other", metavar="RUN", default="last")
@_HERE
@json_option
@directory_option("The folder of the pipeline.")
def compare(one: str, other: str, here: bool, as_json: bool, directory: Path) -> None:
    """Show what differs between two runs, the second being the last one by default: parameters, commands, data,
    metrics and packages."""
    from dataclasses import asdict

    from pipegen.registry.differences import differences
    from pipegen.views.run_differences import comparison

    _, known = _open(directory, here)
    two = _found(known, one), _found(known, other)
    found = differences(*two)
    if as_json:
        shown: list[dict[str, Any]] = [{**asdict(each), "change": each.change} for each in found]
        print_json({"one": two[0].id, "other": two[1].id, "differences": shown})
    else:
        click.echo(comparison(*two, found, styled))


@runs.command()
@directory_option("The folder of the pipeline.")
def push(directory: Path) -> None:
    """Send the runs of this machine to the DVC remote, for others to see; `dvc push` sends their data."""
    from pipegen.runner.tracking import push as send
    from pipegen.views.plain import count

    sent = send(_pipeline(directory), directory.resolve(), _notify)
    click.echo(f"sent {count(len(sent), 'run')}" if sent else "the remote has all runs of this machine")


def _notify(message: str) -> None:
    click.echo(message, err=True)


def _pipeline(directory: Path) -> Pipeline | None:
    from pipegen.description.load import FILE_NAME
    from pipegen.project import Project

    return Project.open(directory).pipeline if (directory / FILE_NAME).exists() else None


def _open(directory: Path, here: bool) -> tuple[Pipeline | None, Runs]:
    from pipegen.runner.tracking import runs_of

    pipeline = _pipeline(directory)
    return pipeline, runs_of(pipeline, directory.resolve(), _notify, only_here=here)


def _found(known: Runs, word: str) -> TrackedRun:
    from pipegen.errors import PipegenError

    found = known.read([known.find(word)])
    if not found:
        raise PipegenError(f"nothing of the run {word} can be read")
    return found[0]
