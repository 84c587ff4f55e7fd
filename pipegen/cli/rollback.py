"""`pipegen rollback`: return an environment to the version before."""

from __future__ import annotations

from pathlib import Path

import click

from pipegen.cli.options import directory_option, json_option
from pipegen.cli.output import print_json
from pipegen.cli.releasing import release_task, say, take_over_option


@click.command()
@click.argument("model")
@click.argument("version", required=False)
@click.option("--in", "environment", required=True, metavar="ENV", help="The environment.")
@click.option("--reason", default="", metavar="TEXT", help="Why; the tag keeps it.")
@take_over_option
@json_option
@directory_option("The folder of the description.")
def rollback(
    model: str,
    version: str | None,
    environment: str,
    reason: str,
    take_over: bool,
    as_json: bool,
    directory: Path,
) -> None:
    """Return an environment to the version of MODEL before, or to VERSION, and deploy that.

    A further tag says so; promotions that failed or were rolled back themselves are passed over. Exit codes are those
    of `pipegen promote`.
    """
    from dataclasses import asdict

    from pipegen.runner.release.promoting import roll_back

    done = roll_back(
        release_task(directory, model, as_json=as_json),
        environment,
        to=version,
        reason=reason,
        take_over=take_over,
        notify=say,
    )
    if as_json:
        print_json(asdict(done))
    elif done.outcome == "unchanged":
        click.echo(f"{model} {done.version} is in {environment} already: {done.tag}")
    else:
        click.echo(f"{model} {done.version} is in {environment} again, instead of {done.before}: {done.tag}")
