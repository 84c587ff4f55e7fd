"""examples/quickstart: four stages that do what they declare, the same way every time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from example_runs import EXAMPLES, copy_example, digests, run_each_alone, run_steps, steps

STEPS = steps(EXAMPLES / "quickstart")


@pytest.fixture(scope="module")
def produced(scratch: Path) -> Path:
    folder = copy_example("quickstart", scratch / "quickstart")
    run_steps([(folder, step) for step in STEPS], hash_seed=1, threads=1)
    return folder


def test_has_four_stages() -> None:
    assert [step.name for step in STEPS] == ["prepare", "train", "evaluate", "report"]


def test_model_is_good(produced: Path) -> None:
    metrics = json.loads((produced / "metrics.json").read_text())
    assert 0.93 < metrics["accuracy"] <= 1
    assert 0.9 < metrics["malignant_found"] <= 1


def test_report_counts_every_case(produced: Path) -> None:
    metrics = json.loads((produced / "metrics.json").read_text())
    cases = len((produced / "data/test.csv").read_text().splitlines()) - 1
    assert f"Right in {metrics['accuracy']:.1%} of {cases} cases." in (produced / "report.md").read_text()


def test_same_bytes_again_from_declared_inputs_alone(produced: Path, scratch: Path) -> None:
    alone = run_each_alone(produced, scratch / "quickstart-alone")
    for step in STEPS:
        assert digests(alone[step.name], step.outs) == digests(produced, step.outs), step.name
