"""Judge the line by flats that it never saw."""

import csv
import json
from pathlib import Path
from statistics import fmean

model = json.loads(Path("model.json").read_text())
with open("data/test.csv", newline="") as file:
    flats = [(float(row["area"]), float(row["rent"])) for row in csv.DictReader(file)]

mean = fmean(rent for _, rent in flats)
missed = sum((rent - model["intercept"] - model["slope"] * area) ** 2 for area, rent in flats)
spread = sum((rent - mean) ** 2 for _, rent in flats)
metrics = {"r2": round(1 - missed / spread, 4), "rmse": round((missed / len(flats)) ** 0.5, 2)}
Path("metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
