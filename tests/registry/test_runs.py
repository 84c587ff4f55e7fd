"""Tracked runs, gathered from their records: on the DVC remote, and on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pipegen.dvc.run_records import Kept, RunRecords
from pipegen.dvc.stores import Folder
from pipegen.records import StageRecord
from pipegen.registry.runs import Runs, UnknownRun, Wanted
from tests.support.cli import pipegen

START = datetime(2026, 11, 23, 6, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


class Remote:
    """A folder in which agents leave records."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records = RunRecords(Folder(folder, "the remote", lambda _: None))
        self.told: list[str] = []

    @property
    def runs(self) -> Runs:
        return Runs("small", [self.records], self.told.append)

    def leave(
        self, run: str, stage: str = "train", began: datetime = START, seconds: float = 60, **more: Any
    ) -> Kept:
        """One record, as an agent leaves it."""
        ended = began + timedelta(seconds=seconds)
        fields: Mapping[str, Any] = {"outcome": "ran", "workflows": ("nightly",), "commit": run * 3, **more}
        record = StageRecord(
            stage=stage,
            run=run,
            started=began.isoformat(),
            ended=ended.isoformat(),
            seconds=seconds,
            **fields,
        )
        return self.keep(json.dumps(asdict(record)), run, stage, began, record.outcome)

    def keep(self, content: str, run: str, stage: str, began: datetime = START, outcome: str = "ran") -> Kept:
        file = self.folder / "record.json"
        self.folder.mkdir(exist_ok=True)
        file.write_text(content)
        return self.records.add(file, pipeline="small", began=began, run=run, outcome=outcome, stage=stage)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote")


def id_of(number: int) -> str:
    return f"{number:012x}"


def test_a_run_is_all_stages_of_one_build(remote: Remote) -> None:
    remote.leave(id_of(1), "train", START + HOUR, 120, user="Ada", metrics={"m.json": {"best": {"r2": 0.8}}})
    remote.leave(id_of(1), "prepare", START, params={"params.yaml": {"rows": 9}}, values={"params.yaml:x": 1})
    remote.leave(id_of(2), "prepare", START + 2 * HOUR, outcome="failed", branch="main")
    newest, oldest = remote.runs.last(10)
    assert (newest.id, newest.state, newest.branch) == (id_of(2), "failed", "main")
    assert [stage.stage for stage in oldest.stages] == ["prepare", "train"]
    assert (oldest.seconds, oldest.user, oldest.state) == (3720.0, "Ada", "passed")
    assert oldest.params == {"params.yaml:rows": 9, "params.yaml:x": 1}
    assert oldest.metrics == {"m.json:best.r2": 0.8}
    assert remote.told == []


def test_of_a_stage_that_ran_again_the_newest_record_counts(remote: Remote) -> None:
    remote.leave(id_of(1), "train", START, outcome="failed")
    remote.leave(id_of(1), "train", START + HOUR)
    (run,) = remote.runs.last(10)
    assert (run.state, len(run.stages)) == ("passed", 1)
    assert remote.runs.last(10, Wanted(failed=True)) == []


def test_a_run_that_ends_in_the_next_month_is_one(remote: Remote) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=timezone.utc)
    remote.leave(id_of(1), "prepare", midnight - HOUR)
    remote.leave(id_of(1), "train", midnight + HOUR)
    remote.leave(id_of(2), "prepare", midnight - timedelta(minutes=1))
    remote.leave(id_of(3), "prepare", midnight - timedelta(days=40))
    assert [(run.id, len(run.stages)) for run in remote.runs.last(10)] == [
        (id_of(2), 1),
        (id_of(1), 2),
        (id_of(3), 1),
    ]


def test_conditions(remote: Remote) -> None:
    for number in range(50):
        remote.leave(
            id_of(number),
            began=START + number * HOUR,
            outcome="failed" if number % 10 == 0 else "ran",
            workflows=("push" if number % 2 else "nightly",),
            branch="main" if number % 3 else "feature/x",
        )

    def numbers(most: int = 50, **wanted: Any) -> list[int]:
        return [int(run.id, 16) for run in remote.runs.last(most, Wanted(**wanted))]

    assert numbers(3) == [49, 48, 47]
    assert numbers(failed=True) == [40, 30, 20, 10, 0]
    assert numbers(4, workflow="push", branch="feature/x") == [45, 39, 33, 27]
    assert numbers(commit=id_of(7)) == [7]
    assert numbers(workflow="none") == []


def test_what_is_no_record_is_left_out_with_a_sentence(remote: Remote) -> None:
    remote.leave(id_of(1))
    remote.keep("[]", id_of(1), "other")
    remote.keep('{"stage": "x", "outcome": "exploded"}', id_of(2), "train")
    remote.keep('{"pipegen_run": 99, "stages": [{}]}', id_of(3), "")
    remote.keep("[" * 100_000, id_of(4), "deep")
    changed = remote.leave(id_of(5), "train", outcome="failed")
    (remote.folder / changed.path).write_text("{}")
    (remote.folder / changed.path).with_name("notes.txt").write_text("not one of ours")
    (run,) = remote.runs.last(10)
    assert (run.id, len(run.stages)) == (id_of(1), 1)
    assert len(remote.told) == 5
    assert all(sentence.startswith("left out: ") for sentence in remote.told)
    assert any("is not what its name says" in sentence for sentence in remote.told)
    assert any("a later version" in sentence for sentence in remote.told)


