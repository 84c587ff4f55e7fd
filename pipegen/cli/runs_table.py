"""Runs as a table in the terminal, and as data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from pipegen.cli.output import styled

if TYPE_CHECKING:
    from pipegen.servers.model import Run

_COLOURS = {"passed": "green", "warned": "yellow", "failed": "red", "cancelled": "red", "approval": "yellow"}


def as_data(run: Run) -> dict[str, Any]:
    """A run for `--json`."""
    return {
        "workflow": run.ref.place.workflow,
        "branch": run.ref.place.branch,
        "number": run.ref.number,
        "state": run.state,
        "started": _iso(run.started),
        "seconds": run.seconds,
        "cause": run.cause,
        "commit": run.revision,
        "reason": run.reason,
        "url": run.url,
    }


def _iso(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


def print_runs(rows: Sequence[tuple[str, Run | None]]) -> None:
    """One line for each: a name, then how its run stands."""
    width = max((len(name) for name, _ in rows), default=0)
    for name, run in rows:
        click.echo(f"{name:<{width}}  {_line(run)}".rstrip())


def _line(run: Run | None) -> str:
    from pipegen.runner.progress import duration

    if run is None:
        return styled("has not run yet", "bright_black")
    number = f"#{run.ref.number}" if run.ref.number is not None else ""
    when = datetime.fromtimestamp(run.started).strftime("%Y-%m-%d %H:%M") if run.started else ""
    taken = duration(run.seconds) if run.seconds is not None else ""
    word = styled(f"{run.state:<9}", _COLOURS.get(run.state, "cyan"))
    about = run.reason if run.reason and not run.ok else run.cause
    return f"{number:>6}  {word}  {when:<16}  {taken:>8}  {run.revision[:10]:<10}  {about}"
