"""A run as it goes on: redrawn in place on a terminal, elsewhere a line for each thing that happens."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from pipegen.cli.output import colour_wanted, styled
from pipegen.records import RunView, StageView

if TYPE_CHECKING:
    from pipegen.servers.following import Follower

_COLOURS = {"passed": "green", "warned": "yellow", "failed": "red", "cancelled": "red", "approval": "yellow"}


def watch(follower: Follower) -> RunView:
    """Show a run until it is over; its last picture."""
    return _redrawn(follower) if sys.stdout.isatty() else _line_by_line(follower)


def _redrawn(follower: Follower) -> RunView:
    from rich.console import Console
    from rich.live import Live

    from pipegen.views.stage_table import block, text

    console = Console(no_color=not colour_wanted(), highlight=False, emoji=False)
    last: RunView | None = None
    try:
        with Live(console=console, auto_refresh=False, transient=True, vertical_overflow="ellipsis") as live:
            for last in follower.pictures(every=True):
                live.update(block(last, columns=console.width), refresh=True)
    finally:
        if last is not None:  # after Ctrl-C too: what was seen stays on the screen
            click.echo(text(last, columns=console.width, colour=colour_wanted()), nl=False)
    assert last is not None
    return last


def _line_by_line(follower: Follower) -> RunView:
    from pipegen.views.stage_table import text

    before: RunView | None = None
    for view in follower.pictures():
        for line in _news(before, view):
            click.echo(line)
        before = view
    assert before is not None
    columns = shutil.get_terminal_size((100, 24)).columns
    click.echo("\n" + text(before, columns=columns, colour=colour_wanted()), nl=False)
    return before


def _news(before: RunView | None, now: RunView) -> Iterator[str]:
    """A line for each stage that came further, and for what the run itself waits for."""
    if now.url and (before is None or not before.url):
        yield f"{_clock()} {now.pipeline} {now.workflow} {now.number}: {now.url}"
    known = {stage.name: stage for stage in before.stages} if before else {}
    for stage in now.stages:
        if stage.state != (known[stage.name].state if stage.name in known else "waiting"):
            yield f"{_clock()} {stage.name}: {_words(stage)}"
    asked = before.approval if before else None
    if now.approval and now.approval != asked:
        yield f"{_clock()} {styled('waits for approval', 'yellow')}: {now.approval.message} {now.approval.url}".rstrip()
    if now.message and now.message != (before.message if before else ""):
        yield f"{_clock()} {now.message}"


def _words(stage: StageView) -> str:
    said = styled(stage.outcome or stage.state, _COLOURS.get(stage.state, "cyan"))
    if stage.state == "running":
        return said + (f" on {stage.agent}" if stage.agent else "")
    if stage.seconds is not None and stage.state in ("passed", "warned", "failed"):
        from pipegen.runner.progress import duration

        said += f" in {duration(stage.seconds)}"
    return said + (f": {stage.message}" if stage.message and stage.state != "passed" else "")


def _clock() -> str:
    return styled(datetime.now().strftime("%H:%M:%S"), "bright_black")
