"""What is kept of a start until its run can be seen: GoCD gives no counter when it takes the order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ticket:
    """A start that was ordered."""

    last: int
    """The highest counter before it; 0 where there was no run."""
    asked: float
    """When, by the server's clock: seconds since 1970."""
    user: str
    """Who we are there; empty where the server doesn't say."""

    def __str__(self) -> str:
        return f"{self.last} {self.asked:.0f} {self.user}"

    @classmethod
    def read(cls, text: str) -> Ticket:
        """From its text."""
        last, asked, user = text.split(" ", 2)
        return cls(int(last), float(asked), user)

    def fits(self, instance: Mapping[str, Any]) -> bool:
        """Whether a run is the one that was ordered: newer, started by hand, and by us."""
        cause = instance["build_cause"]
        approver = cause["approver"].lower()
        by_us = approver == self.user.lower() if self.user else approver != "timer"
        return bool(instance["counter"] > self.last and cause["trigger_forced"] and by_us)
