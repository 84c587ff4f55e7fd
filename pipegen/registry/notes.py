"""What an annotated tag says beside its name: a line for people, and trailers as git has them, `Pipegen-Built: 1a2b…`.

The SHA-256 of run records stand in them, so that `gc` keeps for ever what these records name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_TRAILER = re.compile(r"Pipegen-(?P<key>[A-Z][A-Za-z-]*): (?P<value>.*)")

BUILT = "Built"
"""The commit that was built; the registered one differs from it by the lock file alone."""
STAMP = "Stamp"
"""The tree and the values of the run that made the version, as in its lock fragments."""
MODEL = "Model"
"""The hash and the path of the model, as DVC has them."""
WORKFLOW = "Workflow"
SET = "Set"
"""A parameter that the run fixed: `FILE:KEY = VALUE`, the value as JSON."""
METRIC = "Metric"
"""`FILE:PATH = NUMBER`."""
VALUES = "Values"
"""A hash of all metrics that gates look at: by it evidence is known to be of this version."""
GATES = "Gates"
"""The SHA-256 of a result of the gates, its workflow, verdict and time."""
WITHOUT_GATES = "Without-Gates"
"""Why it was promoted without their evidence."""
RECORD = "Record"
"""The SHA-256 of the record of a stage of the run."""
BUILD = "Build"
"""The address of the build on its server."""
VERSION = "Version"
"""What is promoted."""
OVER = "Over"
"""What served before; empty where nothing did."""
FROM = "From"
"""The environment whose version was taken."""
APPROVED = "Approved-By"
TAKES_BACK = "Takes-Back"
"""The tag of a promotion whose deployment failed."""
ROLLS_BACK = "Rolls-Back"
"""The version that a person rolled back."""
REASON = "Reason"
NONCE = "Id"
"""A number of its own: else two tags that one person makes at once could be one object, and both would seem to win."""


@dataclass(frozen=True)
class Notes:
    """A line for people, and what programs read."""

    says: str
    trailers: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """As the tag has it."""
        rows = [f"Pipegen-{key}: {_one_line(value)}" for key, value in self.trailers if value]
        return "\n".join([_one_line(self.says), "", *rows]) + "\n"

    @classmethod
    def read(cls, text: str) -> Notes:
        """What a tag says; one that others made has just its text."""
        lines = text.strip().splitlines()
        found = [match for match in map(_TRAILER.fullmatch, lines) if match]
        return cls(lines[0] if lines else "", tuple((row["key"], row["value"]) for row in found))

    def get(self, key: str) -> str:
        """The value of a trailer; empty where there is none."""
        return next((value for name, value in self.trailers if name == key), "")

    def all(self, key: str) -> list[str]:
        """The values of all trailers of that name."""
        return [value for name, value in self.trailers if name == key]


def rows(key: str, values: Iterable[str]) -> list[tuple[str, str]]:
    """The same trailer several times."""
    return [(key, value) for value in values]


def _one_line(text: str) -> str:
    return " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())
