"""`pipegen gate`: the conditions on metrics that a build must meet."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.options import directory_option, json_option
from pipegen.cli.output import print_json, styled

if TYPE_CHECKING:
    from pipegen.runner.gates.task import GateTask


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "-w",
    "--workflow",
    default="",
    metavar="NAME",
    help="The workflow whose run this is; its gates, if none is named.",
)
@click.option(
    "--fragments",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Take the metrics from lock fragments, as on an agent. [default: .pipegen/fragments in a server's job; "
    "elsewhere the files that are here]",
)
@json_option
@directory_option("The folder of the description.")
def gate(
    names: tuple[str, ...], workflow: str, fragments: Path | None, as_json: bool, directory: Path
) -> None:
    """Judge the gates NAME (or all) by the metrics that are here, and say what is red and why.

    Needs no server. Waivers are read from waivers.yaml. The result is written as JUnit into .pipegen/junit, and kept
    for `pipegen history --gates` and for `against: last`. Exit codes: 0 every hard gate is met, waived, or has nothing
    yet to compare with; 1 a hard gate is red; 3 the description or waivers.yaml is wrong; 6 the remote can't be used.
    """
    from pipegen.runner.gates.judging import judge_gates
    from pipegen.views.gate_table import gate_table

    def notify(message: str) -> None:
        click.echo(message, err=True)

    run = judge_gates(_task(directory, names, workflow, fragments), notify)
    if as_json:
        print_json(asdict(run))
    else:
        click.echo(gate_table(run, styled))
    if not run.passed:
        click.get_current_context().exit(1)


def _task(directory: Path, names: tuple[str, ...], workflow: str, fragments: Path | None) -> GateTask:
    from datetime import datetime, timezone

    from pipegen.plan import files
    from pipegen.project import Project
    from pipegen.runner.gates.task import GateTask, chosen

    project = Project.open(directory)
    folder = project.folder.resolve()
    in_job = bool(os.environ.get("PIPEGEN_PLAN"))
    if in_job and fragments is None:
        fragments = (folder / files.VALUES).parent
    return GateTask(
        pipeline=project.pipeline,
        stages=project.stages,
        folder=folder,
        place=project.place,
        names=chosen(project.pipeline, names, workflow),
        workflow=workflow,
        fragments=fragments.resolve() if fragments else None,
        in_job=in_job,
        today=datetime.now(timezone.utc).date(),
    )
