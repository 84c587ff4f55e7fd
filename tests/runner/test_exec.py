"""`pipegen exec` over agents that share a commit, a DVC remote and fragments: the same result as `dvc repro`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.agents import Build, lock_of, make_origin, reference
from tests.support.repositories import dvc

DESCRIPTION = """\
pipegen: 1
name: small
stages:
  source:
    cmd: "cat seed.txt > source.txt; echo source ran"
    deps: [seed.txt]
    outs: [source.txt]
  left:
    cmd: "mkdir -p left/deep; cat source.txt > left/one; echo two > left/deep/two; echo '{\\"rows\\": 2}' > left.json"
    deps: [source.txt]
    params: [left.rows]
    outs: [left]
    metrics: [{left.json: {cache: false}}]
    ci: {tests: ["test -s left/one"]}
  right:
    foreach: [a, b]
    do:
      cmd: "cat source.txt > right-${item}.txt; echo ${item} >> right-${item}.txt"
      deps: [source.txt]
      outs: ["right-${item}.txt"]
  join:
    cmd: "cat left/deep/two left.json right-a.txt right-b.txt > join.txt"
    deps: [left/deep/two, left.json, right-a.txt, right-b.txt]
    outs: [join.txt]
  last:
    cmd: "wc -c < join.txt > last.txt"
    deps: [join.txt]
    outs: [last.txt]
    ci: {after: [right]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""
FILES = {"seed.txt": "seed\n", "params.yaml": "left: {rows: 2}  # of the left\n"}
Make = Callable[..., Build]


@pytest.fixture
def make(tmp_path: Path, template: Path) -> Make:
    """Make a build; a second one of the same commit with `again`."""
    count = 0

    def build(
        description: str = DESCRIPTION, *, remote: bool = True, again: bool = False, **files: str
    ) -> Build:
        nonlocal count
        count += 1
        origin = tmp_path / "origin"
        if not again:
            make_origin(
                origin,
                template,
                description,
                str(tmp_path / "remote") if remote else None,
                **(files or FILES),
            )
        return Build(tmp_path / f"build-{count}", origin)

    return build


def test_over_agents_as_in_one_workspace(make: Make, tmp_path: Path) -> None:
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


def test_a_second_build_restores_everything(make: Make) -> None:
    first = make().run()
    done = make(again=True).run()
    assert {each.outcome for each in done.values()} == {"restored"}
    assert lock_of(done["last"].agent) == lock_of(first["last"].agent)
    assert "\nsource ran\n" not in done["source"].out


def test_without_fragments_ancestors_come_from_the_run_cache(make: Make) -> None:
    make().run()
    build = make(again=True)
    done = build.exec("last", needs=[])
    assert done.code == 0, done.out + done.err
    assert done.outcome == "restored"
    assert "source has no fragment here" in done.out


def test_a_stage_that_has_not_run_is_named(make: Make) -> None:
    build = make()
    assert build.exec("source").code == 0
    done = build.exec("join", needs=[])
    assert done.code == 1
    assert "left, which join needs, has not run for this tree" in done.err
    assert len(done.err.splitlines()) == 1
    fragment = json.loads(done.fragment.read_text())
    assert fragment["state"] == "failed"
    assert done.outcome == "failed"


def test_a_failed_stage_hands_nothing_on(make: Make) -> None:
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
