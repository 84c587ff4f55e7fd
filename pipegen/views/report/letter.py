"""The report as a letter: text, a page that mail programs can show, and the pictures of plots within it."""

from __future__ import annotations

from pipegen.records.report import Report
from pipegen.views.mail import Letter, Picture
from pipegen.views.report import look
from pipegen.views.report.page import mail_page
from pipegen.views.report.text import text

KINDS = ("png", "jpeg", "gif")
"""Pictures that mail programs show; SVG is none of them."""
MOST = 4 * 1024 * 1024
"""Bytes of all pictures of a letter together: mail servers refuse large letters."""


def letter(report: Report) -> Letter:
    """The letter. Whenever it is sent, it has the same Message-ID for the same run."""
    pictures: dict[str, Picture] = {}
    names: dict[str, str] = {}
    left = MOST
    for index, plot in enumerate(report.plots):
        if plot.picture and plot.kind in KINDS and len(plot.picture) <= left and plot.path not in names:
            name = f"plot-{index + 1}"
            names[plot.path] = name
            pictures[name] = Picture(data=plot.picture, kind=plot.kind)
            left -= len(plot.picture)
    return Letter(
        subject=look.subject(report),
        text=text(report),
        html=mail_page(report, names),
        pictures=pictures,
        about=f"report {report.pipeline} {report.workflow} {report.run}",
    )
