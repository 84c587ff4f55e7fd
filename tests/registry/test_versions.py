"""Versions and tags by GTO's own rules."""

from __future__ import annotations

import pytest
from gto.constants import Action
from gto.tag import parse_name
from gto.versions import SemVer
from hypothesis import given
from hypothesis import strategies as st

from pipegen.errors import PipegenError
from pipegen.registry.notes import Notes
from pipegen.registry.tags import ModelTag, read_tags, tag_prefix
from pipegen.registry.versions import checked, following, is_version, rank

NUMBERS = st.integers(0, 30)
VERSIONS = st.builds("v{}.{}.{}".format, NUMBERS, NUMBERS, NUMBERS)
EARLY = st.builds("{}-{}".format, VERSIONS, st.sampled_from(["rc", "rc.1", "rc.2", "1", "10", "a-b", "0a"]))
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9\-/]{0,6}[a-z0-9])?", fullmatch=True)
ODD = st.text("v0123456789.-+abc#@!=", max_size=12)


def tags(*names: str, place: str = ".") -> list[ModelTag]:
    return read_tags("".join(f"{name}\0one\0two\x005\0ann\0said\n\x1e\n" for name in names), place)


@given(st.lists(VERSIONS, min_size=1), st.sampled_from(["major", "minor", "patch"]))
def test_the_next_version_is_that_of_gto(known: list[str], bump: str) -> None:
    greatest = max((SemVer(version) for version in known), key=lambda version: version)
    expected = greatest.bump(**{f"bump_{bump}": True}).version
    assert following(known, bump) == expected  # type: ignore[arg-type]
    assert following([*known, expected], None) == SemVer(expected).bump_patch().version


def test_the_first_version_is_that_of_gto() -> None:
    assert following([]) == SemVer.get_minimal().version
    assert [following([], bump) for bump in ("minor", "major")] == ["v0.1.0", "v1.0.0"]


@given(VERSIONS | EARLY, VERSIONS | EARLY)
def test_they_sort_as_semver_does(one: str, other: str) -> None:
    assert (rank(one) < rank(other)) == (SemVer(one) < SemVer(other))


@given(EARLY, st.sampled_from(["major", "minor", "patch"]))
def test_what_follows_an_early_one_is_greater(version: str, bump: str) -> None:
    assert SemVer(version) < SemVer(following([version], bump))  # type: ignore[arg-type]


@given(ODD | VERSIONS | EARLY)
def test_what_is_a_version(text: str) -> None:
    assert is_version(text) == bool(text and SemVer.is_valid(text))


@given(NAMES, NAMES, VERSIONS | EARLY, st.integers(1, 99), st.sampled_from([".", "a/b", "x.y_z"]))
def test_our_tags_are_gtos(model: str, where: str, version: str, number: int, place: str) -> None:
    before = tag_prefix(model, place)
    registered, assigned, cancelled = (
        f"{before}@{version}",
        f"{before}#{where}#{number}",
        f"{before}#{where}!#{number}",
    )
    name = model if place == "." else f"{place}:{model}"
    assert parse_name(registered) == {"name": name, "version": version, "action": Action.REGISTER}
    assert parse_name(assigned) == {"name": name, "stage": where, "counter": number, "action": Action.ASSIGN}
    assert parse_name(cancelled)["action"] == Action.UNASSIGN
    one, two, three = tags(registered, assigned, cancelled, place=place)
    assert (one.model, one.version, one.commit, one.by) == (model, version, "two", "ann")
    assert (two.environment, two.counter, two.cancels) == (where, number, False)
    assert three.cancels


@given(st.text("ab#@!v01.=-", max_size=14))
def test_what_is_no_tag_for_gto_is_none_for_us(name: str) -> None:
    assert bool(tags(name)) <= bool(parse_name(name, raise_on_fail=False))


def test_what_a_person_writes() -> None:
    assert checked("1.2.0") == checked("v1.2.0") == "v1.2.0"
    with pytest.raises(
        PipegenError, match=r"'latest' is no version: three numbers are expected, such as v1\.2\.0"
    ):
        checked("latest")


@given(st.text(), st.text())
def test_notes_keep_one_line_each(says: str, reason: str) -> None:
    text = Notes(says, (("Reason", reason), ("Built", "abc"))).text
    read = Notes.read(text)
    assert read.get("Built") == "abc"
    assert read.get("Reason") == " ".join("".join(c if c.isprintable() else " " for c in reason).split())
    assert len(text.strip().splitlines()) <= 4
