"""Make up flats and their rents, and keep a quarter of them for the test. Put your own data in its place."""

import argparse
import csv
import random
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--cases", type=int, required=True)
parser.add_argument("--seed", type=int, required=True)
options = parser.parse_args()

dice = random.Random(options.seed)
flats = []
for _ in range(options.cases):
    area = dice.uniform(20, 150)
    rent = 200 + 12 * area + dice.gauss(0, 100)
    flats.append((round(area, 1), round(rent, 2)))

Path("data").mkdir(exist_ok=True)
quarter = len(flats) // 4
for name, part in (("test", flats[:quarter]), ("train", flats[quarter:])):
    with open(f"data/{name}.csv", "w", newline="") as file:
        csv.writer(file).writerows([("area", "rent"), *part])
