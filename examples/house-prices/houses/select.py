"""Stage ``select``: the model with the smallest error on the test sales, and its figures, under one name.

``python -m houses.select lasso forest boosting``
"""

from __future__ import annotations

import shutil
import sys

from houses.features import GROUP
from houses.files import read_json, read_table, write_json, write_table
from houses.scores import scores_by


def best_of(results: dict[str, dict[str, float]]) -> str:
    """The name of the model with the smallest ``rmse``; of equals the first in the alphabet."""
    return min(sorted(results), key=lambda name: results[name]["rmse"])


def main(kinds: list[str]) -> None:
    results = {kind: read_json(f"metrics/test/{kind}.json") for kind in kinds}
    best = best_of(results)
    predictions = read_table(f"data/predictions/{best}.csv")
    shutil.copyfile(f"models/{best}.pkl", "models/best.pkl")
    write_json({"model": best, **results[best]}, "metrics/best.json")
    write_json(read_json(f"metrics/train/{best}.json"), "metrics/train.json")
    write_json(scores_by(GROUP, predictions), "metrics/by_zip.json")
    write_table(predictions, "plots/predictions.csv")
    print(f"best: {best}, r2 {results[best]['r2']:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
