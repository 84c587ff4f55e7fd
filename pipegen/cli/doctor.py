"""`pipegen doctor`: what is out of date."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.options import directory_option, json_option
from pipegen.cli.output import print_json, styled

if TYPE_CHECKING:
    from pipegen.project import Project
    from pipegen.runner.doctor.findings import Finding

_SIGNS = {"fresh": ("ok", "green"), "stale": ("stale", "yellow"), "unknown": ("?", "bright_black")}
_WIDTH = 100


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

    Packages are those of the environment that `python:` made here, else of the `python` on the PATH. Known
    vulnerabilities are asked of pip-audit, where it is installed and reaches its source. Models are found by git tags,
    schedules by what runs left on the DVC remote. Exit codes: 0 it was looked at; 1 with --check if anything is out of
    date; 3 the description is wrong.
    """
    from pipegen.project import Project

    found = list(findings(Project.open(directory), model_age))
    if as_json:
        print_json({"findings": [asdict(finding) for finding in found]})
    else:
        _print(found)
    if check and any(finding.state == "stale" for finding in found):
        click.get_current_context().exit(1)


def _print(found: Sequence[Finding]) -> None:
    """One line each, wrapped; what to do about it stands below."""
    topics = max(len(finding.topic) for finding in found)
    before = " " * (topics + 9)
    for finding in found:
        word, colour = _SIGNS[finding.state]
        lines = _wrapped(finding.message, _WIDTH - len(before))
        if finding.hint and finding.state != "fresh":
            lines += _wrapped(f"→ {finding.hint}", _WIDTH - len(before))
        click.echo(f"{styled(f'{word:<5}', colour)}  {finding.topic:<{topics}}  {lines[0]}")
        for line in lines[1:]:
            click.echo(before + line)


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    from pipegen.views.plain import plain

    return textwrap.wrap(plain(text), width, break_long_words=False, break_on_hyphens=False)


def findings(project: Project, model_age: float | None = None) -> Iterator[Finding]:
    """What `pipegen doctor` finds, and the report of a scheduled run.

    Args:
        project: the description.
        model_age: days up to which a model in production is fresh; None for the usual.
    """
    from pipegen.runner.doctor.look import MODEL_AGE, Look, look

    where = Look(
        pipeline=project.pipeline,
        folder=project.folder.resolve(),
        place=project.place,
        repository=project.repository_root,
        model_age=MODEL_AGE if model_age is None else model_age,
        in_job=bool(os.environ.get("PIPEGEN_PLAN")),
    )
    pending = [change.shown for change in project.generate().pending]
    yield from look(where, pending, lambda message: click.echo(message, err=True))
