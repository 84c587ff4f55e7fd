"""data/split: each sale is on one side, and both sides look alike."""

import pytest

from houses.files import params, read_table


@pytest.fixture
def train():
    return read_table("data/split/train.csv")


@pytest.fixture
def test():
    return read_table("data/split/test.csv")


def test_no_sale_is_on_both_sides_or_lost(train, test):
    ids = [*train["sale_id"], *test["sale_id"]]
    assert len(ids) == len(set(ids))
    assert sorted(ids) == sorted(read_table("data/valid.csv")["sale_id"])


def test_share_is_the_one_asked_for(train, test):
    assert len(test) / (len(train) + len(test)) == pytest.approx(params("split")["test"], abs=0.06)


def test_every_postcode_is_on_both_sides(train, test):
    assert set(train["zip"]) == set(test["zip"])


def test_prices_are_alike(train, test):
    assert test["price"].mean() == pytest.approx(train["price"].mean(), rel=0.15)
