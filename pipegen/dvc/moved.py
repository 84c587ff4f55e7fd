"""How much was brought between a remote and here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Moved:
    """What was brought one way or the other."""

    objects: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def __add__(self, other: Moved) -> Moved:
        return Moved(
            self.objects + other.objects, self.bytes + other.bytes, round(self.seconds + other.seconds, 3)
        )

    def __str__(self) -> str:
        size = self.bytes
        shown = (
            f"{size} bytes"
            if size < 1000
            else f"{size / 1e3:.3g} kB"
            if size < 1e6
            else f"{size / 1e6:,.1f} MB"
        )
        objects = "1 object" if self.objects == 1 else f"{self.objects} objects"
        return f"{objects}, {shown}, in {self.seconds:.2g} s"
