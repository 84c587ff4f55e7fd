"""The report as one self-contained page: no script, no network, readable without its style sheet.

Jenkins serves artifacts without styles and without pictures that a page holds, so shapes have their colours as
attributes as well, and pictures lie beside the page too, linked from it.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from pipegen.records.report import Plot, Report
from pipegen.views import states
from pipegen.views.html import COLOURS
from pipegen.views.markup import address, asset, environment
from pipegen.views.plain import count
from pipegen.views.report import charts, look

SUFFIXES = {"png": "png", "jpeg": "jpg", "gif": "gif", "svg+xml": "svg"}
_MOST_DOTS = 1500
"""Points of all plots together above which each is drawn as part of one path."""


def page(report: Report) -> str:
    """The whole page."""
    style = asset("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return _render("report", report, style=style, policy=policy)


def mail_page(report: Report, pictures: dict[str, str]) -> str:
    """The report for mail programs, which show neither style sheets nor SVG: tables with inline styles.

    Args:
        report: what it says.
        pictures: by path of a plot the name under which the letter has its picture.
    """
    return _render("mail", report, cids=pictures)


def picture_name(index: int, plot: Plot) -> str:
    """The file beside the page that has a plot's picture."""
    return f"pictures/{index + 1}.{SUFFIXES[plot.kind]}"


def _render(template: str, report: Report, **more: Any) -> str:
    rows = look.rows(report)
    return (
        environment()
        .get_template(f"{template}.html.j2")
        .render(
            report=report,
            title=look.subject(report),
            look=look,
            states=states,
            charts=charts,
            count=count,
            colours=COLOURS,
            address=address,
            rows=rows,
            first_rows=[row for row in rows if row.measure.is_gated] or rows[: look.MOST_SHOWN],
            bars=_bars(report),
            data=_data,
            picture_name=picture_name,
            **more,
        )
    )


def _data(plot: Plot) -> str:
    """A picture as the address of itself."""
    return f"data:image/{plot.kind};base64,{base64.b64encode(plot.picture).decode()}"


def _bars(report: Report) -> dict[str, float]:
    """The share of each stage's duration in the longest one, in percent."""
    longest = max((stage.seconds or 0.0 for stage in report.stages), default=0.0)
    return {
        stage.name: round((stage.seconds or 0.0) / longest * 100, 1) for stage in report.stages if longest > 0
    }
