"""A made-up housing market that behaves like a real one where it matters to a model.

The same month always brings the same sales, whichever months are asked for around it. Prices follow the
postcode, the living area, the age (old houses have charm, those of the seventies have none), the distance to
the centre, the energy class and the garden, by products and steps that no straight line follows, plus noise.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

EPOCH = pd.Period("2020-01", "M")
ENERGY_CLASSES = "ABCDEFG"
CENTRE_PRICE = {"10115": 4700, "10437": 4500, "12043": 4150, "13347": 3950, "14193": 4300}  # EUR per m²
TYPICAL_DISTANCE = {"10115": 2.0, "10437": 4.0, "12043": 6.0, "13347": 8.0, "14193": 11.0}  # km
ZIPS = tuple(CENTRE_PRICE)
BOOM_ZIP = "13347"  # where prices run away when the market drifts
NOISE = 24_000.0  # EUR, standard deviation
DRIFTING_MONTHS = 3

_ENERGY_FACTOR = np.array([1.10, 1.06, 1.02, 1.0, 0.95, 0.89, 0.82])


def sales_until(month: str, history: int, sales: int, drift: float, seed: int) -> pd.DataFrame:
    """``sales`` sales in each of the ``history`` months up to and with ``month`` (``YYYY-MM``), in order.

    ``drift`` (0 to 1) moves the newest three months away: larger houses, further out, a boom in one postcode.
    """
    newest = pd.Period(month, "M")
    months = [newest - back for back in reversed(range(history))]
    return pd.concat(
        [
            _sales_of(each, sales, drift if (newest - each).n < DRIFTING_MONTHS else 0.0, seed)
            for each in months
        ],
        ignore_index=True,
    )


def _sales_of(month: pd.Period, sales: int, drift: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([seed, month.year, month.month])
    houses = _houses(rng, month, sales, drift)
    houses["price"] = _prices(rng, houses, month, drift)
    return _with_slips(rng, houses)


def _houses(rng: np.random.Generator, month: pd.Period, sales: int, drift: float) -> pd.DataFrame:
    zips = rng.choice(ZIPS, size=sales)
    day = rng.integers(1, 29, size=sales)
    area = np.clip(rng.lognormal(np.log(98), 0.33, size=sales) * (1 + 0.25 * drift), 28, 320).round(1)
    distance = np.array([TYPICAL_DISTANCE[zip_] for zip_ in zips]) * rng.uniform(0.5, 1.5, size=sales)
    built = np.select(
        [(era := rng.random(sales)) < 0.3, era < 0.7],
        [rng.integers(1885, 1930, size=sales), rng.integers(1950, 1985, size=sales)],
        rng.integers(1985, month.year + 1, size=sales),
    )
    energy = np.clip((2026 - built) / 22 + rng.normal(0, 1.3, size=sales), 0, 6).round().astype(int)
    garden = rng.random(sales) < np.clip(distance / 14, 0.05, 0.9)
    return pd.DataFrame(
        {
            "sale_id": [f"{month}-{number:04d}" for number in range(sales)],
            "date": [f"{month}-{number:02d}" for number in sorted(day)],
            "zip": zips,
            "area": area,
            "rooms": np.maximum(1, (area / rng.normal(26, 3.5, size=sales).clip(16, 40)).round()).astype(int),
            "built": built,
            "distance": (distance * (1 + 0.3 * drift)).round(2),
            "energy": [ENERGY_CLASSES[index] for index in energy],
            "garden": garden.astype(int),
        }
    )


def _prices(rng: np.random.Generator, houses: pd.DataFrame, month: pd.Period, drift: float) -> np.ndarray:
    age = month.year - houses["built"].to_numpy()
    distance = houses["distance"].to_numpy()
    zips = houses["zip"].to_numpy()
    per_m2 = np.array([CENTRE_PRICE[zip_] for zip_ in zips])
    location = 1.05 - 0.22 * np.tanh(distance / 5) + 0.08 * (distance < 3)
    condition = np.where(age > 90, 1.08, 1.0 - 0.0045 * np.minimum(age, 60))
    energy = _ENERGY_FACTOR[[ENERGY_CLASSES.index(letter) for letter in houses["energy"]]]
    months = (month - EPOCH).n
    season = 1 + 0.02 * np.sin(2 * np.pi * (month.month - 3) / 12)
    boom = np.where(zips == BOOM_ZIP, 1 + drift * rng.uniform(0.1, 0.9, size=len(houses)), 1.0)
    value = houses["area"].to_numpy() ** 0.97 * per_m2 * location * condition * energy * boom
    garden = houses["garden"].to_numpy() * np.where(distance > 6, 38_000, 12_000)
    price = (value + garden) * season * 1.002**months + rng.normal(0, NOISE, size=len(houses))
    return np.maximum(price, 30_000).round(-2).astype(int)


def _with_slips(rng: np.random.Generator, houses: pd.DataFrame) -> pd.DataFrame:
    """What clerks do: now and then no energy class, an area in the wrong unit, a sale entered twice."""
    slip = rng.random(len(houses))
    houses.loc[slip < 0.008, "energy"] = None
    houses.loc[slip > 0.996, "area"] *= 10.764  # square feet
    twice = houses[(slip > 0.5) & (slip < 0.504)]
    return pd.concat([houses, twice], ignore_index=True)
