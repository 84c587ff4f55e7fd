"""data/raw.csv: what stage ``ingest`` delivers."""

import pandas as pd
import pytest

from houses.files import params, read_table
from houses.market import ZIPS

COLUMNS = ["sale_id", "date", "zip", "area", "rooms", "built", "distance", "energy", "garden", "price"]


@pytest.fixture
def raw() -> pd.DataFrame:
    return read_table("data/raw.csv")


def test_has_the_agreed_columns(raw):
    assert list(raw.columns) == COLUMNS


def test_has_every_month_in_full(raw):
    wanted = params("ingest")
    newest = pd.Period(wanted["month"], "M")
    months = raw["date"].str[:7].value_counts()
    assert sorted(months.index) == [str(newest - back) for back in reversed(range(wanted["history"]))]
    assert months.min() >= wanted["sales"]


def test_knows_every_postcode(raw):
    assert set(raw["zip"]) == set(ZIPS)


def test_gaps_are_rare_and_only_where_they_may_be(raw):
    gaps = raw.isna().mean()
    assert gaps.drop("energy").max() == 0
    assert gaps["energy"] < 0.03


def test_numbers_are_possible(raw):
    assert raw["rooms"].between(1, 30).all()
    assert raw["built"].between(1850, 2030).all()
    assert raw["distance"].between(0, 40).all()
    assert raw["garden"].isin([0, 1]).all()
    assert raw["price"].between(20_000, 5_000_000).all()
