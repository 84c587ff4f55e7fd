"""What the tests that aren't slow have of all combinations."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from tests.doubles.combinations import AGENTS, REMOTES, pairs
from tests.doubles.shapes import SHAPES


@pytest.mark.parametrize("layouts", [("levels", "pipelines"), ("levels", "chain", "graph")])
def test_any_two_meet(layouts: Sequence[str]) -> None:
    rows = list(pairs(layouts))
    for (one, these), (other, those) in itertools.combinations(
        enumerate([list(SHAPES), layouts, AGENTS, REMOTES]), 2
    ):
        met = {(row[one], row[other]) for row in rows}
        assert met == set(itertools.product(these, those))
