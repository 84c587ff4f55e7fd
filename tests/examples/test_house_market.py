"""examples/house-prices: the made-up market, the split and the checks as functions; a full-size run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from example_runs import EXAMPLES, copy_example, digests, environment, run_steps, steps

EXAMPLE = EXAMPLES / "house-prices"
MARKET = {"sales": 50, "seed": 3}


@pytest.fixture(autouse=True)
def example_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))


def _by_month(month: str, history: int, drift: float = 0.0) -> dict[str, str]:
    from houses.market import sales_until

    table = sales_until(month, history, drift=drift, **MARKET)
    return {str(name): rows.to_csv(index=False) for name, rows in table.groupby(table["date"].str[:7])}


def test_a_month_has_the_same_sales_whatever_is_asked_around_it() -> None:
    earlier, later = _by_month("2026-10", 3), _by_month("2026-11", 5)
    assert list(earlier) == ["2026-08", "2026-09", "2026-10"]
    assert list(later) == ["2026-07", *earlier, "2026-11"]
    assert all(later[month] == sales for month, sales in earlier.items())


def test_drift_moves_the_newest_quarter_alone() -> None:
    calm, moved = _by_month("2026-10", 6), _by_month("2026-10", 6, drift=0.5)
    assert [month for month in calm if calm[month] != moved[month]] == ["2026-08", "2026-09", "2026-10"]


def test_a_sale_stays_on_its_side_of_the_split() -> None:
    import pandas as pd
    from houses.split import is_test

    ids = pd.Series([f"2026-10-{number:04d}" for number in range(2000)])
    sides = is_test(ids, 0.25, seed=1)
    assert 0.2 < sides.mean() < 0.3
    assert is_test(ids[500:], 0.25, seed=1).equals(sides[500:])
    assert not is_test(ids, 0.25, seed=2).equals(sides)
    assert (is_test(ids, 0.5, seed=1) | ~sides).all(), "a larger share keeps those of the smaller"


def test_records_that_cannot_be_true_are_rejected_with_the_reason() -> None:
    import pandas as pd
    from houses.market import sales_until
    from houses.validate import reasons_to_reject

    raw = sales_until("2026-10", 1, drift=0.0, **MARKET).dropna().drop_duplicates("sale_id")
    raw = raw[raw["area"] < 400].head(5).reset_index(drop=True)
    assert list(reasons_to_reject(raw)) == [""] * 5
    bad = pd.concat([raw, raw.head(1)], ignore_index=True)
    bad.loc[1, "energy"] = None
    bad.loc[2, "area"] = 4000.0
    bad.loc[3, "price"] = 0
    wanted = ["", "incomplete", "impossible area", "impossible price", "", "entered twice"]
    assert list(reasons_to_reject(bad)) == wanted


def test_too_many_bad_records_stop_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from houses.market import sales_until
    from houses.validate import main

    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("validate: {max_rejected: 0.05}")
    (tmp_path / "data").mkdir()
    table = sales_until("2026-10", 1, drift=0.0, **MARKET)
    table.loc[:9, "area"] = -1.0
    table.to_csv("data/raw.csv", index=False)
    with pytest.raises(SystemExit, match="records are unusable, at most"):
        main()
    assert not (tmp_path / "data/valid.csv").exists()


def _spread_by_zip(folder: Path) -> float:
    errors = [part["rmse"] for part in json.loads((folder / "metrics/by_zip.json").read_text()).values()]
    return (max(errors) - min(errors)) / (sum(errors) / len(errors))


def _best(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics/best.json").read_text())


@pytest.mark.slow
def test_full_size_twice_gives_the_same_bytes_and_passes_its_gates(tmp_path: Path) -> None:
    """The real commands one by one in one copy, all stages in one process in the other."""
    first, second = (copy_example("house-prices", tmp_path / name) for name in ("first", "second"))
    for step in steps(first):
        subprocess.run(step.cmd, shell=True, cwd=first, env=environment(), check=True, capture_output=True)
    run_steps([(second, step) for step in steps(second)], hash_seed=5, threads=1)
    for step in steps(first):
        assert digests(first, step.outs) == digests(second, step.outs), step.name

    best, train = _best(first), json.loads((first / "metrics/train.json").read_text())
    assert best["model"] == "boosting"
    assert best["r2"] > 0.9
    assert train["r2"] - best["r2"] < 0.1
    assert _spread_by_zip(first) < 0.25


@pytest.mark.slow
def test_drift_is_unfair_to_one_postcode_long_before_the_model_is_bad(tmp_path: Path) -> None:
    folder = copy_example("house-prices", tmp_path / "drifted")
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["ingest"]["drift"] = 0.5
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    run_steps([(folder, step) for step in steps(folder)], hash_seed=1, threads=1)
    assert _best(folder)["r2"] > 0.75
    assert _spread_by_zip(folder) > 0.25
