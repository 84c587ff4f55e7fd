"""A description that is written and read again is the same description."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from pipegen.description.load import load, loads
from pipegen.description.model import On, Pipeline, Push, Workflow
from pipegen.description.stage_words import Ci, Foreach, Stage
from pipegen.description.stages import resolve
from pipegen.description.text import Branch, Duration, Name
from pipegen.description.writing import to_data
from pipegen.errors import DescriptionError
from tests.description.strategies import pipelines

SAMPLE = Path(__file__).parent / "samples" / "design.yaml"
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/pipegen.yaml"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(pipelines())
def test_any_description_reads_back_as_it_was_written(pipeline: Pipeline) -> None:
    assert loads(pipeline.to_yaml()) == pipeline


@pytest.mark.parametrize("path", [SAMPLE, *EXAMPLES], ids=lambda path: path.parent.name)
def test_samples_read_back_as_they_were(path: Path) -> None:
    pipeline = load(path)
    assert loads(pipeline.to_yaml()) == pipeline


def test_the_sample_says_what_it_says() -> None:
    pipeline = load(SAMPLE)
    assert [str(name) for name in pipeline.workflows] == [
        "push",
        "branches",
        "review",
        "nightly",
        "try",
        "release",
    ]
    train = pipeline.stages["train"]  # type: ignore[index]
    assert isinstance(train, Foreach)
    assert train.do.ci is not None
    assert train.do.ci.timeout == Duration("2h")
    assert pipeline.workflows["release"].approve is not None
    assert pipeline.gates["fair"].max_spread == "25%"
    assert pipeline.secrets["s3"].servers["jenkins"] == {"id": "aws", "type": "username_password"}


def test_the_sample_resolves_to_its_stages(tmp_path: Path) -> None:
    stages = resolve(load(SAMPLE), tmp_path)
    assert list(stages) == ["ingest", "train@lasso", "train@boosting"]
    assert [stage.ci.agent for stage in stages.values()] == [None, "linux", "gpu"]


def test_what_is_left_out_stays_out() -> None:
    pipeline = Pipeline(name=Name("d"), stages={"a": Stage(cmd="x", ci=Ci(retry=2))})  # type: ignore[dict-item]
    assert to_data(pipeline) == {"pipegen": 1, "name": "d", "stages": {"a": {"cmd": "x", "ci": {"retry": 2}}}}


def test_built_in_python_equals_read_from_text() -> None:
    built = Pipeline(
        name=Name("d"),
        stages={"a": Stage(cmd="x")},  # type: ignore[dict-item]
        workflows={Name("w"): Workflow(on=On(push=Push(branches=[Branch("main")])))},
    )
    assert (
        loads("name: d\nstages: {a: {cmd: x}}\nworkflows: {w: {on: {push: {branches: [main]}}}}\n") == built
    )


def test_a_description_without_a_file_still_names_the_place() -> None:
    from pipegen.description.checks import check

    pipeline = Pipeline(
        name=Name("d"),
        stages={"a": Stage(cmd="x", ci=Ci(agent=Name("gpu")))},  # type: ignore[dict-item]
    )
    [problem] = check(pipeline, resolve(pipeline, Path()))
    assert problem.message == "stages.a.ci.agent: the agent 'gpu' is not defined"
    with pytest.raises(DescriptionError, match=r"stages\.a\.ci\.agent"):
        raise DescriptionError([problem])
