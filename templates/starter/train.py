"""Fit a straight line, rent over area, by least squares."""

import argparse
import csv
import json
from pathlib import Path
from statistics import fmean

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--shrink", type=float, required=True, help="how far the slope is pulled towards zero")
options = parser.parse_args()

with open("data/train.csv", newline="") as file:
    flats = [(float(row["area"]), float(row["rent"])) for row in csv.DictReader(file)]

mean_area, mean_rent = fmean(area for area, _ in flats), fmean(rent for _, rent in flats)
together = sum((area - mean_area) * (rent - mean_rent) for area, rent in flats)
alone = sum((area - mean_area) ** 2 for area, _ in flats)
slope = together / (alone * (1 + options.shrink))
model = {"slope": slope, "intercept": mean_rent - slope * mean_area}
Path("model.json").write_text(json.dumps(model, indent=2) + "\n")
