"""Judge the model by cases that it never saw."""

import json
import pickle
from pathlib import Path

import pandas as pd
from sklearn.metrics import accuracy_score, recall_score

cases = pd.read_csv("data/test.csv")
model = pickle.loads(Path("model.pkl").read_bytes())
predicted = model.predict(cases.drop(columns="target"))

pd.DataFrame({"target": cases["target"], "predicted": predicted}).to_csv("data/predictions.csv", index=False)
metrics = {
    "accuracy": round(float(accuracy_score(cases["target"], predicted)), 4),
    "malignant_found": round(float(recall_score(cases["target"], predicted, pos_label=0)), 4),
}
Path("metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
