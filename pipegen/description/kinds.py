"""The kinds of text as annotations of the grammar.

A type checker sees `str`, so that a description can be built in Python from plain text; at run time the annotation is
the kind itself, by which reading checks a value and the grammar describes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

    Against: TypeAlias = str
    ArtifactName: TypeAlias = str
    Branch: TypeAlias = str
    Cron: TypeAlias = str
    Duration: TypeAlias = str
    EnvName: TypeAlias = str
    GitUrl: TypeAlias = str
    MailAddress: TypeAlias = str
    MailServer: TypeAlias = str
    Metric: TypeAlias = str
    Name: TypeAlias = str
    Parameter: TypeAlias = str
    Path: TypeAlias = str
    Percent: TypeAlias = str
    StageName: TypeAlias = str
    TimeZone: TypeAlias = str
    WebUrl: TypeAlias = str
else:
    from pipegen.description.text import (
        Against,
        ArtifactName,
        Branch,
        Cron,
        Duration,
        EnvName,
        GitUrl,
        MailAddress,
        MailServer,
        Metric,
        Name,
        Parameter,
        Path,
        Percent,
        StageName,
        TimeZone,
        WebUrl,
    )

__all__ = [
    "Against",
    "ArtifactName",
    "Branch",
    "Cron",
    "Duration",
    "EnvName",
    "GitUrl",
    "MailAddress",
    "MailServer",
    "Metric",
    "Name",
    "Parameter",
    "Path",
    "Percent",
    "StageName",
    "TimeZone",
    "WebUrl",
]
