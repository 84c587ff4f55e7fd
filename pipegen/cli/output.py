"""How commands print: colour only for a terminal that wants it, JSON on request, warnings on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Any

import click

from pipegen.errors import Problem


def colour_wanted(*, err: bool = False) -> bool:
    """Whether to colour: NO_COLOR (no-color.org) forbids, FORCE_COLOR asks, else only a terminal gets it."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return (sys.stderr if err else sys.stdout).isatty()


def styled(text: str, colour: str, *, bold: bool = False, err: bool = False) -> str:
    """`text` in `colour` where colour is wanted."""
    return click.style(text, fg=colour, bold=bold) if colour_wanted(err=err) else text


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_warnings(warnings: Iterable[Problem]) -> None:
    """Each warning with its place and the name of its switch, on standard error."""
    for warning in warnings:
        click.echo(f"{styled('warning:', 'yellow', err=True)} {warning}", err=True)


def coloured_diff(diff: str) -> str:
    """A unified difference, with colours where these are wanted; lines may be indented."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    return "".join(
        styled(line, colours[line.lstrip()[:1]]) if line.lstrip()[:1] in colours else line
        for line in diff.splitlines(keepends=True)
    )
