"""The fenced code blocks of Markdown pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Fence:
    """One block: what follows its three back-quotes, and its text."""

    page: str
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def fences(path: Path, root: Path) -> list[Fence]:
    """All blocks of a page, in order."""
    text = path.read_text("utf-8")
    return [
        Fence(
            path.relative_to(root).as_posix(),
            text.count("\n", 0, found.start()) + 1,
            found["info"].strip(),
            found["text"],
        )
        for found in _FENCE.finditer(text)
    ]
