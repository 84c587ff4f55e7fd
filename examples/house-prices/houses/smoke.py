"""Does a model in service answer sensibly? ``python -m houses.smoke deployed/staging/current/model.pkl``"""

from __future__ import annotations

import sys

import pandas as pd

from houses.features import features
from houses.files import read_model

HOUSE = {
    "date": "2026-10-01",
    "zip": "12043",
    "area": 100.0,
    "rooms": 4,
    "built": 1990,
    "distance": 6.0,
    "energy": "C",
    "garden": 1,
}


def main(path: str) -> None:
    houses = pd.DataFrame([HOUSE, {**HOUSE, "area": 180.0, "rooms": 7}])
    usual, large = read_model(path).predict(features(houses))
    if not 100_000 < usual < large < 2_000_000:
        raise SystemExit(f"{path}: {usual:,.0f} EUR for 100 m² and {large:,.0f} EUR for 180 m² are wrong")
    print(f"{path}: {usual:,.0f} EUR for 100 m², {large:,.0f} EUR for 180 m²")


if __name__ == "__main__":
    main(sys.argv[1])
