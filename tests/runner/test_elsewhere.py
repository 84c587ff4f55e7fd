"""What other jobs of a build told of their stages, by way of the DVC remote: all of it, or what comes in time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipegen.description.load import loads
from pipegen.dvc.run_records import RunRecords
from pipegen.dvc.stores import Folder
from pipegen.records import StageRecord
from pipegen.runner import elsewhere
from pipegen.runner.agent.build import Build
from pipegen.runner.elsewhere import records_elsewhere

PIPELINE = loads("pipegen: 1\nname: toy\nstages: {a: {cmd: a}}\n")
JENKINS = Build("c" * 40, "t" * 40, "agent1", ("push",), "https://ci.example.com/job/toy/7/", run="7" * 12)
GOCD = "https://ci.example.com/go/pipelines/"
BEGAN = datetime.now(timezone.utc) - timedelta(minutes=10)


class Remote(Folder):
    """A folder that may hang when it is looked into, or when what has `hangs` in its name is read."""

    hangs = ""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "the DVC remote 'store'", lambda message: None)
        self.over = threading.Event()

    def _names(self, folder: str) -> list[str]:
        self._hang(folder)
        return super()._names(folder)

    def _get(self, path: str, target: str) -> None:
        self._hang(path)
        super()._get(path, target)

    def _hang(self, path: str) -> None:
        if self.hangs and self.hangs in path:
            self.over.wait(60)


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    store = Remote(tmp_path / "remote")
    monkeypatch.setattr(elsewhere, "remote_store", lambda pipeline, folder, notify: store)
    yield store
    store.over.set()


@pytest.fixture
def leave(remote: Remote, tmp_path: Path) -> Callable[..., None]:
    """Leaves the record of a stage of a build on the remote."""

    def one(build: Build, stage: str, minute: int = 0, **more: str) -> None:
        record = StageRecord(
            stage=stage,
            outcome="ran",
            tree=build.tree,
            workflows=build.workflows,
            url=build.url,
            run=build.run,
            **more,  # type: ignore[arg-type]
        )
        file = tmp_path / "record"
        file.write_text(json.dumps(asdict(record)))
        began = BEGAN + timedelta(minutes=minute)
        RunRecords(remote).add(file, pipeline="toy", began=began, run=build.run, outcome="ran", stage=stage)

    return one


def asked(build: Build, *stages: str, patience: float = 20.0) -> tuple[dict[str, StageRecord], list[str]]:
    """The records by stage, and what was said meanwhile."""
    said: list[str] = []
    found = records_elsewhere(PIPELINE, Path("/"), build, stages, said.append, patience)
    return {record.stage: record for record in found}, said


def test_the_newest_record_of_this_build_counts(leave: Callable[..., None]) -> None:
    leave(JENKINS, "a", agent="first")
    leave(JENKINS, "a", minute=1, agent="second")
    leave(JENKINS, "not asked for")
    leave(replace(JENKINS, url="https://ci.example.com/job/toy/8/", run="8" * 12), "b", minute=2)
    found, said = asked(JENKINS, "a", "b")
    assert {stage: record.agent for stage, record in found.items()} == {"a": "second"}
    assert not said
    assert asked(replace(JENKINS, is_foreign=True), "a") == ({}, []), "its records are on no remote"


def test_pipelines_that_count_for_themselves_are_one_build_by_content_and_workflow(
    leave: Callable[..., None],
) -> None:
    here = replace(JENKINS, url=f"{GOCD}toy-push-c/5/c/1")
    a = replace(JENKINS, url=f"{GOCD}toy-push-a/3/a/1", run="a" * 12)
    b = replace(JENKINS, url=f"{GOCD}toy-push-b/3/b/1", run="b" * 12)
    leave(a, "a")
    leave(replace(a, workflows=("nightly",), url=f"{GOCD}toy-nightly-a/9/a/1", run="9" * 12), "a", minute=1)
    leave(replace(b, tree="u" * 40), "b")
    leave(replace(here, url=f"{GOCD}toy-push-c/4/c/1", run="4" * 12), "c")
    found, _ = asked(here, "a", "b", "c")
    assert {stage: record.url for stage, record in found.items()} == {"a": a.url}


@pytest.mark.parametrize("hangs", ["pipegen/runs", "-b.json"])
def test_what_does_not_come_in_time_is_left_out_and_said(
    remote: Remote, leave: Callable[..., None], hangs: str
) -> None:
    leave(JENKINS, "a")
    leave(JENKINS, "b")
    remote.hangs = hangs
    began = time.monotonic()
    found, said = asked(JENKINS, "a", "b", patience=1.5)
    assert time.monotonic() - began < 10
    assert set(found) == ({"a"} if hangs == "-b.json" else set())
    assert said == [
        "the page lacks what other jobs told of their stages: the DVC remote did not answer within 1.5 s"
    ]


def test_a_record_that_was_changed_is_left_out_and_said(remote: Remote, leave: Callable[..., None]) -> None:
    leave(JENKINS, "a")
    leave(JENKINS, "b")
    (path,) = Path(remote._folder).rglob("*-b.json")
    path.write_text("{}")
    found, said = asked(JENKINS, "a", "b")
    assert set(found) == {"a"}
    assert "is not what its name says" in said[0]
