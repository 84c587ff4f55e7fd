"""What a report of a run says. Plain data: every view of it is drawn from this alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pipegen.records.gates import GateRun
from pipegen.records.run_view import StageView

Direction = Literal["up", "down", ""]
"""Which way a metric gets better; empty where no gate says."""
Mood = Literal["good", "look", "bad"]
"""How a run stands: nothing to do, something to look at, something in the way."""


@dataclass(frozen=True, kw_only=True)
class Reported:
    """What is kept of a report, for the next one to compare with."""

    at: str
    """ISO 8601, UTC."""
    passed: bool
    workflow: str = ""
    commit: str = ""
    tree: str = ""
    stamp: str = ""
    url: str = ""
    values: dict[str, float] = field(default_factory=dict)
    """Every finite metric by `FILE:KEY`."""
    entries: dict[str, Any] = field(default_factory=dict)
    """What the lock file says of each stage, by address."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One commit since the last report."""

    id: str
    author: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that is not as it was."""

    name: str
    """A parameter as `FILE:KEY`, the path of data, or a stage."""
    before: str = ""
    now: str = ""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What is not as it was in the base of comparison."""

    since: str = ""
    """What the base is, for people; empty where there is none."""
    why_not: str = ""
    """Why the changes can't be told, or not all of them: a sentence."""
    commits: tuple[Commit, ...] = ()
    """The newest first, not more than anybody reads."""
    more_commits: int = 0
    data: tuple[Change, ...] = ()
    params: tuple[Change, ...] = ()
    commands: tuple[Change, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed, as far as it can be told."""
        return not (self.commits or self.data or self.params or self.commands)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One metric."""

    name: str
    """`FILE:KEY`."""
    value: float
    """May be NaN or infinite."""
    base: float | None = None
    """The same in what it is compared with."""
    last: float | None = None
    """The same in the last report."""
    before: tuple[float, ...] = ()
    """The same in earlier runs, oldest first."""
    better: Direction = ""
    is_gated: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """One group of a metric with `*`."""

    name: str
    value: float
    base: float | None = None


@dataclass(frozen=True, kw_only=True)
class Groups:
    """A metric over groups: bias."""

    gate: str
    metric: str
    groups: tuple[Group, ...]
    """The worst first."""
    order: str
    """What is worst, for people: `highest first`."""


@dataclass(frozen=True, kw_only=True)
class TestsOf:
    """What became of the tests of one stage."""

    __test__ = False  # for pytest, which takes it for a test by its name

    stage: str
    total: int
    failed: int = 0
    skipped: int = 0
    names: tuple[str, ...] = ()
    """Of those that failed, where they are known."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line, or one set of points or bars."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Data to draw."""

    shape: Literal["line", "scatter", "bar"]
    x: str
    y: str
    series: tuple[Series, ...]
    """Of bars each point is a length and the place of its label."""
    labels: tuple[str, ...] = ()
    """For bars and for lines over words: what stands at 0, 1, 2 …"""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One plot of DVC's: data to draw, a picture, or a sentence about why it is neither."""

    title: str
    path: str
    chart: Chart | None = None
    picture: bytes = b""
    kind: str = ""
    """Of the picture: `png`, `jpeg`, `gif`, `svg+xml`."""
    says: str = ""
    """Why it isn't shown."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a report says."""

    pipeline: str
    workflow: str = ""
    at: str = ""
    """ISO 8601, UTC."""
    commit: str = ""
    branch: str = ""
    subject: str = ""
    """Of the commit."""
    server: str = ""
    number: str = ""
    url: str = ""
    run: str = ""
    """Equal for all jobs of one build."""
    owner: str = ""
    mood: Mood = "good"
    headline: str = ""
    """How it stands, in a few words."""
    next_step: str = ""
    """What to do now: one sentence."""
    changes: Changes = Changes()
    base: str = ""
    """What metrics are compared with, for people; empty where there is nothing."""
    no_base: str = ""
    """Why there is nothing: a sentence."""
    last: str = ""
    """When the last report was; empty for the first one."""
    measures: tuple[Measure, ...] = ()
    """Those of gates first."""
    groups: tuple[Groups, ...] = ()
    gates: GateRun | None = None
    no_gates: str = ""
    """Why no gates are shown: a sentence."""
    reds: dict[str, str] = field(default_factory=dict)
    """For each gate that was red: since when, or when it was, for people."""
    stages: tuple[StageView, ...] = ()
    seconds: float | None = None
    """From the begin of the first stage to the end of the last."""
    tests: tuple[TestsOf, ...] = ()
    plots: tuple[Plot, ...] = ()
    stale: tuple[str, ...] = ()
    """What is out of date, and what to do about it: sentences."""
    notes: tuple[str, ...] = ()
    """What is missing in this report, and why: sentences."""
