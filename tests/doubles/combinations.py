"""Which graphs run in which layout, over how many agents, with which remote."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Sequence
from typing import Any

import pytest

from tests.doubles.shapes import SHAPES

AGENTS, REMOTES = (1, 2, 4), ("folder", "s3")


def combinations(layouts: Sequence[Hashable]) -> list[Any]:
    """Every shape in every layout over every number of agents with every remote, as pytest's parameters. Those that
    aren't slow have every layout, number and remote together, and every shape, in turn."""
    settings = list(itertools.product(layouts, AGENTS, REMOTES))
    turns = range(max(len(SHAPES), len(settings)))
    few = {(list(SHAPES)[turn % len(SHAPES)], *settings[turn % len(settings)]) for turn in turns}
    return [
        pytest.param(*row, id="-".join(map(str, row)), marks=() if row in few else pytest.mark.slow)
        for row in ((shape, *setting) for shape in SHAPES for setting in settings)
    ]
