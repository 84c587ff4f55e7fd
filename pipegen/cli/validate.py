"""`pipegen validate`: every mistake at once, then the lints, then one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pipegen.cli.options import description_argument, json_option
from pipegen.cli.output import print_json, print_warnings, styled
from pipegen.description.load import FILE_NAME, examine, read_text
from pipegen.errors import DescriptionError, Problem
from pipegen.project import Project

WRONG = DescriptionError.exit_code


@dataclass(frozen=True)
class Findings:
    """What one look at a description found."""

    file: str
    problems: list[Problem]
    warnings: list[Problem]
    stages: int = 0
    workflows: int = 0


@click.command()
@description_argument
@json_option
@click.option("--strict", is_flag=True, help="Take warnings for mistakes.")
def validate(path: Path, as_json: bool, strict: bool) -> int:
    """Check the description: every mistake at once, and the lints.

    Exits with 3 if there is a mistake. Each warning names the word that switches it off.
    """
    found = look(path / FILE_NAME if path.is_dir() and path.name != FILE_NAME else path)
    wrong = bool(found.problems or (strict and found.warnings))
    if as_json:
        print_json(_as_data(found, valid=not wrong))
    else:
        _print(found, strict=strict)
    return WRONG if wrong else 0


def look(file: Path) -> Findings:
    """Everything wrong with a description, of whatever kind, in the order of its lines. Raises FileError if
    it can't be read."""
    shown = str(file)
    try:
        pipeline, problems = examine(read_text(file), shown)
    except DescriptionError as error:
        return Findings(shown, error.problems, [])
    if pipeline is None:
        return Findings(shown, _in_order(problems), [])
    project = Project(pipeline, file.parent)
    problems += project.problems()
    try:
        stages, warnings = len(project.stages), [] if problems else project.warnings()
    except DescriptionError:
        stages, warnings = 0, []
    return Findings(shown, _in_order(problems), warnings, stages, len(pipeline.workflows))


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    return DescriptionError(problems).problems


def _print(found: Findings, *, strict: bool) -> None:
    _print_errors([*found.problems, *(found.warnings if strict else ())])
    if not strict:
        print_warnings(found.warnings)
    errors = len(found.problems) + (len(found.warnings) if strict else 0)
    if errors:
        click.echo(f"{found.file}: {_count(errors, 'mistake')}", err=True)
    else:
        stages, workflows = _count(found.stages, "stage"), _count(found.workflows, "workflow")
        click.echo(f"{styled(found.file, 'green')} is valid: {stages}, {workflows}")


def _print_errors(problems: Iterable[Problem]) -> None:
    for problem in problems:
        click.echo(f"{styled('error:', 'red', err=True)} {problem}", err=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _as_data(found: Findings, *, valid: bool) -> dict[str, Any]:
    return {
        "file": found.file,
        "valid": valid,
        "stages": found.stages,
        "workflows": found.workflows,
        "problems": [dataclasses.asdict(problem) for problem in found.problems],
        "warnings": [dataclasses.asdict(warning) for warning in found.warnings],
    }
