"""`pipegen doctor`: what is out of date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.options import directory_option, json_option
from pipegen.cli.output import print_json, styled

if TYPE_CHECKING:
    from pipegen.project import Project
    from pipegen.runner.doctor.findings import Finding

_SIGNS = {"fresh": ("ok", "green"), "stale": ("stale", "yellow"), "unknown": ("?", "bright_black")}


@click.command()
@click.option("--check", is_flag=True, help="Exit with 1 if anything is out of date.")
@click.option(
    "--model-age",
    type=click.FloatRange(min=0),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="How old a model in production may be.",
)
@json_option
@directory_option("The folder of the description.")
def doctor(check: bool, model_age: float, as_json: bool, directory: Path) -> None:
    """Say what is out of date: generated files, models in production, packages, schedules, the cache.

    Packages are those of the `python` on the PATH; vulnerabilities are asked of pip-audit, where it is installed and
    reaches its source. Models are found by git tags, schedules by what runs left on the DVC remote.
    """
    from pipegen.project import Project
    from pipegen.views.plain import plain

    found = list(_findings(Project.open(directory), model_age))
    if as_json:
        print_json({"findings": [asdict(finding) for finding in found]})
    else:
        width = max(len(finding.topic) for finding in found)
        for finding in found:
            word, colour = _SIGNS[finding.state]
            click.echo(f"{styled(f'{word:<5}', colour)}  {finding.topic:<{width}}  {plain(finding.message)}")
            if finding.hint and finding.state != "fresh":
                click.echo(f"{'':<{width + 9}}{finding.hint}")
    if check and any(finding.state == "stale" for finding in found):
        click.get_current_context().exit(1)


def _findings(project: Project, model_age: float) -> Iterator[Finding]:
    from pipegen.dvc.errors import RemoteError
    from pipegen.errors import WorkspaceError
    from pipegen.runner.doctor.findings import Finding
    from pipegen.runner.doctor.models import cache, models
    from pipegen.runner.doctor.packages import packages

    now, folder = datetime.now(timezone.utc), project.folder.resolve()
    yield _generated(project)
    yield from models(project.pipeline, folder, project.place, now, model_age)
    asked = project.pipeline.python.requirements if project.pipeline.python else []
    yield from packages([folder / path for path in asked], os.environ.get("PATH"))
    try:
        yield from _schedules(project, now)
    except RemoteError as error:
        yield Finding("schedules", "unknown", error.message)
    try:
        from pipegen.dvc.collect import find_root

        yield cache(find_root(folder), project.repository_root, now)
    except WorkspaceError as error:
        yield Finding("cache", "unknown", error.message)


def _generated(project: Project) -> Finding:
    from pipegen.runner.doctor.findings import Finding

    generation = project.generate()
    names = ", ".join(change.shown for change in generation.pending)
    if names:
        return Finding(
            "generated files", "stale", f"not what the description says: {names}", "run `pipegen generate`"
        )
    return Finding(
        "generated files", "fresh", f"{len(generation.changes)} files are what the description says"
    )


def _schedules(project: Project, now: datetime) -> Iterator[Finding]:
    from pipegen.dvc.run_records import RunRecords
    from pipegen.runner.doctor.schedules import schedules
    from pipegen.runner.gates.keeping import kept_gates, remote_store

    folder = project.folder.resolve()

    def notify(message: str) -> None:
        click.echo(message, err=True)

    store = remote_store(project.pipeline, folder, notify)
    records = RunRecords(store) if store is not None and store.has_runs else None
    yield from schedules(project.pipeline, kept_gates(project.pipeline, folder, notify), records, now)
