"""Lock files are written in the bytes of DVC's own writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipegen.dvc.load import load
from pipegen.dvc.lockfile import LockFile, render, render_entry
from pipegen.errors import DescriptionError

PLAIN = st.from_regex(r"[a-zA-Z_./][a-z0-9_./=@-]{0,30}( [a-z0-9$>&|;._'\"()-]{1,12}){0,12}", fullmatch=True)
TEXTS = st.one_of(
    PLAIN,
    PLAIN,
    st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=120),
    st.text(alphabet="abcxyz09_./-+=,@~()[]$<>*;&|'\" :#{}%!?`", max_size=120),
    st.text(alphabet="0123456789.eExXob_+-:", max_size=12),
    st.sampled_from(
        [
            "on",
            "yes",
            "No",
            "null",
            "~",
            "",
            "true",
            "1e3",
            "0o17",
            "0x1f",
            "012",
            "1_000",
            ".5",
            "-",
            "=",
            "<<",
        ]
    ),
)
KEYS = TEXTS.map(lambda text: text[:40])  # of long keys DVC's writer makes what its reader refuses
SETTINGS = settings(derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate])
FLOATS = [0.1, 2.5, -1e-05, 1e22, 100.0, 0.30000000000000004, float("inf")]
"""Of longer ones in entries that it does not touch, DVC's writer changes the last digits; pipegen leaves them alone."""
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(), st.sampled_from(FLOATS), st.booleans(), st.none()),
    lambda values: st.one_of(st.lists(values, max_size=3), st.dictionaries(KEYS, values, max_size=3)),
    max_leaves=6,
)
HASHES = st.text(alphabet="0123456789abcdef", min_size=32, max_size=32)
FILES = st.lists(
    st.fixed_dictionaries({"path": TEXTS, "hash": st.just("md5"), "md5": HASHES, "size": st.integers(0)}),
    max_size=3,
)
ENTRIES = st.fixed_dictionaries(
    {"cmd": st.one_of(TEXTS, st.lists(TEXTS, min_size=1, max_size=3))},
    optional={
        "deps": FILES,
        "params": st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=2),
        "outs": FILES,
    },
)


def by_dvc(value: Any) -> str:
    from dvc.utils.serialize import dumps_yaml

    return str(dumps_yaml(value))


@SETTINGS
@given(KEYS.filter(bool), ENTRIES)
def test_an_entry(name: str, entry: dict[str, Any]) -> None:
    assert "stages:\n" + render(name, entry) == by_dvc({"stages": {name: entry}})
    assert render_entry(entry) == by_dvc(entry)


@SETTINGS
@given(st.dictionaries(KEYS.filter(bool), ENTRIES, min_size=1, max_size=4), ENTRIES, st.data())
def test_an_update_as_dvc_does_it(
    tmp_path_factory: pytest.TempPathFactory, known: dict[str, Any], new: dict[str, Any], data: st.DataObject
) -> None:
    """DVC reads the whole file, changes one entry, and writes the whole file."""
    from dvc.utils.serialize import modify_yaml

    ours, theirs = (tmp_path_factory.getbasetemp() / name for name in ("ours.lock", "theirs.lock"))
    text = by_dvc({"schema": "2.0", "stages": known})
    ours.write_text(text)
    theirs.write_text(text)
    name = data.draw(st.one_of(st.sampled_from(sorted(known)), KEYS.filter(bool)))
    with modify_yaml(str(theirs)) as content:
        content["stages"].update({name: new})
    lock = LockFile(str(ours))
    assert lock.updated({name: new}) == theirs.read_text()


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    text = "schema: '2.0'\nstages:\n  b:\n    cmd: x\n  a:\n    cmd: y\ndatasets: []\n"
    (tmp_path / "dvc.lock").write_text(text)
    lock = LockFile(str(tmp_path / "dvc.lock"))
    assert lock.updated({"a": {"cmd": "y"}}) == text
    added = "  d:\n    cmd: z\n  c:\n    cmd: z\n"
    assert lock.updated({"d": {"cmd": "z"}, "c": {"cmd": "z"}}) == text.replace(
        "datasets", added + "datasets"
    )
    moved = lock.updated({"a": {"cmd": "y"}, "b": {"cmd": "x"}}, behind={"a", "b"})
    assert list(load(moved)["stages"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages: [", "is not valid YAML"),
        ("- a\n", "is not a lock file of DVC"),
        ("schema: '3.0'\nstages: {}\n", "schema 2.0 is"),
        ("stages:\n  a: {cmd: x}\n", "schema 2.0 is"),
    ],
)
def test_what_is_no_lock_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(DescriptionError, match=said):
        LockFile(str(tmp_path / "dvc.lock"))
