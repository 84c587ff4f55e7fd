"""Which graphs run in which layout, over how many agents, with which remote."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import pytest

from tests.doubles.shapes import SHAPES

AGENTS, REMOTES = (1, 2, 4), ("folder", "s3")

Row = tuple[str, Hashable, int, str]


def combinations(layouts: Sequence[Hashable]) -> list[Any]:
    """Every shape in every layout over every number of agents with every remote, as pytest's parameters; slow are those
    that `pairs` leaves out."""
    few = set(pairs(layouts))
    return [
        pytest.param(*row, id="-".join(map(str, row)), marks=() if row in few else pytest.mark.slow)
        for row in itertools.product(SHAPES, layouts, AGENTS, REMOTES)
    ]


def pairs(layouts: Sequence[Hashable]) -> Iterator[Row]:
    """So few that any two of shape, layout, number of agents and remote still meet."""
    for place, shape in enumerate(SHAPES):
        for turn, agents in enumerate(AGENTS):
            layout, remote = (
                layouts[(place + turn) % len(layouts)],
                REMOTES[(place // 2 + turn) % len(REMOTES)],
            )
            yield shape, layout, agents, remote
