"""Reading and writing the pipeline's files, so that the same content always is the same bytes.

DVC tells by hash whether something changed: key order, number format and line ends are fixed here, once.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

DIGITS = 9  # significant; more would show how each processor rounds
PICKLE_PROTOCOL = 5


def params(section: str) -> dict[str, Any]:
    """One section of ``params.yaml``, such as ``ingest``."""
    content: dict[str, dict[str, Any]] = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    return content[section]


def read_table(path: str) -> pd.DataFrame:
    """A CSV file as a table; postcodes stay text, however numeric they look."""
    return pd.read_csv(path, dtype={"zip": str})


def write_table(table: pd.DataFrame, path: str) -> None:
    """Write ``table`` as CSV, without its index."""
    target = _ready(path)
    table.to_csv(target, index=False, float_format=f"%.{DIGITS}g", lineterminator="\n", encoding="utf-8")


def read_json(path: str) -> Any:
    """The content of a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_json(content: Any, path: str) -> None:
    """Write ``content`` with sorted keys."""
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"
    _ready(path).write_text(text, encoding="utf-8")


def read_model(path: str) -> Any:
    """A fitted model. Unpickling runs code: read only what this pipeline wrote."""
    return pickle.loads(Path(path).read_bytes())


def write_model(model: Any, path: str) -> None:
    """Pickle a fitted model."""
    _ready(path).write_bytes(pickle.dumps(model, protocol=PICKLE_PROTOCOL))


def write_text(text: str, path: str) -> None:
    """Write text as UTF-8."""
    _ready(path).write_text(text, encoding="utf-8")


def _ready(path: str) -> Path:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
