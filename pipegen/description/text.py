"""Kinds of text that a description holds: each is a `str` that knows its own form.

A kind has a `form` (a phrase for messages and the grammar), optionally a `pattern` (for JSON Schema), and
`check`, which
raises ValueError with the reason.
"""

from __future__ import annotations

import re
from functools import cache
from typing import ClassVar


class Text(str):
    """A text of one kind. Building one does not check it; reading a description does, through `check`."""

    __slots__ = ()
    form: ClassVar[str] = "text"
    pattern: ClassVar[str] = ""

    @classmethod
    def check(cls, text: str) -> None:
        """Raise ValueError with the reason if `text` is not of this kind."""
        if cls.pattern and not _compiled(cls.pattern).fullmatch(text):
            raise cls.refusal(text)

    @classmethod
    def refusal(cls, text: str) -> ValueError:
        """The error that `text` is not of this kind; long text is cut, so that the form stays readable."""
        shown = text if len(text) <= 60 else f"{text[:30]}… ({len(text)} characters)"
        return ValueError(f"{shown!r} is not {cls.form}")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


class Name(Text):
    """A name that both servers take: pipeline, agent, workflow, model …  (GoCD's rule is the stricter
    one.)"""

    form = "a name (letters, digits, `_`, `-`, `.`; not first `.`; at most 100)"
    pattern = r"[A-Za-z0-9_\-][A-Za-z0-9_\-.]{0,99}"


class StageName(Text):
    """A stage's name as DVC takes it: anything but punctuation other than `_` and `-`."""

    form = "a stage name (no punctuation but `_` and `-`; at most 200 characters)"
    pattern = r"[^!-,./:-@\[-\^`{-~\x00-\x1f\x7f]{1,200}"


class ArtifactName(Text):
    """A model's name as DVC's artifacts take it."""

    form = "a model name (lower-case letters, digits, `-`, `/`)"
    pattern = r"[a-z0-9]([a-z0-9\-/]*[a-z0-9])?"


class EnvName(Text):
    """The name of an environment variable, as both servers and a shell take it."""

    form = "an environment variable's name (letters, digits, `_`; not first a digit)"
    pattern = r"[A-Za-z_][A-Za-z0-9_]*"


class Duration(Text):
    """A span of time: `90s`, `30m`, `2h`, `1d`, or several together, `1h30m`."""

    form = "a duration such as 90s, 30m, 2h, 1h30m or 1d"
    pattern = r"(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?"

    @classmethod
    def check(cls, text: str) -> None:
        super().check(text)
        if not 0 < cls(text).seconds <= 30 * 86400:
            raise ValueError(f"{text[:60]!r} is not between 1 second and 30 days")

    @property
    def seconds(self) -> int:
        """Its length in seconds."""
        return _seconds(self)

    @property
    def minutes(self) -> int:
        """Its length in minutes, rounded up: the servers' own time-outs count in minutes."""
        return -(-self.seconds // 60)


@cache
def _seconds(duration: str) -> int:
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([dhms])", duration))


class Percent(Text):
    """A share of something else: `2%`, `0.5%`."""

    form = "a percentage such as 2%"
    pattern = r"[0-9]+(\.[0-9]+)?%"

    @property
    def fraction(self) -> float:
        """`2%` is 0.02."""
        return float(self[:-1]) / 100


class Metric(Text):
    """A value in a metrics file: `metrics/best.json:r2`, with `*` for any key:
    `metrics/by_zip.json:*.rmse`."""

    form = "a metric: FILE:PATH, such as metrics/best.json:r2"
    pattern = r"[^:\s][^:]*:[^:]+"

    @property
    def file(self) -> str:
        """The metrics file, relative to the description."""
        return self.rpartition(":")[0]

    @property
    def path(self) -> str:
        """The keys that lead to the value, joined by dots."""
        return self.rpartition(":")[2]


class Against(Text):
    """What a gate compares with: `production`, `last` (last green run of this workflow) or `branch:NAME`."""

    form = "production, last, or branch:NAME"
    pattern = r"production|last|branch:\S+"


class GitUrl(Text):
    """Where the repository is cloned from: https, ssh, git, file, `user@host:path` or an absolute path."""

    form = "a git URL (https://…, ssh://…, git@host:path, file://… or an absolute path)"
    pattern = r"(https?|ssh|git|file)://\S+|[A-Za-z0-9_.\-]+@[A-Za-z0-9_.\-]+:\S+|/\S+"


class MailAddress(Text):
    """One mail address."""

    form = "a mail address"
    pattern = r"[^@\s<>,;]+@[^@\s<>,;]+"


class Branch(Text):
    """A branch, or a pattern of branches with `*`."""

    form = "a branch or a pattern such as feature/*"
    pattern = r"(?!-)[^\s~^:?\[\\\x00-\x1f\x7f]{1,200}"

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for more than one branch."""
        return "*" in self


class TimeZone(Text):
    """An IANA time zone, such as `Europe/Paris`."""

    form = "a time zone such as Europe/Paris"

    @classmethod
    def check(cls, text: str) -> None:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(text)
        except (KeyError, ValueError, OSError):
            raise cls.refusal(text) from None


class Cron(Text):
    """When a schedule fires: five fields, as cron and Jenkins write them (`H` allowed)."""

    form = 'five cron fields: minute hour day-of-month month day-of-week, such as "0 6 * * 1-5"'

    @classmethod
    def check(cls, text: str) -> None:
        from pipegen.description.cron import Schedule

        Schedule.parse(text)


class Path(Text):
    """A path relative to the description, with `/`, that stays inside the repository."""

    form = "a path relative to the description"
    pattern = r"(?!/)[^\x00\n]*[^\s\x00][^\x00\n]*"


class Parameter(Text):
    """A parameter that a run sets: `KEY` in `params.yaml`, or `FILE:KEY`."""

    form = "a parameter: KEY in params.yaml, or FILE:KEY, such as train.alpha or config/train.yaml:alpha"
    pattern = r"([^:\s]+:)?[^:\s]+"

    @property
    def file(self) -> str:
        """The params file, relative to the description."""
        return self.rpartition(":")[0] or "params.yaml"

    @property
    def key(self) -> str:
        """The keys that lead to the value, joined by dots."""
        return self.rpartition(":")[2]


class MailServer(Text):
    """Where mail is handed in: `smtp://HOST[:PORT]`, or `smtps://` for TLS from the first byte."""

    form = "a mail server such as smtps://mail.example.com:465"
    pattern = r"smtps?://[^\s/@:]+(:[0-9]+)?/?"


class WebUrl(Text):
    """The address of a server: `http://` or `https://`."""

    form = "a web address (https://… or http://…)"
    pattern = r"https?://[^\s/]+(/\S*)?"


def seconds(duration: str) -> int:
    """The length of a duration in seconds, be it a `Duration` or plain text of a description built in Python."""
    return _seconds(duration)
