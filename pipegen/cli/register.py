"""`pipegen register`: make a version of a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipegen.cli.options import directory_option, json_option
from pipegen.cli.output import print_json
from pipegen.cli.releasing import fragments_option, release_task, say, workflow_option

if TYPE_CHECKING:
    from pipegen.registry.versions import Bump


@click.command()
@click.argument("model")
@workflow_option
@click.option(
    "--bump",
    type=click.Choice(["major", "minor", "patch"]),
    help="Which number of the last version is raised. [default: patch]",
)
@click.option("--version", metavar="VERSION", help="The version itself, instead: v1.2.0.")
@fragments_option
@json_option
@directory_option("The folder of the description.")
def register(
    model: str,
    workflow: str,
    bump: Bump | None,
    version: str | None,
    fragments: Path | None,
    as_json: bool,
    directory: Path,
) -> None:
    """Make a version of MODEL, one of the description's `models`, of what this run made.

    The run's dvc.lock is committed on top of the commit that was built, and that commit is tagged MODEL@VERSION and
    pushed, so that `dvc get` and GTO find it. All its data is on the DVC remote before. A run gets one version, however
    often it asks. Exit codes: 1 it can't be registered, such as a version that is taken; 5 git or its server can't be
    used; 6 the DVC remote can't be used.
    """
    from dataclasses import asdict

    from pipegen.runner.release.registering import register as register_model

    if bump and version:
        raise click.UsageError("--bump and --version exclude each other")
    done = register_model(
        release_task(directory, model, workflow, fragments), say, bump=bump, version=version
    )
    if as_json:
        print_json(asdict(done))
        return
    was = "" if done.is_new else " already"
    click.echo(f"{done.model} {done.version} is registered{was}: {done.tag}, made from {done.built[:12]}")
