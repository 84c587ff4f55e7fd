"""`pipegen graph`: the pipeline drawn, as stages or as CI jobs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.options import description_argument
from pipegen.cli.output import styled
from pipegen.errors import PlanError

if TYPE_CHECKING:
    from pipegen.project import Project
    from pipegen.views.graph import Drawing


@click.command()
@description_argument
@click.option(
    "--format", "form", type=click.Choice(["text", "mermaid", "dot"]), default="text", show_default=True
)
@click.option(
    "--reduced/--all-edges", default=True, help="Leave out needs that others imply, or draw them all."
)
@click.option(
    "--fold/--no-fold", default=None, help="Draw a foreach or matrix as one. [default: as text, above 40]"
)
@click.option("--jobs", is_flag=True, help="Draw the CI jobs instead of the stages.")
@click.option(
    "-w", "--workflow", metavar="NAME", help="Only what this workflow runs. [default with --jobs: the first]"
)
def graph(path: Path, form: str, reduced: bool, fold: bool | None, jobs: bool, workflow: str | None) -> None:
    """Draw the pipeline as text, Mermaid or dot.

    As text, each row is a stage and each line from above leads to a stage that waits for it.
    """
    from pipegen.project import Project
    from pipegen.views.graph import dot, mermaid

    drawing = _drawing(Project.open(path), jobs, workflow, every_need=not reduced, folded=fold)
    if form == "text":
        click.echo(_text(drawing), nl=False)
    else:
        click.echo({"mermaid": mermaid, "dot": dot}[form](drawing), nl=False)


def _drawing(
    project: Project, jobs: bool, workflow: str | None, *, every_need: bool, folded: bool | None
) -> Drawing:
    from pipegen.views.graph import Drawing

    groups = {address: stage.group for address, stage in project.stages.items() if stage.group != address}
    name = str(project.pipeline.name)
    shown = project.graph
    if jobs or workflow is not None:
        workflow = workflow or next(iter(project.pipeline.workflows), None)
        if workflow is None:
            raise PlanError("there are no CI jobs: the description has no `workflows`")
        name = f"{name}, {workflow}"
        plan = project.plan(workflow)
        shown = plan.graph if jobs else shown.subgraph(stage for job in plan.jobs for stage in job.stages)
    noun = "job" if jobs else "stage"
    return Drawing(name, shown, groups, noun=noun, every_need=every_need, folded=folded)


def _text(drawing: Drawing) -> str:
    from pipegen.views.graph import text

    columns = shutil.get_terminal_size().columns
    ascii_only = "utf" not in (sys.stdout.encoding or "").lower()
    return text(drawing, columns=columns, ascii_only=ascii_only, paint=lambda signs: styled(signs, "cyan"))
