"""`pipegen history`: how long stages took over the runs on this machine, how gates did, and runs on a CI server."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import click

from pipegen.cli.options import directory_option
from pipegen.cli.output import print_json, styled
from pipegen.runner.trends import Trend

_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = 12


@click.command()
@click.argument("stages", nargs=-1, metavar="[STAGE]...")
@click.option(
    "--gates",
    is_flag=True,
    help="Show gates instead: what each is now, the commit that made it red, the time to green. [here and on the DVC "
    "remote; STAGE is a gate then]",
)
@click.option("-s", "--server", metavar="NAME", help="Show the last runs on this CI server instead.")
@click.option("-w", "--workflow", metavar="NAME", help="With --server: only this workflow's runs.")
@click.option(
    "-n",
    "--most",
    type=click.IntRange(min=1),
    default=10,
    metavar="N",
    help="With --server: so many. [default: 10]",
)
@click.option("--json", "as_json", is_flag=True, help="All runs of all stages as JSON.")
@directory_option("The folder of the pipeline.")
def history(
    stages: tuple[str, ...],
    gates: bool,
    server: str | None,
    workflow: str | None,
    most: int,
    as_json: bool,
    directory: Path,
) -> None:
    """Show how long stages took over the runs here, and which got slower; or how gates did.

    STAGE is a stage or a glob (`train@*`). Only commands that ran and succeeded count.
    """
    if server is not None:
        if stages or gates:
            raise click.UsageError("--server lists runs: `pipegen status WORKFLOW` shows the stages of one")
        from pipegen.cli.server_history import show_runs

        show_runs(server, workflow, most, directory, as_json=as_json)
        return
    if gates:
        _show_gates(directory, stages, as_json=as_json)
        return
    from pipegen.runner.history import History
    from pipegen.runner.trends import trends

    runs = History(directory.resolve()).runs()
    found = [t for t in trends(runs) if not stages or any(fnmatchcase(t.stage, word) for word in stages)]
    if as_json:
        print_json(
            {
                "runs": [{"started": run.started, "seconds": run.seconds} for run in runs],
                "stages": [{"stage": t.stage, "seconds": t.seconds, "slower": t.factor} for t in found],
            }
        )
    elif not found:
        click.echo("nothing has run here yet" if not runs else "no such stage has run here yet")
    else:
        _print_table(found, len(runs))


def _print_table(found: list[Trend], runs: int) -> None:
    from pipegen.runner.progress import count, duration

    width = max(len("stage"), *(len(trend.stage) for trend in found))
    click.echo(styled(f"{'stage':<{width}}  runs    usual     last", "bright_black"))
    for trend in found:
        line = f"{trend.stage:<{width}}  {len(trend.seconds):>4}  {duration(trend.usual):>7}  {duration(trend.last):>7}"
        line += f"  {_bars(trend.seconds[-_SHOWN:]):<{_SHOWN}}"
        slower = styled(f"  {trend.factor:.1f} times slower", "yellow") if trend.factor > 1 else ""
        click.echo(line.rstrip() + slower)
    slow = sum(trend.factor > 1 for trend in found)
    click.echo(
        f"{count(runs, 'run')}; {count(slow, 'stage')} slower than usual" if slow else count(runs, "run")
    )


def _show_gates(directory: Path, words: tuple[str, ...], *, as_json: bool) -> None:
    from dataclasses import asdict

    from pipegen.project import Project
    from pipegen.runner.gates.keeping import kept_gates
    from pipegen.runner.gates.trends import gate_trends
    from pipegen.views.gate_table import trend_table

    project = Project.open(directory)
    runs = kept_gates(
        project.pipeline, project.folder.resolve(), lambda message: click.echo(message, err=True)
    ).all()
    found = [t for t in gate_trends(runs) if not words or any(fnmatchcase(t.gate, word) for word in words)]
    if as_json:
        print_json({"gates": [{**asdict(trend), "now": trend.now} for trend in found]})
    elif not found:
        click.echo("no such gate was judged yet" if words else "no gate was judged yet")
    else:
        click.echo(trend_table(found, styled))


def _bars(seconds: tuple[float, ...]) -> str:
    if len(seconds) < 2:
        return ""
    most = max(max(seconds), 0.5)
    return "".join(_BARS[min(len(_BARS) - 1, int(taken / most * len(_BARS)))] for taken in seconds)
