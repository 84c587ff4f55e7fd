"""Stage ``features``: what a model is told about a house.

Every feature comes from the sale itself, none from its neighbours: the same function serves in production.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from houses.files import read_table, write_table

NUMERIC = ["area", "rooms", "area_per_room", "age", "distance", "energy", "garden", "month", "season"]
GROUP = "zip"
TARGET = "price"
ENERGY = {letter: number for number, letter in enumerate("ABCDEFG")}
FIRST_YEAR = 2020


def features(sales: pd.DataFrame) -> pd.DataFrame:
    """The columns ``NUMERIC`` and ``GROUP`` for each sale, in its order."""
    date = pd.to_datetime(sales["date"])
    return pd.DataFrame(
        {
            "zip": sales["zip"],
            "area": sales["area"],
            "rooms": sales["rooms"],
            "area_per_room": sales["area"] / sales["rooms"],
            "age": date.dt.year - sales["built"],
            "distance": sales["distance"],
            "energy": sales["energy"].map(ENERGY),
            "garden": sales["garden"],
            "month": (date.dt.year - FIRST_YEAR) * 12 + date.dt.month - 1,
            "season": np.sin(2 * np.pi * (date.dt.month - 3) / 12),
        }
    )


def main() -> None:
    for part in ("train", "test"):
        sales = read_table(f"data/split/{part}.csv")
        table = pd.concat([sales[["sale_id"]], features(sales), sales[[TARGET]]], axis="columns")
        write_table(table, f"data/{part}.csv")
        print(f"{part}: {len(table)} sales, {len(NUMERIC) + 1} features")


if __name__ == "__main__":
    main()
