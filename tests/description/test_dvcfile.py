"""The grammar of `dvc.yaml` against DVC's own schema: what the one refuses, the other refuses too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipegen.description.dvcfile import mistakes
from pipegen.description.source import Source
from pipegen.dvc.yaml12 import parse

SHAPES = Path(__file__).parents[1] / "dvc" / "shapes"


def _shown(shape: Path) -> str:
    return shape.relative_to(SHAPES).as_posix()


REFUSED = [
    "stages:",
    "stages: []",
    "stages: {a: }",
    "stages: {a: ls}",
    "stages: {a: {}}",
    "stages: {5: {cmd: ls}}",
    "stages: {a: {cmd: 5}}",
    "stages: {a: {cmd: }}",
    "stages: {a: {cmd: {x: y}}}",
    "stages: {a: {cmd: ls, ci: {agent: gpu}}}",
    "stages: {a: {cmd: ls, dep: [x]}}",
    "stages: {a: {cmd: ls, deps: x}}",
    "stages: {a: {cmd: ls, deps: }}",
    "stages: {a: {cmd: ls, deps: [5]}}",
    "stages: {a: {cmd: ls, deps: [{x: y}]}}",
    "stages: {a: {cmd: ls, desc: }}",
    "stages: {a: {cmd: ls, desc: 5}}",
    "stages: {a: {cmd: ls, wdir: }}",
    "stages: {a: {cmd: ls, frozen: 'true'}}",
    "stages: {a: {cmd: ls, frozen: '${x}'}}",
    "stages: {a: {cmd: ls, always_changed: 1}}",
    "stages: {a: {cmd: ls, params: x}}",
    "stages: {a: {cmd: ls, params: [5]}}",
    "stages: {a: {cmd: ls, vars: {x: 1}}}",
    "stages: {a: {cmd: ls, outs: [{x: }]}}",
    "stages: {a: {cmd: ls, outs: [{x: {cashe: false}}]}}",
    "stages: {a: {cmd: ls, outs: [{x: {cache: 'no'}}]}}",
    "stages: {a: {cmd: ls, outs: [{x: {remote: 5}}]}}",
    "stages: {a: {cmd: ls, outs: [{x: {labels: y}}]}}",
    "stages: {a: {cmd: ls, outs: [{x: {x: y}}]}}",
    "stages: {a: {cmd: ls, metrics: [{x: {title: y}}]}}",
    "stages: {a: {cmd: ls, plots: [{x: {x: 5}}]}}",
    "stages: {a: {cmd: ls, plots: [{x: [{header: 5}]}]}}",
    "stages: {a: {cmd: ls, matrix: [1]}}",
    "stages: {a: {cmd: ls, matrix: {x: 5}}}",
    "stages: {a: {foreach: [1]}}",
    "stages: {a: {do: {cmd: ls}}}",
    "stages: {a: {foreach: [1], do: {}}}",
    "stages: {a: {foreach: [1], do: }}",
    "stages: {a: {foreach: 5, do: {cmd: ls}}}",
    "stages: {a: {foreach: , do: {cmd: ls}}}",
    "stages: {a: {foreach: [1], do: {cmd: ls}, deps: [x]}}",
    "stages: {a: {foreach: [1], matrix: {x: [1]}, do: {cmd: ls}}}",
    "stage: {}",
    "vars: {a: 1}",
    "vars: [5]",
    "params: [5]",
    "metrics: {a: b}",
    "plots: x",
    "plots: [5]",
    "plots: [{x: {y: 5}}]",
    "plots: [{x: {z: y}}]",
    "plots: [{x: [y]}]",
    "artifacts: []",
    "artifacts: {a: x}",
    "artifacts: {a: {type: model}}",
    "artifacts: {a: {path: x, labels: y}}",
    "a text",
]
STRICTER_THAN_DVC = {
    "stages: {'a@b': {cmd: ls}}": "the stage name 'a@b' is not one: '@' can't stand in it",
    "stages: {'a:b': {cmd: ls}}": "the stage name 'a:b' is not one: ':' can't stand in it",
    "stages: {'': {cmd: ls}}": "the stage name '' is not one: a name has 1 to 200 characters",
    "stages: {a: {foreach: [1], do: {cmd: ls, matrix: {x: [1]}}}}": "DVC ignores `matrix` under `do`",
}
ACCEPTED = [
    "stages: {}",
    "vars: []",
    "stages: {a.b: {cmd: ls}, c/d: {cmd: ls}, e f: {cmd: ls}}",
    "stages: {a: {cmd: []}}",
    "stages: {a: {cmd: ls, meta: }}",
    "stages: {a: {cmd: ls, params: [{x: }]}}",
    "plots: [{x: }]",
    "datasets: 5",
]


def ours(text: str) -> list[str]:
    document = parse(text, "dvc.yaml")
    return [problem.message for problem in mistakes(document.value, Source(document))]


def dvc_accepts(text: str) -> bool:
    from dvc.schema import COMPILED_MULTI_STAGE_SCHEMA
    from dvc.utils.serialize import parse_yaml
    from voluptuous import Invalid

    data: Any = parse_yaml(text, "dvc.yaml")
    try:
        COMPILED_MULTI_STAGE_SCHEMA(data)
    except Invalid:
        return False
    return True


@pytest.mark.parametrize("text", REFUSED)
def test_refused_by_dvc_and_here(text: str) -> None:
    assert not dvc_accepts(text)
    assert ours(text)


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted_by_dvc_and_here(text: str) -> None:
    assert dvc_accepts(text)
    assert not ours(text)


@pytest.mark.parametrize("text", STRICTER_THAN_DVC)
def test_accepted_by_dvc_and_refused_here(text: str) -> None:
    assert dvc_accepts(text)
    assert ours(text) == [STRICTER_THAN_DVC[text]]


@pytest.mark.parametrize(
    "file", sorted(SHAPES.glob("**/dvc.yaml")) + sorted(SHAPES.glob("*.yaml")), ids=_shown
)
def test_every_shape_of_the_corpus_is_accepted(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert dvc_accepts(text)
    assert not parse(text, "dvc.yaml").value or not ours(text)


def test_words_out_of_place_are_told_where_they_belong() -> None:
    text = (
        "stages:\n  a: {cmd: ls, ci: {agent: gpu}}\n  b: {foreach: [1], do: {cmd: ls}, deps: [x]}\n"
        "  c: {cmd: ls, metric: [x]}\n"
    )
    document = parse(text, "dvc.yaml")
    found = mistakes(document.value, Source(document))
    assert [(problem.line, problem.column) for problem in found] == [(2, 16), (3, 36), (4, 16)]
    assert [problem.hint for problem in found] == [
        "DVC has no `ci`: write it as `meta: {pipegen: …}`, or under `ci:` in pipegen.yaml",
        "'deps' belongs under `do:`",
        "did you mean 'metrics'?",
    ]
