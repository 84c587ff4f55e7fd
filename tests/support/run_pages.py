"""Pages of runs as their readers see them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lxml import html


@dataclass(frozen=True)
class Row:
    """What a page says of a stage."""

    state: str
    agent: str
    log: str
    """Where the link to its log leads; empty without one."""


def rows(page: Path) -> dict[str, Row]:
    """The stages on a page."""
    found = {}
    for row in html.parse(str(page)).iterfind(".//tr[@data-state]"):
        cells = {cell.get("class"): cell for cell in row.iterfind("td")}
        links = [a.get("href") for a in row.iterfind(".//td/a") if a.text_content().startswith("log")]
        found[row.find(".//span[@class='name']").text] = Row(
            row.get("data-state"),
            cells["agent"].text_content().strip() if "agent" in cells else "",
            links[0] if links else "",
        )
    return found


def states(page: Path) -> dict[str, str]:
    """How the stages on a page stand."""
    return {name: row.state for name, row in rows(page).items()}
