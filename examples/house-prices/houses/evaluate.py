"""Stage ``evaluate``: one model's predictions for sales that it never saw.

``python -m houses.evaluate lasso``
"""

from __future__ import annotations

import sys

from threadpoolctl import threadpool_limits

from houses.features import GROUP, TARGET
from houses.files import read_model, read_table, write_json, write_table
from houses.scores import scores


def main(kind: str) -> None:
    sales = read_table("data/test.csv")
    model = read_model(f"models/{kind}.pkl")
    predictions = sales[["sale_id", GROUP, TARGET]].copy()
    with threadpool_limits(1):
        predictions["predicted"] = model.predict(sales).round(2)
    result = scores(predictions[TARGET], predictions["predicted"])
    write_table(predictions, f"data/predictions/{kind}.csv")
    write_json(result, f"metrics/test/{kind}.json")
    print(f"{kind}: off by {result['rmse']:,.0f} EUR (root mean square) on {result['sales']} new sales")


if __name__ == "__main__":
    main(sys.argv[1])
