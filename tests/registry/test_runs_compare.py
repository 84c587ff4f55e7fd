"""What two runs have not alike: all of it, each way the same, and nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipegen.records import StageRecord
from pipegen.records.tracked import TrackedRun, records_from_data, tracked, whole_run
from pipegen.registry.differences import differences, without_result

NAMES = st.sampled_from(["a", "b", "b/c", "x.y", "é"])
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
CONTENT = st.recursive(
    LEAF, lambda inner: st.dictionaries(NAMES, inner, max_size=3) | st.lists(inner, max_size=2), max_leaves=5
)
HASHES = st.sampled_from(["0" * 32, "1" * 32, "2" * 30 + ".dir"])
ITEMS = st.lists(
    st.fixed_dictionaries({"path": NAMES, "md5": HASHES}, optional={"size": st.integers(0, 9)}), max_size=3
)
LOCKS = st.fixed_dictionaries({}, optional={"cmd": st.text(max_size=3), "deps": ITEMS, "outs": ITEMS})
RECORDS = st.builds(
    StageRecord,
    stage=st.sampled_from(["train", "train@a", "prep/dvc.yaml:train", "last"]),
    outcome=st.sampled_from(["ran", "restored", "failed", "skipped"]),
    params=st.dictionaries(NAMES, st.dictionaries(NAMES, CONTENT, max_size=3), max_size=2),
    values=st.dictionaries(NAMES, LEAF, max_size=2),
    metrics=st.dictionaries(NAMES, CONTENT, max_size=2),
    lock=LOCKS,
    packages=st.dictionaries(NAMES, st.sampled_from(["1.0", "2.0"]), max_size=3),
)
RUNS = st.lists(RECORDS, min_size=1, max_size=4).map(lambda records: tracked("0" * 12, "small", records))


@given(RUNS, RUNS)
def test_each_way_the_same(one: TrackedRun, other: TrackedRun) -> None:
    swapped = [replace(each, one=each.other, other=each.one) for each in differences(other, one)]
    assert repr(list(differences(one, other))) == repr(swapped)  # NaN is not equal to itself
    assert without_result(one, other) == without_result(other, one)


@given(RUNS)
def test_equal_runs_have_no_difference(run: TrackedRun) -> None:
    assert differences(run, replace(run, id="1" * 12)) == ()


@given(RUNS, st.sampled_from(["params", "metrics", "packages"]))
def test_a_change_is_found(run: TrackedRun, word: str) -> None:
    """One value more in a stage that came to a result is one difference, and nothing else differs."""
    good = next((each for each in run.stages if each.outcome in ("ran", "restored")), None)
    if good is None:
        return
    more: Any = "3.0" if word == "packages" else {"new": 1}
    changed = replace(good, **{word: {**getattr(good, word), "new": more}})
    other = replace(run, stages=tuple(changed if each is good else each for each in run.stages))
    (found,) = differences(run, other)
    assert found.one is None
    assert found.name.startswith("new") or ":new" in found.name or "new" in found.name


def run_of(*records: StageRecord) -> TrackedRun:
    return tracked("0" * 12, "small", records)


def test_types_are_told_apart_and_numbers_subtracted() -> None:
    one, other = (
        run_of(
            StageRecord(stage="a", outcome="ran", params={"p": {"x": x}}, metrics={"m": {"r2": r2, "n": 1}})
        )
        for x, r2 in ((1, 0.5), (True, 0.75))
    )
    parameter, metric = differences(one, other)
    assert (parameter.kind, parameter.one, parameter.other, parameter.change) == ("parameters", 1, True, None)
    assert (metric.kind, metric.name, metric.change) == ("metrics", "m:r2", 0.25)


def test_data_is_read_or_made() -> None:
    def run(raw: str, model: str) -> TrackedRun:
        first = {
            "cmd": "a",
            "deps": [{"path": "raw.csv", "md5": raw}],
            "outs": [{"path": "clean", "md5": "c.dir"}],
        }
        second = {
            "cmd": "b",
            "deps": [{"path": "clean/part", "md5": "d"}],
            "outs": [{"path": "m.pkl", "md5": model}],
        }
        return run_of(
            StageRecord(stage="prepare", outcome="ran", lock=first),
            StageRecord(stage="train", outcome="ran", lock=second),
        )

    found = differences(run("r1", "m1"), run("r2", "m2"))
    assert [(each.name, each.is_made, each.one["hash"]) for each in found] == [
        ("m.pkl", True, "m1"),
        ("raw.csv", False, "r1"),
    ]
    assert set(run("r1", "m1").data) == {"raw.csv", "clean", "m.pkl"}, (
        "what a stage made is not read from outside"
    )


def test_paths_of_stages_in_subfolders() -> None:
    lock = {"cmd": "a", "deps": [{"path": "../raw.csv", "md5": "r"}], "outs": [{"path": "x", "md5": "1"}]}
    inner = StageRecord(stage="prep/dvc.yaml:a", outcome="ran", lock=lock, params={"params.yaml": {"n": 1}})
    outer = StageRecord(
        stage="a", outcome="ran", lock={"outs": [{"path": "x", "md5": "2"}]}, params={"params.yaml": {"n": 2}}
    )
    run = run_of(inner, outer)
    assert set(run.data) == {"raw.csv", "prep/x", "x"}
    assert run.params == {"prep/params.yaml:n": 1, "params.yaml:n": 2}


@given(st.lists(RECORDS.map(lambda r: replace(r, user="Ada", run="0" * 12)), min_size=1, max_size=3))
def test_a_whole_run_in_one_record(records: list[StageRecord]) -> None:
    """What all stages have alike stands once, and each has it again when it is read."""
    stages = [{"stage": r.stage, "outcome": r.outcome, "params": r.params, "lock": r.lock} for r in records]
    found = records_from_data(whole_run({"user": "Ada", "run": "0" * 12}, stages))
    assert [(r.stage, r.outcome, r.user, r.run) for r in found] == [
        (r.stage, r.outcome, "Ada", "0" * 12) for r in records
    ]
    assert repr([r.params for r in found]) == repr([r.params for r in records])
