"""models/best.pkl and its figures: the best of the models, and no other."""

from pathlib import Path

import pytest

from houses.files import read_json, read_table


@pytest.fixture
def best():
    return read_json("metrics/best.json")


def test_model_is_the_one_that_is_named(best):
    assert Path("models/best.pkl").read_bytes() == Path(f"models/{best['model']}.pkl").read_bytes()


def test_no_other_model_is_better(best):
    assert best["rmse"] == min(read_json(str(path))["rmse"] for path in Path("metrics/test").glob("*.json"))


def test_training_figures_belong_to_the_same_model(best):
    assert read_json("metrics/train.json") == read_json(f"metrics/train/{best['model']}.json")


def test_postcodes_together_are_all_sales(best):
    by_zip = read_json("metrics/by_zip.json")
    assert sum(part["sales"] for part in by_zip.values()) == best["sales"]
    assert set(by_zip) == set(read_table(f"data/predictions/{best['model']}.csv")["zip"])


def test_plotted_predictions_are_those_of_the_model(best):
    plotted = Path("plots/predictions.csv").read_bytes()
    assert plotted == Path(f"data/predictions/{best['model']}.csv").read_bytes()
