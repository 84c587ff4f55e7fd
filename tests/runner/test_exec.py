"""`pipegen exec` over agents that share a commit, a DVC remote and fragments: the same result as `dvc repro`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.runner.conftest import MakeBuild
from tests.support.agents import DESCRIPTION, lock_of, reference
from tests.support.repositories import dvc


def test_over_agents_as_in_one_workspace(make: MakeBuild, tmp_path: Path) -> None:
    build = make()
    done = build.run()
    assert {stage: each.outcome for stage, each in done.items()} == dict.fromkeys(done, "ran")
    last = done["last"].agent
    assert lock_of(last) == reference(build.origin, tmp_path / "reference")
    assert (last / "dvc.lock").read_bytes() == (tmp_path / "reference" / "dvc.lock").read_bytes()
    join = done["join"].agent
    assert not (join / "source.txt").exists(), "only what the stage reads is fetched"
    assert not (join / "left" / "one").exists()
    assert (join / "left.json").exists(), "travels in the fragment"
    assert done["join"].record["fetched"]["objects"] == 4
    dvc(last, "pull", "-q")
    shutil.copy(join / "left.json", last)  # DVC keeps it nowhere
    assert "up to date" in dvc(last, "status")


def test_a_second_build_restores_everything(make: MakeBuild) -> None:
    first = make().run()
    done = make(again=True).run()
    assert {each.outcome for each in done.values()} == {"restored"}
    assert lock_of(done["last"].agent) == lock_of(first["last"].agent)
    assert "\nsource ran\n" not in done["source"].out


def test_without_fragments_ancestors_come_from_the_run_cache(make: MakeBuild) -> None:
    make().run()
    build = make(again=True)
    done = build.exec("last", needs=[])
    assert done.code == 0, done.out + done.err
    assert done.outcome == "restored"
    assert "source has no fragment here" in done.out


def test_a_stage_that_has_not_run_is_named(make: MakeBuild) -> None:
    build = make()
    assert build.exec("source").code == 0
    done = build.exec("join", needs=[])
    assert done.code == 1
    assert "left, which join needs, has not run for this tree" in done.err
    assert len(done.err.splitlines()) == 1
    fragment = json.loads(done.fragment.read_text())
    assert fragment["state"] == "failed"
    assert done.outcome == "failed"


def test_a_failed_stage_hands_nothing_on(make: MakeBuild) -> None:
    build = make(DESCRIPTION.replace("echo source ran", "echo to see; exit 7"))
    done = build.exec("source")
    assert done.code == 1
    assert "exited with 7" in done.err
    assert "to see" in done.out
    assert done.record["message"] == "source failed: its command exited with 7"
    after = build.exec("left")
    assert after.code == 1
    assert "source, which left needs, failed: source failed: its command exited with 7" in after.err
    junit = (after.agent / ".pipegen" / "junit" / "left.xml").read_text()
    assert "skipped" in junit
