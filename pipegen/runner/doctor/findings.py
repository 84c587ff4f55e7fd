"""What a look at one thing found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing that can go out of date."""

    topic: str
    """Such as `generated files`."""
    state: Literal["fresh", "stale", "unknown"]
    message: str
    hint: str = ""
    """What to do about it."""

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        return f"{self.topic}: {self.message}" + (f" → {self.hint}" if self.hint else "")
