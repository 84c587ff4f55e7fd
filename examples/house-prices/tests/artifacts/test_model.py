"""models/*.pkl: each loads, answers with possible prices, and has learned something.

An agent has only what the stage depends on and makes, so its tests read nothing else.
"""

import numpy as np

from houses.features import TARGET
from houses.files import read_json, read_model, read_table


def test_predicts_possible_prices(kind):
    sales = read_table("data/train.csv").head(200)
    predicted = read_model(f"models/{kind}.pkl").predict(sales)
    assert predicted.shape == (len(sales),)
    assert np.isfinite(predicted).all()
    assert np.median(predicted) > 50_000
    assert predicted.max() < 5_000_000


def test_knows_more_than_the_mean(kind):
    sales = read_table("data/train.csv")
    predicted = read_model(f"models/{kind}.pkl").predict(sales)
    error = np.sqrt(np.mean((predicted - sales[TARGET]) ** 2))
    assert error < 0.8 * sales[TARGET].std()


def test_metrics_are_sane(kind):
    metrics = read_json(f"metrics/train/{kind}.json")
    assert 0 < metrics["r2"] < 1
    assert 0 < metrics["mae"] <= metrics["rmse"]
    assert metrics["sales"] == len(read_table("data/train.csv"))
