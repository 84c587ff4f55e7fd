"""What one `pipegen exec` does with its stage: attempts, time-outs, tests, secrets, values, the environment."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from pipegen.errors import CheckFailed
from pipegen.project import Project
from pipegen.runner.agent.plan_check import check_plan
from tests.runner.conftest import MakeBuild
from tests.support.agents import Done, command, lock_of
from tests.support.cli import pipegen
from tests.support.repositories import sh

ONE = """\
pipegen: 1
name: small
{more}
stages:
  one:
    cmd: {cmd}
    deps: [seed.txt]
    outs: [out.txt]
    ci: {ci}
workflows: {{push: {{on: {{push: {{branches: [main]}}}}}}}}
"""


def one(cmd: str, ci: str = "{}", more: str = "") -> str:
    return ONE.format(cmd=json.dumps(cmd), ci=ci, more=more)


def junit(done: Done) -> ET.Element:
    return ET.parse(done.agent / ".pipegen" / "junit" / f"{done.stage}.xml").getroot()


def test_a_further_attempt(make: MakeBuild) -> None:
    done = make(one("test -e tried && echo 1 > out.txt || { touch tried; exit 3; }", "{retry: 1}")).exec(
        "one"
    )
    assert done.code == 0, done.err
    assert done.record["attempts"] == 2
    assert "attempt 1 of 2 failed: its command exited with 3" in done.out


def test_all_attempts_fail(make: MakeBuild) -> None:
    done = make(one("echo x >> tries; exit 3", "{retry: 2}")).exec("one")
    assert done.code == 1
    assert done.err == "error: one failed: its command exited with 3\n"
    assert (done.agent / "tries").read_text() == "x\n" * 3


def test_a_time_out_ends_even_what_ignores_it(make: MakeBuild) -> None:
    began = time.monotonic()
    done = make(one("trap '' TERM; sleep 61.5 & wait; sleep 61.5; echo 1 > out.txt", "{timeout: 1s}")).exec(
        "one"
    )
    assert time.monotonic() - began < 30
    assert done.code == 1
    assert "took longer than its time-out, 1 s, and was ended" in done.err
    assert "sleep 61.5" not in sh(done.agent, "ps", "-eo", "args")


def test_an_output_that_was_not_made(make: MakeBuild) -> None:
    done = make(one("echo 1 > other.txt")).exec("one")
    assert done.code == 1
    assert "output 'out.txt' does not exist" in done.err


def test_tests_one_by_one(make: MakeBuild) -> None:
    files = {"seed.txt": "1\n", "test_it.py": "def test_good(): pass\ndef test_bad(): assert 1 == 2\n"}
    ci = '{tests: ["python -m pytest -q test_it.py", "echo some words; exit 4", "true"]}'
    done = make(one("cp seed.txt out.txt", ci), **files).exec("one", env={"PATH": _own_python()})
    assert done.code == 1
    assert "the tests of one failed: python -m pytest -q test_it.py; echo some words; exit 4" in done.err
    cases = {case.get("name"): [child.tag for child in case] for case in junit(done).iter("testcase")}
    assert cases == {
        "test_good": [],
        "test_bad": ["failure"],
        "echo some words; exit 4": ["failure"],
        "true": [],
    }
    assert "some words" in ET.tostring(junit(done), encoding="unicode")
    assert done.record["tests"] == {"tests": 4, "failures": 2, "errors": 0, "skipped": 0}
    assert not (done.agent.parent.parent / "remote" / "files").exists(), (
        "what failed its tests is not published"
    )
    assert json.loads(done.fragment.read_text())["state"] == "failed"


def _own_python() -> str:
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def test_tests_are_run_on_a_restored_result_too(make: MakeBuild) -> None:
    text = one("cp seed.txt out.txt", '{tests: ["cat out.txt >&2"]}')
    assert make(text).exec("one").outcome == "ran"
    done = make(again=True).exec("one")
    assert done.outcome == "restored"
    assert done.record["tests"]["tests"] == 1


def test_secrets_are_masked_everywhere(make: MakeBuild) -> None:
    more = "secrets: {s3: {env: [TOKEN]}}"
    text = one("printf 'it is hunter'; sleep 0.3; echo 22; echo $TOKEN >&2; exit 9", "{secrets: [s3]}", more)
    done = make(text).exec("one", env={"TOKEN": "hunter22"})
    assert done.out.count("****") == 2
    for path in (done.agent / ".pipegen").rglob("*"):
        assert path.is_dir() or b"hunter22" not in path.read_bytes(), path
    assert "hunter22" not in done.out + done.err


def test_the_log_is_streamed_and_kept(make: MakeBuild) -> None:
    process, folder = make(one("echo first; sleep 1; echo 1 > out.txt; echo second")).start("one")
    assert process.stdout
    seen = 0.0
    for line in process.stdout:
        if line == "first\n":
            seen = time.monotonic()
        elif line == "second\n":
            assert time.monotonic() - seen > 0.5, "printed when it came"
    assert process.wait() == 0
    assert (folder / ".pipegen" / "logs" / "one.log").read_text().endswith("first\nsecond\n")


def test_two_hundred_megabytes_of_log(make: MakeBuild) -> None:
    process, folder = make(one("yes 123456789 | head -c 200000000; echo the end; echo 1 > out.txt")).start(
        "one"
    )
    assert process.stdout
    total, most, last = 0, 0, ""
    while piece := process.stdout.read(1 << 20):
        total, last = total + len(piece), (last + piece)[-2000:]
        status = Path(f"/proc/{process.pid}/status")
        if status.exists():
            most = max(
                [most, *(int(line.split()[1]) for line in status.read_text().splitlines() if "VmRSS" in line)]
            )
    assert process.wait() == 0
    assert total > 200_000_000
    assert "the end\n" in last
    assert most < 150_000, f"{most} kB"
    log = (folder / ".pipegen" / "logs" / "one.log").read_bytes()
    assert len(log) < 6_500_000
    assert b"bytes are left out here" in log
    assert log.endswith(b"the end\n")


def test_a_sign_of_life_in_silence(make: MakeBuild, monkeypatch: pytest.MonkeyPatch) -> None:
    build = make(one("sleep 1.2; echo 1 > out.txt"))
    monkeypatch.setattr("pipegen.runner.agent.console.HEARTBEAT", 0.4)
    done = pipegen("exec", "one", cwd=Project.open(build.agent()).folder)
    assert done.code == 0, done.text
    alive = [line for line in done.out.splitlines() if '"event": "alive"' in line]
    assert 2 <= len(alive) <= 4


def test_a_stopped_stage_leaves_fragment_and_record(make: MakeBuild) -> None:
    process, folder = make(one("echo begun; sleep 62.5; echo 1 > out.txt")).start("one")
    assert process.stdout
    while process.stdout.readline() != "begun\n":
        pass
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "one was stopped" in err
    assert "sleep 62.5" not in sh(folder, "ps", "-eo", "args")
    assert '"outcome": "stopped"' in (folder / ".pipegen" / "records" / "one.json").read_text()
    assert '"state": "failed"' in (folder / ".pipegen" / "fragments" / "one.lock.json").read_text()


def test_no_push(make: MakeBuild) -> None:
    build = make()
    done = build.exec("source", "--no-push")
    assert done.code == 0
    assert not (build.folder.parent / "remote").exists()
    after = build.exec("left")
    assert after.code == 6
    assert "has not what source made" in after.err


def test_forced(make: MakeBuild) -> None:
    make().exec("source")
    done = make(again=True).exec("source", "--force")
    assert done.outcome == "ran"


def test_explain(make: MakeBuild) -> None:
    build = make()
    done = build.exec("source", "--explain")
    assert done.out == "source would run: it never ran\n"
    assert not done.fragment.exists()
    build.exec("source")
    again = make(again=True).exec("source", "--explain")
    assert again.out.startswith("source would not run: its result is on the DVC remote 'store'")


def test_json(make: MakeBuild) -> None:
    done = make().exec("source", "--json")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [event["event"] for event in events] == [
        "stage_started",
        "command_started",
        "pushed",
        "stage_finished",
    ]
    assert "source ran\n" in done.err


def test_a_plan_of_another_description(make: MakeBuild) -> None:
    build = make()
    plan = Project.open(build.origin).plan("push").digest
    assert build.exec("source", env={"PIPEGEN_WORKFLOWS": "push", "PIPEGEN_PLAN": plan}).code == 0
    done = build.exec("source", env={"PIPEGEN_WORKFLOWS": "push", "PIPEGEN_PLAN": "0" * 16})
    assert done.code == 1
    assert "run `pipegen generate`" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("layout", ["levels", "chain"])
def test_the_digests_of_generated_files_are_accepted(make: MakeBuild, layout: str) -> None:
    """Also where several workflows share a file, or chains are parted."""
    more = (
        f"repository: 'https://g.example.com/x.git'\ntargets: {{jenkins: {{layout: {layout}}}, gocd: {{}}}}"
    )
    workflows = "workflows: {review: {on: pull_request, servers: [jenkins]}, now: {on: manual}, "
    two = "  two: {cmd: cp out.txt two.txt, deps: [out.txt], outs: [two.txt]}\n"
    text = one("cp seed.txt out.txt", "{}", more).replace("workflows: {", two + workflows)
    build = make(text)
    project = Project.open(build.origin)
    pattern = r"PIPEGEN_WORKFLOWS\W+([\w,]+)\W+PIPEGEN_PLAN\W+([0-9a-f]{16})"
    found = {
        match.groups()
        for change in project.generate().changes
        for match in re.finditer(pattern, change.new or "")
    }
    assert {names for names, _ in found} == {"review,push", "push", "now"}
    for names, digest in found:
        env = {"PIPEGEN_WORKFLOWS": names, "PIPEGEN_PLAN": digest}
        check_plan(project.pipeline, project.stages, project.place, env)
        with pytest.raises(CheckFailed):
            check_plan(project.pipeline, project.stages, "elsewhere", env)


def test_a_dvc_yaml_that_is_not_the_descriptions(make: MakeBuild) -> None:
    build = make()
    agent = build.agent()
    (agent / "dvc.yaml").write_text("stages: {}\n")
    done = build.exec("source", agent=agent)
    assert done.code == 1
    assert "run `pipegen generate`" in done.err


def test_a_name_that_no_stage_has(make: MakeBuild) -> None:
    build = make()
    process = command(build.agent(), "exec", "sauce")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no stage is called 'sauce'" in err
    assert "source" in err


def test_values_before_anything_is_hashed(make: MakeBuild) -> None:
    build = make()
    values = {
        "values": 1,
        "workflow": "push",
        "at": "2026-11-23T06:00:00+01:00",
        "set": {"params.yaml:left.rows": 7},
    }
    agents = {}
    for stage in ("source", "left"):
        agents[stage] = build.agent()
        folder = agents[stage] / ".pipegen" / "fragments"
        folder.mkdir(parents=True)
        (folder / "values.json").write_text(json.dumps(values))
        done = build.exec(stage, agent=agents[stage])
        assert done.code == 0, done.err
    assert lock_of(agents["left"])["left"]["params"] == {"params.yaml": {"left.rows": 7}}
    assert (agents["left"] / "params.yaml").read_text() == "left: {rows: 7}  # of the left\n"
    assert done.record["values"] == {"params.yaml:left.rows": 7}
    without = build.exec("left", agent=build.agent())
    assert without.code == 1
    assert "from another tree or other values" in without.err


def test_setup_runs_before_command_and_tests(make: MakeBuild) -> None:
    text = one("cp prepared out.txt", '{tests: ["test -e prepared"]}', 'setup: ["echo x >> prepared"]')
    done = make(text).exec("one")
    assert done.code == 0, done.err
    assert (done.agent / "out.txt").read_text() == "x\n"


def test_setup_that_fails(make: MakeBuild) -> None:
    done = make(one("echo 1 > out.txt", "{}", 'setup: ["exit 5"]')).exec("one")
    assert done.code == 1
    assert done.err == "error: the setup of one failed: command exited with 5: exit 5\n"
