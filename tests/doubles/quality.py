"""A house with an artifact test and gates, and the changes that turn them red: the same for both servers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from tests.doubles.house import House

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
    "no_worse": {"metric": "m.json:r2", "max_decrease": 0.5, "against": "last"},
}
WORKFLOWS = {
    "push": {"on": {"push": {"branches": ["main"]}}, "gates": "all"},
    "nightly": {"on": {"schedule": "0 6 * * *"}, "gates": "all"},
}
OPTIONS = {"gates": GATES, "workflows": WORKFLOWS}
REVIEW = {"on": "pull_request", "servers": ["jenkins"], "gates": ["hard"]}


def score(house: House, r2: float, *, waived_for_days: int | None = None) -> None:
    """Commit a change that leads to this metric, with waivers of the two gates until so many days from now."""
    files = {"seed.txt": f'{{"r2": {r2}}}\n'}
    if waived_for_days is not None:
        until = datetime.now(timezone.utc).date() + timedelta(days=waived_for_days)
        entry = "- {{gate: {gate}, author: Ann, reason: few sales, expires: {until}}}\n"
        files["waivers.yaml"] = "".join(entry.format(gate=gate, until=until) for gate in ("hard", "soft"))
    house.commit(f"r2 {r2}", files)
