"""`pipegen gate` from end to end: here, on agents, against each kind of baseline, with waivers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipegen.quality.waivers import Waiver, read_waivers
from tests.quality.houses import Houses, said, scores, verdicts, wipe
from tests.support.agents import ROOT
from tests.support.repositories import dvc, sh

TODAY = datetime.now(timezone.utc).date()


def junit(folder: Path, name: str = "gates-push") -> dict[str, tuple[str, str]]:
    """What the server is told of each gate: its state, and its message."""
    found = {}
    for case in ET.parse(folder / ".pipegen" / "junit" / f"{name}.xml").getroot().iter("testcase"):
        bad = next((child for child in case if child.tag != "system-out"), None)
        found[case.get("name") or ""] = ("passed", "") if bad is None else (bad.tag, bad.get("message") or "")
    return found


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "gates" / "houses" / "push").glob("*.json"))


def gto(folder: Path, *words: str) -> None:
    """GTO's own command."""
    sh(folder, sys.executable, "-c", "from gto.cli import app; app()", *words)


# ------------------------------------------------------------------------------------------------- here


def test_gates_need_neither_server_nor_repository(tmp_path: Path, houses: Houses) -> None:
    (tmp_path / "plain").mkdir()
    for name in ("pipegen.yaml", "dvc.yaml"):
        (tmp_path / "plain" / name).write_text((houses.origin / name).read_text())
    (tmp_path / "plain" / "metrics.json").write_text(scores(r2=0.7))
    found = houses.gate(tmp_path / "plain", "good", "no_worse", "--json")
    assert found.code == 1
    assert verdicts(found) == {"good": "failed", "no_worse": "new"}
    assert junit(tmp_path / "plain", "gates") == {
        "good": ("failure", "metrics.json:r2 is 0.7, below 0.75"),
        "no_worse": ("skipped", "not compared: no earlier run here passed this gate"),
    }
    (tmp_path / "plain" / "metrics.json").write_text(scores(rmse=200))
    assert verdicts(houses.gate(tmp_path / "plain", "good", "no_worse", "--json"))["no_worse"] == "new"
    again = houses.gate(tmp_path / "plain", "no_worse", "--json")
    assert again.code == 0
    assert "equal to 200 of last" in said(again, "no_worse")
    (tmp_path / "plain" / "metrics.json").write_text(scores(rmse=204.1))
    worse = houses.gate(tmp_path / "plain", "no_worse", "--json")
    assert worse.code == 1
    assert "204.1, 4.1 (2.05%) above 200 of last" in said(worse, "no_worse")


def test_words_that_are_wrong(houses: Houses) -> None:
    assert (
        houses.gate(houses.origin, "godo").text.strip()
        == "error: no gate is called 'godo'; did you mean 'good'?"
    )
    assert (
        "there is no workflow 'pusch'; did you mean 'push'?" in houses.gate(houses.origin, "-w", "pusch").err
    )


# ------------------------------------------------------------------------------------------------- on agents


def test_on_an_agent(houses: Houses) -> None:
    build = houses.build()
    first, agent = houses.job(build, "--json")
    assert first.code == 0, first.text
    assert verdicts(first) == {"good": "passed", "fair": "passed", "no_worse": "new"}
    assert not (agent / "metrics.json").exists(), "the workspace stays as it is"
    assert {gate: state for gate, (state, _) in junit(agent).items()} == {
        "good": "passed",
        "fair": "passed",
        "no_worse": "skipped",
    }

    evidence = json.loads(kept(houses.remote / "pipegen")[0].read_text())
    assert evidence["commit"] == houses.commit
    assert (
        evidence["tree"] == evidence["stamp"] == sh(houses.origin, "git", "rev-parse", "HEAD^{tree}").strip()
    )
    assert evidence["values"] == {
        "metrics.json:r2": 0.8,
        "metrics.json:rmse": 100,
        "groups.yaml:north.rmse": 100,
        "groups.yaml:south.rmse": 110,
    }
    assert evidence["passed"] is True

    second, _ = houses.job(build, "--json")
    assert verdicts(second)["no_worse"] == "passed"
    assert f"equal to 100 of last ({TODAY}" in said(second, "no_worse")

    houses.write(scores=scores(rmse=103))
    worse = houses.build()
    third, agent = houses.job(worse, "--json")
    assert third.code == 1
    assert "103, 3 (3%) above 100 of last" in said(third, "no_worse")
    assert junit(agent)["no_worse"][0] == "failure"
    assert [path.name.split("-")[2] for path in kept(houses.remote / "pipegen")] == [
        "passed",
        "passed",
        "failed",
    ]

    # what is worse does not become what the next one is compared with
    fourth, agent = houses.job(worse, "--json")
    assert "103, 3 (3%) above 100 of last" in said(fourth, "no_worse")

    # evidence that can't be kept ends the job, but the server is told what was found
    wipe(houses.remote)
    houses.remote.write_text("no folder")
    away, _ = houses.job(worse, agent=agent)
    assert away.code == 6, away.text
    assert "can't write to the DVC remote 'store'" in away.err
    assert {gate: state for gate, (state, _) in junit(agent).items()} == {
        "good": "passed",
        "fair": "passed",
        "no_worse": "error",
    }
    assert "can't compare with last: can't look into the DVC remote" in junit(agent)["no_worse"][1]


