"""A house with an artifact test and gates, and the changes that turn them red: the same for both servers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.doubles.house import House
from tests.support.post import Post
from tests.support.repositories import sh

STAGES = {
    "score": {
        "cmd": "cp seed.txt m.json",
        "deps": ["seed.txt"],
        "metrics": ["m.json"],
        "ci": {"tests": ["grep -q r2 m.json"]},
    }
}
GATES = {
    "hard": {"metric": "m.json:r2", "min": 0.5},
    "soft": {"metric": "m.json:r2", "min": 0.7, "warn": True},
    "no_worse": {"metric": "m.json:r2", "max_decrease": 0.8, "against": "last"},
}
WORKFLOWS = {
    "push": {"on": {"push": {"branches": ["main"]}}, "gates": "all"},
    "nightly": {"on": {"schedule": "0 6 * * *"}, "gates": "all", "report": {}},
}
OPTIONS = {"gates": GATES, "workflows": WORKFLOWS}
REVIEW = {"on": "pull_request", "servers": ["jenkins"], "gates": ["hard", "soft"]}


@dataclass(frozen=True)
class MailServer:
    """One on this machine, and what it was given."""

    port: int
    post: Post

    @property
    def options(self) -> dict[str, Any]:
        """The description's words, with this server for reports."""
        nightly = {**WORKFLOWS["nightly"], "report": {"mail": ["ann@example.com"]}}
        mail = {"server": f"smtp://127.0.0.1:{self.port}", "from": "ci@example.com"}
        return {**OPTIONS, "workflows": {**WORKFLOWS, "nightly": nightly}, "mail": mail}

    @property
    def last_subject(self) -> str:
        """Of the last letter."""
        return str(self.post.got[-1][1]["Subject"])


@dataclass(frozen=True)
class Case:
    """A change, and what becomes of a build of it.

    Args:
        r2: the metric that it leads to; None for a result that fails its test.
        jenkins: the result there. GoCD knows no `UNSTABLE`: that passes.
        says: a part of the log of the job with the gates.
        report: a part of the report's first line.
        waived_for_days: until when Ann answers for the two gates.
    """

    r2: float | None
    jenkins: str
    says: str = ""
    report: str = ""
    waived_for_days: int | None = None

    @property
    def passes(self) -> bool:
        """Whether GoCD goes on."""
        return self.jenkins != "FAILURE"

    def commit(self, house: House) -> None:
        """Make the change."""
        score(house, self.r2, waived_for_days=self.waived_for_days)


CASES = {
    "green": Case(0.9, "SUCCESS", "gates: 2 passed", "all gates passed"),
    "soft": Case(0.6, "UNSTABLE", "soft: m.json:r2 is 0.6", "soft is red but let through"),
    "hard": Case(0.3, "FAILURE", "hard: m.json:r2 is 0.3", "the gate hard failed"),
    "waived": Case(0.31, "SUCCESS", "waived by Ann", "hard and soft are red but let through", 1),
    "expired": Case(0.32, "FAILURE", "the waiver by Ann expired on", "the gate hard failed", -1),
    "untested": Case(None, "FAILURE"),
}
"""In the order in which they are made."""


def score(house: House, r2: float | None, *, waived_for_days: int | None = None) -> None:
    """Commit a change that leads to this metric, with waivers of the two gates until so many days from now."""
    before = sh(house.origin, "git", "rev-parse", "HEAD")  # no two changes are the same
    files = {"seed.txt": "{}\n" if r2 is None else f'{{"r2": {r2}}}\n', "before.txt": before}
    if waived_for_days is not None:
        until = datetime.now(timezone.utc).date() + timedelta(days=waived_for_days)
        entry = "- {{gate: {gate}, author: Ann, reason: few sales, expires: {until}}}\n"
        files["waivers.yaml"] = "".join(entry.format(gate=gate, until=until) for gate in ("hard", "soft"))
    house.commit(f"r2 {r2}", files)
