"""Names are reversible, hold on every server, and collisions are refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipegen.errors import PlanError
from pipegen.plan.names import names_for, to_address, to_name

ALPHABET = st.sampled_from("abu_-.@4 1f/:é") | st.characters(codec="utf-8")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("train", "train"),
        ("train@lasso", "train.lasso"),
        ("train@0.1", "train.0.1"),
        ("prep/dvc.yaml:train@lasso", "prep--train.lasso"),
        ("a--b", "a-_u2d_b"),
        ("x_u41_", "x_u5f_u41_"),
        ("two words", "two_u20_words"),
    ],
)
def test_readable(address: str, name: str) -> None:
    assert to_name(address) == name
    assert to_address(name) == address


@given(
    folder=st.none() | st.text(ALPHABET.filter(lambda c: c != "@"), max_size=6),
    base=st.text(ALPHABET.filter(lambda c: c != "@"), max_size=12),
    item=st.none() | st.text(ALPHABET, max_size=12),
)
def test_reversible_and_allowed(folder: str | None, base: str, item: str | None) -> None:
    address = ("" if folder is None else f"{folder}/dvc.yaml:") + base + ("" if item is None else f"@{item}")
    if address.rpartition("/dvc.yaml:")[0] != (folder or ""):
        return  # the item itself holds the mark: no address that DVC makes
    name = to_name(address)
    assert to_address(name) == address
    assert re.fullmatch(r"[A-Za-z0-9_\-.]*", name)


def test_collision_of_case_is_refused() -> None:
    with pytest.raises(PlanError, match=r"'Train' and 'train'|'train' and 'Train'"):
        names_for(["train", "Train"])


def test_too_long_is_refused() -> None:
    with pytest.raises(PlanError, match="300 characters"):
        names_for(["x" * 300])
