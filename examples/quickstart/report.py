"""Say in a few lines what came out."""

import csv
import json
from collections import Counter
from pathlib import Path

CLASSES = ("malignant", "benign")

metrics = json.loads(Path("metrics.json").read_text())
with open("data/predictions.csv", newline="") as file:
    counts = Counter((int(row["target"]), int(row["predicted"])) for row in csv.DictReader(file))

lines = ["# Breast cancer", "", "| case | called malignant | called benign |", "|---|---|---|"]
lines += [f"| {name} | {counts[is_, 0]} | {counts[is_, 1]} |" for is_, name in enumerate(CLASSES)]
lines += ["", f"Right in {metrics['accuracy']:.1%} of {counts.total()} cases."]
Path("report.md").write_text("\n".join(lines) + "\n")
