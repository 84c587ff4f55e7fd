"""data/predictions and metrics/test: figures that belong to these predictions, for each model."""

import pytest

from houses.files import read_json, read_table
from houses.scores import scores


def test_there_is_one_prediction_for_each_test_sale(kind):
    predictions = read_table(f"data/predictions/{kind}.csv")
    assert list(predictions["sale_id"]) == list(read_table("data/test.csv")["sale_id"])
    assert predictions["predicted"].notna().all()


def test_metrics_are_those_of_the_predictions(kind):
    predictions = read_table(f"data/predictions/{kind}.csv")
    again = scores(predictions["price"], predictions["predicted"])
    assert read_json(f"metrics/test/{kind}.json") == pytest.approx(again)
