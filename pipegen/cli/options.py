"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

description_argument = click.argument(
    "path", default=".", type=click.Path(path_type=Path), metavar="[PATH]", required=False
)
"""The description, or the folder that has a `pipegen.yaml`; this folder by default."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
