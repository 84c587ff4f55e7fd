"""data/train.csv and data/test.csv: what the models are told."""

import pytest

from houses.features import GROUP, NUMERIC, TARGET
from houses.files import read_table

PARTS = ("train", "test")


@pytest.mark.parametrize("part", PARTS)
def test_has_the_features_and_the_target(part):
    assert set(read_table(f"data/{part}.csv").columns) == {"sale_id", GROUP, *NUMERIC, TARGET}


@pytest.mark.parametrize("part", PARTS)
def test_no_sale_was_lost(part):
    before, after = read_table(f"data/split/{part}.csv"), read_table(f"data/{part}.csv")
    assert list(after["sale_id"]) == list(before["sale_id"])


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_missing_and_ranges_hold(part):
    table = read_table(f"data/{part}.csv")
    assert table.notna().all(axis=None)
    assert table["energy"].between(0, 6).all()
    assert table["age"].between(0, 180).all()
    assert table["area_per_room"].between(5, 400).all()
    assert table["season"].between(-1, 1).all()


def test_no_feature_gives_the_price_away():
    table = read_table("data/train.csv")
    assert table[NUMERIC].corrwith(table[TARGET]).abs().max() < 0.97