def test_what_an_agent_lacks_is_red_or_said(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    build = houses.build()
    bare, agent = houses.job(build, "--json", agent=build.agent())
    assert bare.code == 1
    assert "metrics.json is made by train, of which no lock fragment" in said(bare, "good")
    assert {state for state, _ in junit(agent).values()} == {"error"}

    agent = build.agent()
    for need in ("train", "use"):
        build.give(need, agent)
        path = agent / ".pipegen" / "fragments" / f"{need}.lock.json"
        fragment = {**json.loads(path.read_text()), "state": "failed", "message": "it exited with 3"}
        path.write_text(json.dumps(fragment))
    failed, _ = houses.job(build, "--json", agent=agent)
    assert failed.code == 1
    assert "metrics.json was not made: train failed: it exited with 3" in said(failed, "good")

    monkeypatch.setenv("CHANGE_FORK", "stranger")
    before = kept(houses.remote / "pipegen")
    assert houses.job(build)[0].code == 0
    assert kept(houses.remote / "pipegen") == before, "a stranger's pull request leaves nothing on the remote"
    monkeypatch.delenv("CHANGE_FORK")

    wipe(houses.remote)
    away, agent = houses.job(build)
    assert away.code == 6
    assert junit(agent)["good"][0] == "error"
    assert "has not what train made" in junit(agent)["good"][1]

    houses.write(scores=scores(rmse=99))
    other, agent = houses.job(build)
    assert other.code == 1
    assert "the lock fragment of use was made from another tree" in other.err
    assert junit(agent)["good"][0] == "error"

    (agent / "pipegen.yaml").write_text((agent / "pipegen.yaml").read_text().replace("min: 0.75", "min: 0.1"))
    monkeypatch.setenv("PIPEGEN_PLAN", "0123456789abcdef")
    monkeypatch.setenv("PIPEGEN_WORKFLOWS", "push")
    stale = houses.gate(agent, "--workflow", "push")
    assert stale.code == 1
    assert "is not this description's" in stale.err


# ------------------------------------------------------------------------------------------------- baselines


def test_against_a_branch(houses: Houses) -> None:
    first = houses.gate(houses.origin, "like_main", "--json")
    assert first.code == 1, "no metrics yet"
    houses.run()
    alone = houses.gate(houses.origin, "like_main", "--json")
    assert verdicts(alone) == {"like_main": "new"}, (
        "its first commit has no metrics, and it is not its own baseline"
    )
    base = houses.commit
    dvc(houses.origin, "push", "-q")
    sh(houses.origin, "git", "checkout", "-qb", "feature")
    houses.write(scores=scores(rmse=105))
    houses.run()
    worse = houses.gate(houses.origin, "like_main", "--json")
    assert worse.code == 1
    assert f"105, 5 (5%) above 100 of branch:main ({base[:10]})" in said(worse, "like_main")

    # what DVC keeps is fetched, where a clone has only git's part
    sh(houses.origin, "git", "checkout", "-q", "main")
    clone = houses.folder / "clone"
    sh(houses.folder, "git", "clone", "-q", "-b", "feature", str(houses.origin), str(clone))
    (clone / "metrics.json").write_text(scores(rmse=101))
    assert "101, 1 (1%) above 100 of branch:main" in said(
        houses.gate(clone, "like_main", "--json"), "like_main"
    )

    # a run of that very commit is believed more than a lock file that may be of an older one
    houses.write(scores=scores(rmse=101))
    assert houses.job(houses.build())[0].code == 0
    sh(clone, "git", "fetch", "-q")
    assert "equal to 101 of branch:main" in said(houses.gate(clone, "like_main", "--json"), "like_main")

    text = (clone / "pipegen.yaml").read_text()
    (clone / "pipegen.yaml").write_text(text.replace("branch:main", "branch:mian"))
    typo = houses.gate(clone, "like_main", "--json")
    assert typo.code == 1
    assert "can't compare with branch:mian: there is no branch mian here, and git could not fetch it" in said(
        typo, "like_main"
    )


def test_against_production(houses: Houses) -> None:
    houses.run()
    none = houses.gate(houses.origin, "like_production", "--json")
    assert (none.code, verdicts(none)) == (0, {"like_production": "new"})
    assert "no version of house-price is in production yet" in said(none, "like_production")
    gto(houses.origin, "register", "house-price", "--version", "v1.0.0")
    gto(
        houses.origin,
        "assign",
        "house-price",
        "--version",
        "v1.0.0",
        "--stage",
        "production",
    )
    dvc(houses.origin, "push", "-q")
    houses.write(scores=scores(rmse=103))
    houses.run()
    worse = houses.gate(houses.origin, "like_production", "--json")
    assert worse.code == 1
    assert "103, 3 (3%) above 100 of production (house-price v1.0.0," in said(worse, "like_production")

    clone = houses.folder / "clone"
    sh(houses.folder, "git", "clone", "-q", "--no-tags", str(houses.origin), str(clone))
    (clone / "metrics.json").write_text(scores(rmse=102))
    without = houses.gate(clone, "like_production", "--json")
    assert verdicts(without) == {"like_production": "new"}, "a person's clone is taken as it is"
    wipe(houses.remote)
    sh(clone, "git", "fetch", "-q", "--tags")
    lost = houses.gate(clone, "like_production", "--json")
    assert lost.code == 1, (
        "there is a version in production, but nothing to compare with is no reason to pass"
    )
    assert "can't compare with production (house-price v1.0.0," in said(lost, "like_production")


def test_a_job_fetches_tags_and_doubts_what_it_can_t_fetch(houses: Houses) -> None:
    text = (houses.origin / "pipegen.yaml").read_text()
    (houses.origin / "pipegen.yaml").write_text(text.replace("[good, fair, no_worse]", "[like_production]"))
    houses.write()
    houses.run()
    build = houses.build()
    agent = houses.folder / "agent"
    sh(houses.folder, "git", "clone", "-q", "--no-tags", str(houses.origin), str(agent))
    build.give("use", agent)
    sh(houses.origin, "git", "tag", "-am", "up", "house-price#production#1")
    job, _ = houses.job(build, "--json", agent=agent)
    assert job.code == 0, job.text
    assert "equal to 100 of production (house-price," in said(job, "like_production")
    sh(agent, "git", "tag", "-d", "house-price#production#1")
    sh(agent, "git", "remote", "set-url", "origin", str(houses.folder / "gone"))
    doubtful, _ = houses.job(build, "--json", agent=agent)
    assert doubtful.code == 1
    assert "no tag here says which house-price is in production, and git could not fetch it" in said(
        doubtful, "like_production"
    )


# ------------------------------------------------------------------------------------------------- waivers


def waiver(folder: Path, expires: date, gate: str = "good") -> None:
    (folder / "waivers.yaml").write_text(
        f"- {{gate: {gate}, author: Ann, reason: few sales in May, expires: {expires}}}\n"
    )


def test_waivers(houses: Houses) -> None:
    (houses.origin / "metrics.json").write_text(scores(r2=0.7))
    waiver(houses.origin, TODAY)
    valid = houses.gate(houses.origin, "good")
    assert valid.code == 0
    assert "waived by Ann until" in valid.out
    assert junit(houses.origin, "gates")["good"][0] == "skipped"
    waiver(houses.origin, TODAY - timedelta(days=1))
    expired = houses.gate(houses.origin, "good")
    assert expired.code == 1
    assert "the waiver by Ann expired on" in expired.out
    assert junit(houses.origin, "gates")["good"][0] == "failure"
    (houses.origin / "metrics.json").write_text(scores(r2=0.8))
    assert houses.gate(houses.origin, "good").code == 0, "a green gate needs no waiver"


def test_a_waiver_holds_through_its_last_day(tmp_path: Path) -> None:
    waiver(tmp_path, date(2026, 12, 31))
    found = read_waivers(tmp_path, ["good"])["good"]
    assert found == Waiver("good", "Ann", "few sales in May", date(2026, 12, 31))
    assert found.holds(date(2026, 12, 31))
    assert not found.holds(date(2027, 1, 1))


def test_mistakes_in_waivers_have_their_place(houses: Houses) -> None:
    (houses.origin / "waivers.yaml").write_text(
        "- {gate: godo, author: Ann, reason: x, expires: 2026-12-31}\n"
        "- {gate: good, author: Ann, reasons: x, expires: '2026-02-30'}\n"
        "- {gate: good, author: '', reason: x, expires: 31.12.2026}\n"
        "- good\n"
    )
    found = houses.gate(houses.origin, "good")
    assert found.code == 3
    lines = [line.partition("waivers.yaml:")[2] for line in found.err.splitlines() if "waivers.yaml:" in line]
    assert lines == [
        "1:10: the gate 'godo' is not defined",
        "2:3: the key 'reason' is missing here",
        "2:29: 'reasons' is not a key here",
        "2:50: '2026-02-30' is not a date",
        "3:24: '' stands where text is expected",
        "3:48: '31.12.2026' is not a date",
        "4:3: 'good' stands where a mapping is expected",
    ]
    assert junit(houses.origin, "gates")["good"][0] == "error"


# ------------------------------------------------------------------------------------------------- the disk


def test_a_full_disk_is_said(houses: Houses) -> None:
    (houses.origin / "metrics.json").write_text(scores())
    (houses.origin / ".pipegen" / "junit").mkdir(parents=True, exist_ok=True)
    code = "from pipegen.cli import main; main()"
    command = ["bash", "-c", 'ulimit -f 0; exec "$@"', "-", sys.executable, "-c", code, "gate", "good"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=houses.origin, env=env, capture_output=True, text=True)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "can't write" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
