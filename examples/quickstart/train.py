"""Fit a classifier to the training cases."""

import pickle
from pathlib import Path

import pandas as pd
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

settings = yaml.safe_load(Path("params.yaml").read_text())["train"]
cases = pd.read_csv("data/train.csv")
model = make_pipeline(StandardScaler(), LogisticRegression(C=settings["regularization"]))
with threadpool_limits(1):  # the same last digit on every number of cores
    model.fit(cases.drop(columns="target"), cases["target"])
Path("model.pkl").write_bytes(pickle.dumps(model, protocol=5))
