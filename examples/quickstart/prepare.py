"""Split the breast-cancer data that comes with scikit-learn into training and test cases."""

from pathlib import Path

import yaml
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

settings = yaml.safe_load(Path("params.yaml").read_text())["prepare"]
cases = load_breast_cancer(as_frame=True).frame
parts = train_test_split(cases, test_size=settings["test"], random_state=settings["seed"])

Path("data").mkdir(exist_ok=True)
for name, part in zip(("train", "test"), parts, strict=True):
    part.to_csv(f"data/{name}.csv", index=False)