def test_hostile_content_does_not_end_the_list(remote: Remote) -> None:
    """Whatever JSON a field holds, the run is shown as far as it can be."""
    good = asdict(
        StageRecord(stage="train", outcome="ran", started=START.isoformat(), ended=START.isoformat())
    )
    bad = {
        "params": {"p": 3},
        "metrics": {"m": [1]},
        "tags": {"a": {}},
        "tests": {"tests": "x"},
        "url": 7,
        "seconds": True,
    }
    lock = {
        "cmd": {},
        "deps": {"path": 1},
        "outs": [3, {"path": 1}, {"path": "x", "size": "big"}],
        "params": [],
    }
    for number, (key, value) in enumerate({**bad, "lock": lock, "started": "yesterday", "ended": 3}.items()):
        remote.keep(json.dumps({**good, key: value}), id_of(number), "train")
    runs = remote.runs.last(20)
    assert len(runs) == 9
    for run in runs:
        json.dumps(run.as_data())


def test_a_run_is_found_by_what_people_write(remote: Remote) -> None:
    for number in (0xAB0000000001, 0xAB0000000002, 0xCD0000000003):
        remote.leave(id_of(number), began=START + (number & 0xF) * HOUR)
    runs = remote.runs
    assert runs.find("last").id == "cd0000000003"
    assert runs.find("last~2").id == "ab0000000001"
    assert runs.find("cd00").id == "cd0000000003"
    assert runs.find("ab0000000001").id == "ab0000000001"
    for word, says in {
        "ab00": "several runs",
        "last~3": "no run",
        "ffff": "no run",
        "yesterday": "is no run",
    }.items():
        with pytest.raises(UnknownRun, match=says):
            runs.find(word)


def test_only_what_is_shown_is_read_of_a_thousand(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    template = remote.leave(id_of(0))
    content = (remote.folder / template.path).read_text()
    for number in range(1, 1000):
        kept = replace(template, run=id_of(number), began=START - number * HOUR)
        path = remote.folder / kept.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    read: list[str] = []
    get = Folder._get
    monkeypatch.setattr(
        Folder, "_get", lambda self, path, target: (read.append(path), get(self, path, target))
    )
    began = time.process_time()
    assert len(remote.runs.last(20)) == 20
    assert time.process_time() - began < 0.5
    assert len(read) == 20
    assert len(remote.runs.last(2000)) == 1000


def make_project(folder: Path, remote: str = "") -> Path:
    folder.mkdir()
    text = "pipegen: 1\nname: small\nstages: {train: {cmd: 'true'}}\n"
    (folder / "pipegen.yaml").write_text(
        text + (f"data: {{remote: {{name: store, url: {remote}}}}}\n" if remote else "")
    )
    (folder / ".dvc").mkdir()
    return folder


def test_the_command_shows_runs_of_agents(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    folder = make_project(tmp_path / "project", str(remote.folder))
    assert "no run yet" in pipegen("runs", cwd=folder).out
    metrics: Callable[[float], dict[str, Any]] = lambda rmse: {"m.json": {"rmse": rmse}}  # noqa: E731
    remote.leave(
        id_of(0xABCDEF012345), metrics=metrics(12.5), lock={"cmd": "x\x1b[2J"}, hypothesis="more is\x07 more"
    )
    remote.leave(
        id_of(0x123456789ABC), began=START + HOUR, metrics=metrics(float("nan")), url="https://ci/7/"
    )
    listed = pipegen("runs", cwd=folder)
    assert (listed.code, listed.err) == (0, "")
    lines = listed.out.splitlines()
    assert lines[0].split() == ["run", "started", "took", "result", "workflow", "commit", "rmse"]
    assert lines[1].split()[0] == "12345678"
    assert lines[1].split()[-1] == "nan"
    assert "more is\\x07 more" in lines[3], "what a terminal would obey is written out"
    assert pipegen("runs", "list", "-n", "1", cwd=folder).out.splitlines() == lines[:2]
    shown = pipegen("runs", "show", "abcd", cwd=folder)
    assert "x\\x1b[2J" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 100
    compared = pipegen("runs", "compare", "last~1", cwd=folder)
    assert "m.json:rmse  12.5  nan" in compared.out
    data = json.loads(pipegen("runs", "compare", "abcd", "last", "--json", cwd=folder).out)
    assert [each["kind"] for each in data["differences"]] == ["commands", "metrics"]
    assert [run["id"] for run in json.loads(pipegen("runs", "--json", cwd=folder).out)] == [
        "123456789abc",
        "abcdef012345",
    ]
    unknown = pipegen("runs", "show", "ffff", cwd=folder)
    assert (unknown.code, unknown.out) == (2, "")
