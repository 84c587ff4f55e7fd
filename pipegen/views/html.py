"""A run as one page: complete without a script, without a style sheet and without a network.

Jenkins serves artifacts without scripts and styles, so the page must be readable without them: shapes have their
colours as attributes as well, and everything is there before a script folds it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipegen.records import Link, RunView, StageView
from pipegen.views import states
from pipegen.views.drawing import drawing
from pipegen.views.markup import address, asset, environment
from pipegen.views.picture import FOLD_ABOVE, group_key, key, picture
from pipegen.views.plain import plain

COLOURS = {
    "passed": "#1a7f37",
    "warned": "#8a5a00",
    "failed": "#c9252d",
    "cancelled": "#8a5a00",
    "approval": "#7a3fd0",
    "running": "#0860c4",
    "queued": "#5d6670",
    "waiting": "#5d6670",
    "skipped": "#5d6670",
}
"""Of shapes on a page without styles; the style sheet has the same, and others for dark."""
_PARTS = ("head", "graph", "stages")


@dataclass(frozen=True)
class Place:
    """Where a page stands, which decides where its links lead."""

    live: bool = False
    """Whether `pipegen view` serves it: it asks for news, and shows logs."""
    tag: str = ""
    """Live only: of what the page shows, to ask for news since."""
    up: str = ""
    """From the page's folder to the description's: `../../`."""
    logs: Mapping[str, str] = field(default_factory=dict)
    """Where logs are served, by the stage's name."""


def page(run: RunView, place: Place | None = None) -> str:
    """The whole page."""
    place = place or Place()
    return _render(
        "page", run, place, style=asset("page.css"), script=asset("page.js"), policy=policy(live=place.live)
    )


def policy(*, live: bool) -> str:
    """What the page may do, for `Content-Security-Policy`: nothing but its own style and script."""
    return "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src {_hash(asset('page.css'))}",
            f"script-src {_hash(asset('page.js'))}",
            f"connect-src {_allowed(live)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _allowed(live: bool) -> str:
    return "'self'" if live else "'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def news(run: RunView, place: Place) -> dict[str, Any]:
    """What changed while a run goes on, for the page's script."""
    return {
        "title": _title(run),
        "says": plain(f"{states.heading(run)} {states.LOOKS[run.state].word}: {states.tally(run.stages)}"),
        "over": run.is_over,
        "parts": {name: _render(name, run, place) for name in _PARTS},
    }


def _title(run: RunView) -> str:
    return plain(f"{states.LOOKS[run.state].sign} {states.heading(run)}")


def _render(template: str, run: RunView, place: Place, **more: Any) -> str:
    is_large = len(run.stages) > FOLD_ABOVE
    is_folded = is_large and bool(picture(run, folded=True).groups)
    return (
        environment()
        .get_template(f"{template}.html.j2")
        .render(
            run=run,
            place=place,
            title=_title(run),
            states=states,
            colours=COLOURS,
            counts=states.counts(run.stages),
            graph=drawing(run, folded=is_folded),
            every=drawing(run, folded=False) if is_folded else None,
            blocks=blocks(run),
            columns=columns(run, place),
            bars=bars(run),
            keys={stage.name: key(index) for index, stage in reversed([*enumerate(run.stages)])},
            is_large=is_large,
            address=address,
            **more,
        )
    )


# ---------------------------------------------------------------------------------------------- the table


@dataclass(frozen=True)
class Block:
    """Rows of the table that stand together: one stage, or all of a foreach."""

    key: str
    title: str
    """Empty for a stage alone."""
    stages: Mapping[str, StageView]
    """By key."""


def blocks(run: RunView) -> list[Block]:
    """The stages in their order, those of a group together where its first one stands."""
    found: dict[str, dict[str, StageView]] = {}
    for index, stage in enumerate(run.stages):
        where = f"group {stage.group}" if stage.group else key(index)
        found.setdefault(where, {})[key(index)] = stage
    return [
        Block(group_key(next(iter(stages))), _of(stages) if len(stages) > 1 else "", stages)
        for stages in found.values()
    ]


def _of(stages: Mapping[str, StageView]) -> str:
    return next(iter(stages.values())).group


def columns(run: RunView, place: Place) -> list[str]:
    """The columns that have something in them, besides those that are always there."""
    filled = {
        "when": bars(run),
        "agent": any(stage.agent for stage in run.stages),
        "tests": any(stage.tests for stage in run.stages),
        "metrics": any(stage.metrics for stage in run.stages),
        "links": any(link.label != "log" or stage.name not in place.logs for stage, link in _links(run)),
    }
    return [name for name, is_filled in filled.items() if is_filled]


def _links(run: RunView) -> Iterator[tuple[StageView, Link]]:
    return ((stage, link) for stage in run.stages for link in stage.links)


def bars(run: RunView) -> dict[str, tuple[float, float]]:
    """When each stage ran, as begin and length in percent of the run; nothing where it isn't known of two stages."""
    times = {
        key(index): (begin, begin + (stage.seconds or 0.0))
        for index, stage in enumerate(run.stages)
        if (begin := _seconds(stage.started)) is not None and stage.seconds is not None
    }
    if len(times) < 2:
        return {}
    first, last = min(begin for begin, _ in times.values()), max(end for _, end in times.values())
    whole = max(last - first, 0.001)
    return {
        name: (round((begin - first) / whole * 100, 2), round(max((end - begin) / whole * 100, 0.5), 2))
        for name, (begin, end) in times.items()
    }


def _seconds(time: str) -> float | None:
    try:
        return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return None
