"""`pipegen promote`: give a version of a model to an environment."""

from __future__ import annotations

from pathlib import Path

import click

from pipegen.cli.options import directory_option, json_option
from pipegen.cli.output import print_json
from pipegen.cli.releasing import fragments_option, release_task, say, take_over_option, workflow_option


@click.command()
@click.argument("model")
@click.argument("version", required=False)
@click.option(
    "--to", required=True, metavar="ENV", help="The environment; one of the description's gets it deployed."
)
@click.option("--from", "from_", metavar="ENV", help="Take the version that is in this environment.")
@click.option("--expect", metavar="VERSION", help="Only if this version is there now; `none` for no version.")
@click.option(
    "--without-gates",
    default="",
    metavar="REASON",
    help="Ask for no evidence of gates, and let the tag say why.",
)
@take_over_option
@workflow_option
@fragments_option
@json_option
@directory_option("The folder of the description.")
def promote(
    model: str,
    version: str | None,
    to: str,
    from_: str | None,
    expect: str | None,
    without_gates: str,
    take_over: bool,
    workflow: str,
    fragments: Path | None,
    as_json: bool,
    directory: Path,
) -> None:
    """Say by a tag, MODEL#ENV#N, that VERSION of MODEL is in an environment; and deploy it there.

    In a server's job, VERSION is what the run registered. Gates must have passed on that very version. Of several
    promotions at once one wins, and the others are told; an older version does not overtake a newer one. Where the
    environment stands in the description, its `deploy` and `verify` run in the version's own commit with its model in
    place, one deployment at a time; if one fails, `rollback` runs (without it, the version before is deployed), and
    a further tag says so. Exit codes: 1 refused, or the deployment failed; 5 git or its server can't be used; 6 the DVC
    remote can't be used.
    """
    from dataclasses import asdict

    from pipegen.runner.release.promoting import Wish
    from pipegen.runner.release.promoting import promote as promote_model

    if version and from_:
        raise click.UsageError("VERSION and --from exclude each other")
    wish = Wish(
        to=to,
        version=version,
        from_=from_,
        expect=expect,
        without_gates=without_gates,
        take_over=take_over,
    )
    done = promote_model(release_task(directory, model, workflow, fragments, as_json=as_json), wish, say)
    if as_json:
        print_json(asdict(done))
    elif done.outcome == "unchanged":
        click.echo(f"{model} {done.version} is in {to} already: {done.tag}")
    else:
        instead = f", instead of {done.before}" if done.before and done.before != done.version else ""
        what = "deployed to" if done.deployed else "in"
        click.echo(f"{model} {done.version} is {what} {to}{instead}: {done.tag}")
