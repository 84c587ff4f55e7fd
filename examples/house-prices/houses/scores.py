"""How well prices were predicted: the same figures wherever they are needed."""

from __future__ import annotations

import numpy as np
import pandas as pd


def scores(price: pd.Series, predicted: pd.Series) -> dict[str, float]:
    """``rmse``, ``mae`` and ``bias`` in EUR, ``r2`` and ``mape`` as shares, and the number of ``sales``."""
    actual, guess = price.to_numpy(float), predicted.to_numpy(float)
    error = guess - actual
    return {
        "rmse": round(float(np.sqrt(np.mean(error**2))), 2),
        "mae": round(float(np.mean(np.abs(error))), 2),
        "bias": round(float(np.mean(error)), 2),
        "mape": round(float(np.mean(np.abs(error) / actual)), 6),
        "r2": round(float(1 - np.sum(error**2) / np.sum((actual - actual.mean()) ** 2)), 6),
        "sales": len(actual),
    }


def scores_by(group: str, predictions: pd.DataFrame) -> dict[str, dict[str, float]]:
    """:func:`scores` of each group, such as each postcode."""
    return {str(name): scores(rows["price"], rows["predicted"]) for name, rows in predictions.groupby(group)}
