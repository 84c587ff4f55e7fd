"""The grammar is printed from the classes: complete, current in the documentation, and as strict as it can be."""

from __future__ import annotations

import copy
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from pipegen.cli.schema import schema as command
from pipegen.cli.schema import words_of_targets
from pipegen.description.grammar import table
from pipegen.description.json_schema import schema
from pipegen.description.lints import LINTS
from pipegen.description.load import load, loads
from pipegen.description.model import Pipeline
from pipegen.description.words import words
from pipegen.description.writing import to_data
from pipegen.dvc.yaml12 import parse
from tests.description.strategies import pipelines

ROOT = Path(__file__).parents[2]
SAMPLES = [
    Path(__file__).parent / "samples" / "design.yaml",
    *sorted((ROOT / "examples").glob("*/pipegen.yaml")),
]
PLAIN = Draft202012Validator(schema())
WITH_TARGETS = Draft202012Validator(schema(words_of_targets()))


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documentation_is_current() -> None:
    for path, text in generator().pages().items():
        assert path.read_text(encoding="utf-8") == text, (
            f"run `python docs/generate.py`: {path.name} is out of date"
        )


def test_schemas_are_schemas() -> None:
    for validator in (PLAIN, WITH_TARGETS):
        Draft202012Validator.check_schema(validator.schema)


def test_every_key_and_lint_has_a_line() -> None:
    text = table(words_of_targets())
    for key in words(Pipeline):
        assert f"| `{key}` |" in text
    for code in LINTS:
        assert f"| `{code}` |" in text
    for place in words_of_targets():
        assert f"### `{place.replace('*', 'NAME')}`" in text


def test_every_link_leads_to_a_heading() -> None:
    import re

    text = table(words_of_targets())
    headings = {
        re.sub(r"[^\w\- ]", "", line.removeprefix("### ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("### ")
    }
    links = set(re.findall(r"\]\(#([^)]*)\)", text))
    assert links
    assert links <= headings


def test_tables_have_equal_columns() -> None:
    import re

    block: list[int] = []
    for line in [*table(words_of_targets()).splitlines(), ""]:
        if line.startswith("|"):
            block.append(len(re.findall(r"(?<!\\)\|", line)))
        else:
            assert len(set(block)) <= 1, line
            block = []


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(pipelines())
def test_the_schema_takes_what_reading_takes(pipeline: Pipeline) -> None:
    data = to_data(pipeline)
    assert loads(pipeline.to_yaml()) == pipeline
    assert list(PLAIN.iter_errors(data)) == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.parent.name)
def test_samples_pass(path: Path) -> None:
    data = parse(path.read_text(encoding="utf-8"), path.name).value
    assert list(PLAIN.iter_errors(data)) == []
    assert list(WITH_TARGETS.iter_errors(data)) == []


def test_a_reference_to_the_schema_changes_nothing() -> None:
    assert load(SAMPLES[0]) == loads(
        "# yaml-language-server: $schema=x\n" + SAMPLES[0].read_text(encoding="utf-8")
    )


BROKEN: list[tuple[tuple[str, ...], Any]] = [
    (("nmae",), "x"),
    (("name",), None),
    (("name",), "a b"),
    (("name",), 3),
    (("pipegen",), 2),
    (("defaults", "retry"), "often"),
    (("defaults", "timeout"), "soon"),
    (("data", "lock"), "keep"),
    (("env",), {"A": True}),
    (("env",), {"1A": "x"}),
    (("gates", "fair", "metric"), "r2"),
    (("gates", "fair", "max_spread"), "much"),
    (("lint",), {"no-such": False}),
    (("python", "requirements"), "requirements.txt"),
    (("mail", "server"), "mail.example.com"),
    (("stages", "ingest", "comand"), "x"),
    (("stages", "ingest", "cmd"), 3),
    (("stages", "ingest", "agent"), "linux"),
    (("stages", "ingest", "ci", "outs"), []),
    (("stages", "train", "cmd"), "x"),
    (("stages", "train", "do", "deps"), "x"),
    (("stages", "a.b"), {"cmd": "x"}),
    (("workflows", "push", "on"), "push"),
    (("workflows", "push", "on"), {"push": {"branches": "main"}}),
    (("workflows", "nightly", "report", "mail"), ["nobody"]),
    (("workflows", "nightly", "promote"), {"model": "house-price"}),
    (("workflows", "try", "inputs"), {"alpha": {"sets": "a"}}),
    (("tolerance",), {"m.json": 1}),
]


def changed(data: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    result = copy.deepcopy(data)
    inner = result
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return result


@pytest.mark.parametrize(
    ("path", "value"), BROKEN, ids=lambda part: ".".join(part) if isinstance(part, tuple) else None
)
def test_what_reading_refuses_the_schema_refuses(path: tuple[str, ...], value: Any) -> None:
    from pipegen.description.dumper import dump
    from pipegen.errors import DescriptionError

    data = changed(parse(SAMPLES[0].read_text(encoding="utf-8"), "x").value, path, value)
    with pytest.raises(DescriptionError):
        loads(dump(data))
    assert not PLAIN.is_valid(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("targets", "jenkins", "layout"), "sideways"),
        (("targets", "gocd", "grp"), "x"),
        (("agents", "linux", "jenkins"), {"lable": "x"}),
        (("secrets", "smtp", "gocd"), {"config": "vault"}),
        (("people", "leads", "jenkins"), "leads"),
    ],
)
def test_words_of_the_targets(path: tuple[str, ...], value: Any) -> None:
    data = changed(parse(SAMPLES[0].read_text(encoding="utf-8"), "x").value, path, value)
    assert not WITH_TARGETS.is_valid(data)


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "properties" in node:
            yield node
        for child in node.values():
            yield from _objects(child)


def test_editors_are_told_the_meaning_of_every_key() -> None:
    for node in _objects(schema()):
        for key, value in node["properties"].items():
            assert value.get("description") or "$ref" in value or key in ("jenkins", "gocd"), key


def test_command() -> None:
    run = CliRunner().invoke(command, [])
    assert json.loads(run.stdout) == WITH_TARGETS.schema
    assert CliRunner().invoke(command, ["--table"]).stdout == table(words_of_targets())
