"""Few combinations in which every two values of different factors meet."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable
from typing import Any

import pytest


def pairwise(*factors: Iterable[Hashable]) -> list[tuple[Any, ...]]:
    """Greedily the row of the product that has most pairs not seen yet, until all were seen; always the same rows."""
    rows = list(itertools.product(*factors))
    unseen = {pair for row in rows for pair in _pairs(row)}
    chosen = []
    while unseen:
        best = max(rows, key=lambda row: len(unseen.intersection(_pairs(row))))
        unseen.difference_update(_pairs(best))
        chosen.append(best)
    return chosen


def product(*factors: Iterable[Hashable]) -> list[Any]:
    """All combinations as pytest's parameters; all but the few are slow."""
    few = set(pairwise(*factors))
    return [
        pytest.param(*row, id="-".join(map(str, row)), marks=() if row in few else pytest.mark.slow)
        for row in itertools.product(*factors)
    ]


def _pairs(row: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return list(itertools.combinations(enumerate(row), 2))
