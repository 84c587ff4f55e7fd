"""Stage ``train``: one kind of model, fitted to the training sales. ``python -m houses.train lasso``"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Lasso
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from houses.features import GROUP, NUMERIC, TARGET
from houses.files import params, read_table, write_json, write_model
from houses.scores import scores


def lasso(settings: dict[str, Any], seed: int) -> Any:
    """A straight line through everything, with few slopes."""
    return make_pipeline(StandardScaler(), Lasso(alpha=settings["alpha"], random_state=seed))


def forest(settings: dict[str, Any], seed: int) -> Any:
    """Many trees, each grown on a sample of its own."""
    return RandomForestRegressor(
        n_estimators=settings["trees"], min_samples_leaf=settings["min_leaf"], n_jobs=1, random_state=seed
    )


def boosting(settings: dict[str, Any], seed: int) -> Any:
    """Small trees in a row, each correcting those before it."""
    return HistGradientBoostingRegressor(
        max_iter=settings["rounds"],
        learning_rate=settings["learning_rate"],
        max_leaf_nodes=settings["max_leaves"],
        early_stopping=False,
        random_state=seed,
    )


Kind = Callable[[dict[str, Any], int], Any]
KINDS: dict[str, Kind] = {"lasso": lasso, "forest": forest, "boosting": boosting}


def fit(kind: str, settings: dict[str, Any], seed: int, sales: pd.DataFrame) -> Pipeline:
    """A fitted model of ``kind`` that takes the columns of :mod:`houses.features`."""
    columns = ColumnTransformer(
        [
            ("group", OneHotEncoder(handle_unknown="ignore", sparse_output=False), [GROUP]),
            ("numeric", "passthrough", NUMERIC),
        ]
    )
    model = Pipeline([("columns", columns), (kind, KINDS[kind](settings, seed))])
    return model.fit(sales[[GROUP, *NUMERIC]], sales[TARGET])


def main(kind: str) -> None:
    settings = params("train")
    sales = read_table("data/train.csv")
    # The number of threads changes the order of sums, and so the last digit: one, and every machine agrees.
    with threadpool_limits(1):
        model = fit(kind, settings[kind], settings["seed"], sales)
        predicted = pd.Series(model.predict(sales))
    write_model(model, f"models/{kind}.pkl")
    result = scores(sales[TARGET], predicted)
    write_json(result, f"metrics/train/{kind}.json")
    print(f"{kind}: off by {result['rmse']:,.0f} EUR (root mean square) on what it learned from")


if __name__ == "__main__":
    main(sys.argv[1])
