"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

description_argument = click.argument(
    "path", default=".", type=click.Path(path_type=Path), metavar="[PATH]", required=False
)
"""The description, or the folder that has a `pipegen.yaml`; this folder by default."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def directory_option(meaning: str) -> Callable[[Any], Any]:
    """`-C DIR`: the folder to work in, for commands whose arguments name something else."""
    return click.option(
        "-C",
        "--directory",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=Path(),
        metavar="DIR",
        help=f"{meaning} [default: here]",
    )
