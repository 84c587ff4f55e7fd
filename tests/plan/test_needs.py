"""Who needs whom: data as DVC sees it, then `after`."""

from __future__ import annotations

import pytest

from pipegen.errors import DescriptionError
from tests.plan.making import graph_of


def test_an_output_that_is_a_dependency() -> None:
    assert graph_of({"b": {"deps": ["x"]}, "a": {"outs": ["x"]}}) == {"a": set(), "b": {"a"}}


@pytest.mark.parametrize("word", ["outs", "metrics", "plots"])
def test_each_kind_of_output(word: str) -> None:
    assert graph_of({"a": {word: [{"x.json": {"cache": False}}]}, "b": {"deps": ["x.json"]}})["b"] == {"a"}


def test_a_folder_that_holds_the_dependency() -> None:
    assert graph_of({"a": {"outs": ["data"]}, "b": {"deps": ["data/deep/x.csv"]}})["b"] == {"a"}


def test_a_folder_with_outputs_of_several() -> None:
    stages = {
        "a": {"outs": ["data/a/x"]},
        "b": {"outs": ["data/b"]},
        "c": {"deps": ["data"]},
        "d": {"deps": ["dat"]},
    }
    assert graph_of(stages) == {"a": set(), "b": set(), "c": {"a", "b"}, "d": set()}


def test_the_whole_folder_as_dependency() -> None:
    assert graph_of({"a": {"outs": ["sub/x"]}, "b": {"deps": ["."]}, "c": {"deps": ["sub/.."]}}) == {
        "a": set(),
        "b": {"a"},
        "c": {"a"},
    }


def test_paths_outside_and_addresses_lie_in_no_folder_of_ours() -> None:
    stages = {
        "a": {"outs": ["s3://b/x"]},
        "b": {"deps": ["."]},
        "c": {"wdir": "sub", "deps": ["../../x"], "outs": ["y"]},
    }
    assert graph_of(stages)["b"] == {"c"}


def test_paths_are_those_of_the_working_folder() -> None:
    assert graph_of({"a": {"wdir": "sub", "outs": ["../x"]}, "b": {"wdir": "other", "deps": ["../x"]}})[
        "b"
    ] == {"a"}


def test_a_params_file_that_a_stage_writes() -> None:
    stages = {"tune": {"outs": ["best.yaml"]}, "train": {"params": [{"best.yaml": ["alpha"]}]}}
    assert graph_of(stages)["train"] == {"tune"}


def test_after_names_stages_groups_and_patterns() -> None:
    stages = {
        "prep": {},
        "train": {"foreach": ["a", "b"], "do": {"cmd": "true"}},
        "one": {"ci": {"after": ["train@b"]}},
        "group": {"ci": {"after": ["train"]}},
        "pattern": {"ci": {"after": ["*e*", "prep"]}},
    }
    graph = graph_of(stages)
    assert graph["one"] == {"train@b"}
    assert graph["group"] == {"train@a", "train@b"}
    assert graph["pattern"] == {"prep", "one"}


def test_after_an_unknown_stage_says_the_nearest() -> None:
    with pytest.raises(DescriptionError, match=r"there is no other stage 'trian'\n.*did you mean 'train'\?"):
        graph_of({"train": {}, "evaluate": {"ci": {"after": ["trian"]}}})


def test_after_itself_is_no_other_stage() -> None:
    with pytest.raises(DescriptionError, match="there is no other stage 'a'"):
        graph_of({"a": {"ci": {"after": ["a"]}}, "b": {}})


def test_every_unknown_after_at_once() -> None:
    with pytest.raises(DescriptionError) as error:
        graph_of({"a": {"ci": {"after": ["x", "y"]}}, "b": {"ci": {"after": ["z"]}}})
    assert len(error.value.problems) == 3


def test_a_circle_of_data_and_after_is_drawn() -> None:
    with pytest.raises(DescriptionError, match="in a circle:\n    ┌─► a\n    └── b"):
        graph_of({"a": {"outs": ["x"], "ci": {"after": ["b"]}}, "b": {"deps": ["x"]}})


def test_a_stage_that_reads_what_it_writes() -> None:
    with pytest.raises(DescriptionError, match="└───┘"):
        graph_of({"a": {"deps": ["data"], "outs": ["data/x"]}})
