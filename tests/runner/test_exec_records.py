"""Run records on the DVC remote: what is kept of each stage, where it lies, and that nothing fails for it."""

from __future__ import annotations

import hashlib
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipegen.dvc.errors import RemoteError
from pipegen.dvc.run_records import Kept, RunRecords
from pipegen.dvc.stores import Folder
from pipegen.runner.agent.build import build_of
from tests.runner.conftest import MakeBuild
from tests.support.agents import DESCRIPTION
from tests.support.cli import pipegen

START = datetime(2026, 11, 23, 6, 0, 0, 125_000, tzinfo=timezone.utc)


def records(build_folder: Path) -> RunRecords:
    return RunRecords(Folder(build_folder.parent / "remote", "the remote", lambda _: None))


def test_each_stage_leaves_its_record(make: MakeBuild, tmp_path: Path) -> None:
    """Also a restored one and a failed one; what lies there is what the build's own file holds."""
    first = make()
    done = first.run(env={"BUILD_URL": "https://ci.example.com/job/small/7/"})
    second = make(DESCRIPTION.replace("wc -c < join.txt", "exit 3"), again=True)
    restored = second.exec("source", env={"BUILD_URL": "https://ci.example.com/job/small/8/"})
    failed = second.exec("source", "--force", env={"SHELL": "/bin/false"})
    assert (restored.outcome, failed.outcome) == ("restored", "failed")
    kept = records(first.folder)
    found = list(kept.newest_first("small"))
    assert [(each.stage, each.outcome) for each in found] == [
        ("source", "failed"),
        ("source", "restored"),
        *((name.replace("@", "."), "ran") for name in reversed(done)),
    ]
    assert len({each.run for each in found}) == 3, "a name for each build"
    assert found[0].began > found[-1].began
    (last,) = kept.read([found[2]])
    assert last == (done["last"].agent / ".pipegen/records/last.json").read_bytes()
    assert done["last"].events[-1]["record"] == found[2].path
    assert list(kept.newest_first("other")) == []


def test_no_record_where_nothing_is_pushed(make: MakeBuild, tmp_path: Path) -> None:
    make().exec("source", "--no-push")
    make(again=True).exec("source", env={"PIPEGEN_FOREIGN": "1"})
    assert (tmp_path / "remote" / "files").exists()
    assert not (tmp_path / "remote" / "pipegen").exists()


def test_a_stage_does_not_fail_for_its_record(make: MakeBuild, tmp_path: Path) -> None:
    build = make()
    (tmp_path / "remote").mkdir()
    (tmp_path / "remote" / "pipegen").write_text("in the way\n")
    done = build.exec("source")
    assert done.code == 0
    assert done.outcome == "ran"
    assert "the record is only here, not with those of other runs: can't write to the DVC remote" in done.out
    assert build.exec("left").code == 0


def test_a_remote_that_is_gone_is_not_asked_again(make: MakeBuild, monkeypatch: pytest.MonkeyPatch) -> None:
    build = make()
    asked: list[object] = []
    monkeypatch.setattr("pipegen.dvc.patience.WAITS", ())

    def gone(_: object, source: str, path: str) -> None:
        asked.append(path)
        raise ConnectionError("gone")

    monkeypatch.setattr("pipegen.dvc.stores.Folder._put", gone)
    done = pipegen("exec", "source", cwd=build.agent())
    assert done.code == 6
    assert len(asked) == 1
    assert "record is only here" not in done.out


def test_what_a_name_tells() -> None:
    kept = Kept("small", START, "0123456789ab", "ran", "f" * 64, "train.lasso-2")
    assert (
        kept.path
        == f"pipegen/runs/small/202611/20261123T060000125-0123456789ab-ran-{'f' * 64}-train.lasso-2.json"
    )
    assert Kept.at(kept.path) == kept
    long = Kept("small", START, "0123456789ab", "ran", "f" * 64, "x" * 200)
    assert len(Path(long.path).name) < 255
    for path in ("pipegen/runs/x.json", kept.path.replace("T06", "T26"), kept.path.replace("runs", "gates")):
        assert Kept.at(path) is None


def test_ten_thousand_are_listed_without_reading_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Folder(tmp_path, "the remote", lambda _: None)
    for number in range(10_000):
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        path = (
            tmp_path / Kept("small", START - timedelta(hours=number), "0" * 12, "ran", digest, "train").path
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setattr(store, "_get", None)
    began = time.process_time()
    found = list(RunRecords(store).newest_first("small"))
    assert time.process_time() - began < 1.0
    assert len(found) == 10_000
    assert found == sorted(found, key=lambda kept: kept.began, reverse=True)
    began = time.process_time()
    assert next(RunRecords(store).newest_first("small")) == found[0]
    assert time.process_time() - began < 0.1, "of the newest only its month is listed"


def test_a_record_that_was_changed(tmp_path: Path) -> None:
    store = Folder(tmp_path / "remote", "the remote", lambda _: None)
    (tmp_path / "record.json").write_text("{}\n")
    kept = RunRecords(store).add(
        tmp_path / "record.json", pipeline="small", began=START, run="0" * 12, outcome="ran", stage="train"
    )
    assert RunRecords(store).read([kept]) == [b"{}\n"]
    (tmp_path / "remote" / kept.path).write_text('{"metrics": {"r2": 1.0}}\n')
    with pytest.raises(RemoteError, match="is not what its name says"):
        RunRecords(store).read([kept])


def test_the_run_that_a_stage_belongs_to(make: MakeBuild) -> None:
    folder = make().origin
    gocd = {
        "GO_SERVER_URL": "https://go.example.com/go",
        "GO_PIPELINE_NAME": "small",
        "GO_PIPELINE_COUNTER": "7",
    }
    one, two, again, next_ = (
        build_of(
            folder, {**gocd, "GO_STAGE_NAME": stage, "GO_STAGE_COUNTER": time_, "GO_PIPELINE_COUNTER": number}
        ).run
        for stage, time_, number in (("a", "1", "7"), ("b", "1", "7"), ("a", "2", "7"), ("a", "1", "8"))
    )
    assert one == two == again != next_
    assert len({build_of(folder, {"BUILD_URL": url}).run for url in ("https://x/7/", "https://x/8/")}) == 2
    assert build_of(folder, {"NODE_NAME": "a"}).run != build_of(folder, {"NODE_NAME": "b"}).run
