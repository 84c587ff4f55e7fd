"""The double does what a real controller did with the same Jenkinsfile: result and console of recorded experiments."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.jenkins.agents import Agent
from tests.doubles.jenkins.conftest import Make
from tests.doubles.jenkins.credentials import Text, UserPassword
from tests.doubles.jenkins.double import Stuck
from tests.doubles.jenkins.gates import Answer
from tests.doubles.jenkins.scopes import Refused

pytestmark = [pytest.mark.java, pytest.mark.contracts]

CONTRACTS = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "jenkins"
CREDENTIALS = {"secret-text": Text("s3cr3t-tok"), "user-pass": UserPassword("u1", "p4ss")}

ONLY_RESULT = {
    "shared-lib-missing": "says it in other words",
    "stash-bad-name": "Java's own exception around the message",
    "stagename-empty": "shows (error) for an empty name",
    "stash-across-agents": "an earlier build's files lay on the agent",
    "nest-stages-parallel-top": "the console was read before its last line",
    "unknown-step": "lists other steps",
    "unknown-step-paren": "lists other steps",
}
OTHERWISE = {
    "bad-cron": "triggers are the job's, not the build's",
    "sandbox-reject": "no sandbox",
    "sandbox-reject-static": "no sandbox",
    "cred-concat": "Groovy's text of an inner object",
}
"""Experiments on what the double is not about; none of it is in a generated file."""
REFUSED = ("agent-docker", "build-step", "git-step", "libraries-directive", "mail-step", "matrix-")


def recordings() -> list[dict[str, Any]]:
    """The experiments that were run and whose text was kept."""
    read = [json.loads(path.read_text("utf-8")) for path in sorted(CONTRACTS.glob("quirks/*.json"))]
    ran = [one for one in read if "jenkinsfile" in one and one.get("console")]
    return [one for one in ran if one["lint_ok"] or one["result"] == "SUCCESS"]


def cases(*results: str) -> list[Any]:
    return [pytest.param(one, id=one["name"]) for one in recordings() if one["result"] in results]


@pytest.mark.parametrize("recorded", cases("SUCCESS", "UNSTABLE", "FAILURE", "ABORTED"))
def test_a_recorded_build_ends_and_reads_as_on_jenkins(jenkins: Make, recorded: dict[str, Any]) -> None:
    name = recorded["name"]
    if name in OTHERWISE:
        return
    double = jenkins(
        Agent("built-in", executors=2), Agent("ag1"), credentials=CREDENTIALS, kept_workspaces=True
    )
    if name.startswith(REFUSED):
        with pytest.raises(Refused):
            double.build(recorded["jenkinsfile"])
        return
    built = double.build(recorded["jenkinsfile"])
    assert built.result == recorded["result"]
    if name not in ONLY_RESULT:
        mine, real = readable(built.log, recorded), readable(recorded["console"].splitlines(), recorded)
        assert (
            real == [line for line in mine if line in real]
            if "|" in recorded["jenkinsfile"]
            else real == mine
        )


@pytest.mark.parametrize("recorded", cases("TIMEOUT"))
def test_what_waited_for_ever_is_stuck(jenkins: Make, recorded: dict[str, Any]) -> None:
    double = jenkins(Agent("built-in", executors=2), Agent("ag1"), limit=1.0)
    with pytest.raises(Stuck, match=r"waiting in (node|sh|input)"):
        double.build(recorded["jenkinsfile"])


def readable(lines: list[str], recorded: dict[str, Any]) -> list[str]:
    """A console without what differs by machine. Branches speak in any order, the parts of a pipe into each other."""
    dropped = ("\tat ", "Also: ", "org.jenkinsci.plugins.workflow.actions.ErrorAction$")
    kept = [line for text in lines for line in text.split("\n") if not line.startswith(dropped) and line]
    plain = [_plain(line, recorded["name"]) for line in kept if "match anything, but" not in line]
    if "|" in recorded["jenkinsfile"]:
        plain = [line for line in plain if not line.startswith("+ ")]
    return sorted(plain) if "parallel" in recorded["jenkinsfile"] else plain


def _plain(line: str, name: str) -> str:
    line = re.sub(r"\S*/durable-\w+/script\.sh(\.copy)?", "SCRIPT", line)
    line = re.sub(r"(?<=Running on )\S+", "NODE", line).replace(f"q-{name}", "job")
    line = re.sub(r"\S*/workspace/job(@\d)?", r"WORKSPACE\1", line)
    line = re.sub(r"/home/jenkins|\S*/agents/[\w-]+/home", "HOME", line)
    return re.sub(r"(?<=\s)(/opt/x:)\S+", r"\1PATH", line)


# --- recorded otherwise than as experiments ------------------------------------------------------------------------


def console(name: str) -> list[str]:
    body: str = json.loads((CONTRACTS / f"{name}.json").read_text("utf-8"))["response"]["body"]
    return [
        re.sub(r"NODE in \S+", "NODE in W", _plain(line, ""))
        for line in body.splitlines()
        if "ErrorAction" not in line
    ]


def same(log: list[str]) -> list[str]:
    return [re.sub(r"NODE in \S+", "NODE in W", _plain(line, "")) for line in log]


FAILING = """pipeline {
  agent any
  stages {
    stage('ok') { steps { echo 'x' } }
    stage('bad') { steps { sh 'echo to stderr >&2; exit 7' } }
    stage('later') { steps { echo 'y' } }
  }
  post { failure { echo 'failed!' } }
}"""


def test_stages_after_a_failure_are_skipped_and_post_runs(jenkins: Make) -> None:
    built = jenkins().build(FAILING)
    assert same(built.log) == console("68d-failed-console")
    shown = json.loads((CONTRACTS / "68b-failed-wfapi.json").read_text())["response"]["body"]
    shown = json.loads(shown) if isinstance(shown, str) else shown
    assert built.statuses == {stage["name"]: stage["status"] for stage in shown["stages"]}


def test_an_aborted_build_says_who_and_runs_post(jenkins: Make) -> None:
    text = """pipeline {
  agent any
  stages { stage('s') { steps { sh 'sleep 300' } } }
  post {
    aborted { echo 'was aborted' }
    always { echo 'always' }
    success { echo 'never' }
  }
}"""
    built = jenkins().build(
        text, on_line=lambda line, build: build.abort() if line == "+ sleep 300" else None
    )
    assert built.result == "ABORTED"
    assert sorted(same(built.log)) == sorted(console("57b-stopped-console"))
    assert built.statuses == {"s": "ABORTED", "Declarative: Post Actions": "SUCCESS"}


APPROVAL = """pipeline {
  agent none
  stages {
    stage('Approve') {
      input {
        message 'go?'
        parameters { string(name: 'REASON', defaultValue: 'none') }
      }
      steps { echo "reason ${REASON}" }
    }
    stage('Step') { steps { script { def r = input('sure?'); echo "r=${r}" } } }
  }
}"""


def test_an_approval_gives_its_values(jenkins: Make) -> None:
    answers = [Answer(values={"REASON": "because"}, message="go?"), Answer(message="sure?")]
    assert same(jenkins().build(APPROVAL, answers=answers).log) == console("67h-console")


def test_a_refusal_aborts(jenkins: Make) -> None:
    built = jenkins().build(APPROVAL, answers=[Answer(approve=False)])
    assert same(built.log) == console("67l-aborted-console")
    assert built.result == "ABORTED"


def test_a_restart_skips_the_stages_before(jenkins: Make) -> None:
    stages = [f"stage('{name}') {{ steps {{ echo '{n}' }} }}" for n, name in enumerate(["one", "two"], 1)]
    text = "\n".join(["pipeline {", "agent any", "stages {", *stages, "}", "}"])
    double = jenkins()
    first = double.build(text)
    assert same(double.build(text, restart=(first, "two")).log) == console("96e-restarted-console")
