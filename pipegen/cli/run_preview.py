"""`pipegen run --dry` and `--explain`."""

from __future__ import annotations

from collections.abc import Mapping

import click

from pipegen.cli.output import print_json, styled
from pipegen.dvc.workspace import Workspace
from pipegen.runner.preview import Foreseen, foresee
from pipegen.runner.tasks import Task


def preview(
    workspace: Workspace, tasks: Mapping[str, Task], *, force: bool, everything: bool, as_json: bool
) -> None:
    """Print what would run; with `everything` every stage and all reasons."""
    found = list(foresee(workspace, tasks, force=force))
    if as_json:
        print_json(
            [{"stage": item.stage, "runs": item.runs, "reasons": list(item.reasons)} for item in found]
        )
        return
    for item in found:
        if everything:
            _explain(item)
        elif item.runs:
            click.echo(f"{item.stage}: {item.reasons[0]}")
    running = sum(item.runs for item in found)
    if running:
        click.echo(f"{running} of {len(found)} stages would run")
    else:
        click.echo(f"nothing to do: {len(found)} stages up to date")


def _explain(item: Foreseen) -> None:
    sign = styled("would run", "yellow") if item.runs else styled("up to date", "green")
    click.echo(f"{item.stage}: {sign}")
    for reason in item.reasons:
        click.echo(f"    {reason}")
