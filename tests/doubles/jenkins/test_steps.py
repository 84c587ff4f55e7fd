"""Steps where no recorded build shows them as a whole: files, credentials, interruptions, what runs at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.jenkins import ant
from tests.doubles.jenkins.agents import Agent
from tests.doubles.jenkins.build import Build, RunningBuild
from tests.doubles.jenkins.conftest import Make
from tests.doubles.jenkins.credentials import File, SshKey, Text, UserPassword
from tests.doubles.jenkins.double import JenkinsDouble
from tests.doubles.jenkins.scopes import Refused

pytestmark = pytest.mark.java


def declarative(steps: str, more: str = "") -> str:
    stage = f"stage('a') {{\n steps {{\n{steps}\n }}\n}}"
    return f"pipeline {{\n agent any\n {more}\n stages {{\n{stage}\n }}\n}}\n"


def ran(build: Build) -> list[str]:
    """The log without Jenkins' own lines."""
    return [line for line in build.log if not line.startswith(("[Pipeline]", "Running ", "Started by", "+ "))]


# --- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("**", ["a.txt", "d/b.txt", "d/e/c.txt"]),
        ("*", ["a.txt"]),
        ("*.txt", ["a.txt"]),
        ("**/*.txt", ["a.txt", "d/b.txt", "d/e/c.txt"]),
        ("d/", ["d/b.txt", "d/e/c.txt"]),
        ("d/*", ["d/b.txt"]),
        ("d/**/c.txt", ["d/e/c.txt"]),
        ("?.txt, d/e/*", ["a.txt", "d/e/c.txt"]),
        ("**/e/**", ["d/e/c.txt"]),
        ("none/**", []),
    ],
)
def test_patterns_are_those_of_ant(tmp_path: Path, pattern: str, taken: list[str]) -> None:
    for name in ("a.txt", "d/b.txt", "d/e/c.txt", ".git/x", "d/.gitignore", "a.txt~"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.as_posix() for path in ant.found(tmp_path, pattern)] == taken


def test_dir_env_and_stash_belong_together(jenkins: Make) -> None:
    text = """
node('a1') {
  withEnv(['X=1', 'Y=$X ${X}']) {
    dir('in/side') { sh 'echo "$X $Y" > f; mkdir -p .d; touch .d/g'; stash name: 's', includes: 'f,.d/**' }
    env.Z = 'late'
  }
}
node('a2') {
  sh 'ls -A; echo "[$X] $Z"'
  dir('else/where') { unstash 's' }
  sh 'cat else/where/f; ls -A else/where; pwd'
  echo readFile('else/where/f') + fileExists('nope')
}
"""
    build = jenkins(Agent("a1"), Agent("a2")).build(text)
    assert ran(build)[:-1] == [
        "Stashed 2 file(s)",
        "[] late",
        "1 $X ${X}",
        ".d",
        "f",
        build.calls[-1].env["WORKSPACE"],
        "1 $X ${X}",
        "false",
    ]


JUNIT = """<testsuites><testsuite name="s">
<testcase classname="c" name="good"/>
<testcase classname="c" name="bad"><failure message="m"/></testcase>
<testcase classname="c" name="worse"><error/></testcase>
<testcase classname="c" name="not"><skipped/></testcase>
</testsuite></testsuites>"""


def test_a_failed_test_makes_the_build_unstable_and_later_stages_run(jenkins: Make) -> None:
    text = f"""pipeline {{
  agent any
  stages {{
    stage('a') {{
      steps {{
        writeFile file: 'r/x.xml', text: '''{JUNIT}'''
        junit 'r/*.xml'
        archiveArtifacts 'r/**'
      }}
      post {{
        unstable {{ echo 'was unstable' }}
        success {{ echo 'was green' }}
      }}
    }}
    stage('b') {{ steps {{ echo currentBuild.currentResult }} }}
  }}
}}"""
    build = jenkins().build(text)
    assert build.result == "UNSTABLE"
    assert [case.status for case in build.tests] == ["PASSED", "FAILED", "FAILED", "SKIPPED"]
    assert build.tests[0].stages == ("a",)
    assert build.statuses == {"a": "UNSTABLE", "b": "SUCCESS"}
    assert ran(build)[-3:] == ["was unstable", "UNSTABLE", "Finished: UNSTABLE"]
    assert (build.artifacts / "r/x.xml").read_text() == JUNIT


# --- credentials ---------------------------------------------------------------------------------------------------


def test_credentials_are_bound_masked_and_gone(jenkins: Make) -> None:
    store = {
        "t": Text("s3cr3t"),
        "u": UserPassword("me", "pa ss'wd"),
        "f": File("key.json", "{}\n"),
        "k": SshKey("PRIVATE\n"),
    }
    text = """
node {
  withCredentials([string(credentialsId: 't', variable: 'T'), file(credentialsId: 'f', variable: 'F'),
      usernamePassword(credentialsId: 'u', usernameVariable: 'U', passwordVariable: 'P'),
      sshUserPrivateKey(credentialsId: 'k', keyFileVariable: 'K')]) {
    sh 'echo "$T $U $P"; cat "$F" "$K"; echo "$F" > where'
  }
  sh 'echo "[$T]"; test ! -e "$(cat where)"; git status >/dev/null 2>&1 || echo clean'
}"""
    build = jenkins(credentials=store).build(text)
    assert build.result == "SUCCESS"
    assert ran(build)[1:] == ["**** me ****", "{}", "PRIVATE", "[]", "clean", "Finished: SUCCESS"]
    assert not [line for line in build.log if "s3cr3t" in line or "pa ss" in line]


@pytest.mark.parametrize(
    ("binding", "why"),
    [
        ("string(credentialsId: 'none', variable: 'T')", "Could not find credentials entry with ID 'none'"),
        ("string(credentialsId: 'u', variable: 'T')", "Credentials 'u' is of type"),
    ],
)
def test_credentials_that_are_not_there_fail(jenkins: Make, binding: str, why: str) -> None:
    build = jenkins(credentials={"u": UserPassword("a", "b")}).build(
        f"node {{ withCredentials([{binding}]) {{ sh 'true' }} }}"
    )
    assert build.result == "FAILURE"
    assert why in (build.error or "")


# --- interruptions -------------------------------------------------------------------------------------------------


def test_a_process_that_ignores_the_signal_lives_on_and_the_step_ends(jenkins: Make, tmp_path: Path) -> None:
    double = jenkins(stop_seconds=0.5, time_scale=0.5)
    wait = f"until [ -e {tmp_path}/over ]; do sleep 0.1 || true; done"
    build = double.build(declarative(f"timeout(time: 1, unit: 'SECONDS') {{ sh 'trap \"\" TERM; {wait}' }}"))
    assert build.result == "ABORTED"
    assert "After 0.5s process did not stop" in build.log
    assert double.controller.shell.alive() > 0
    (tmp_path / "over").touch()
    assert double.idle(seconds=15)


@pytest.mark.parametrize(
    ("wrapped", "times", "result"),
    [
        ("retry(2) { timeout(time: 1, unit: 'SECONDS') { sh 'sleep 9' } }", 2, "ABORTED"),
        ("timeout(time: 1, unit: 'SECONDS') { retry(2) { sh 'sleep 9' } }", 1, "ABORTED"),
        ("retry(count: 2, conditions: [agent(), nonresumable()]) { sh 'exit 3' }", 1, "FAILURE"),
        ("retry(3) { sh 'exit 3' }", 3, "FAILURE"),
    ],
    ids=["time-out inside", "time-out outside", "agent errors alone", "any error"],
)
def test_what_retry_tries_again(jenkins: Make, wrapped: str, times: int, result: str) -> None:
    build = jenkins(time_scale=0.3).build(declarative(wrapped))
    assert (len(build.calls), build.result) == (times, result)


def test_post_runs_after_a_time_out_and_knows_it(jenkins: Make) -> None:
    text = declarative(
        "timeout(time: 1, unit: 'SECONDS') { sh 'sleep 9' }",
        "post {\n aborted { sh 'echo ended' }\n failure { echo 'failed' }\n always { echo 'always' }\n }",
    )
    assert ran(jenkins().build(text))[-4:-1] == ["always", "ended", "Timeout has been exceeded"]


def test_a_lost_agent_without_retry_ends_the_build(jenkins: Make) -> None:
    def lose(line: str, build: RunningBuild) -> None:
        if line == "+ sleep 60":
            build.lose("a1")

    build = jenkins().build("node { sh 'sleep 60' }", on_line=lose)
    assert (build.result, build.error) == ("ABORTED", "Agent was removed")


# --- at once -------------------------------------------------------------------------------------------------------


def both(double: JenkinsDouble, text: str) -> list[Build]:
    running = [double.start(text) for _ in range(2)]
    return [one.wait() for one in running]


def test_shells_of_branches_run_at_once_on_executors_of_their_own(jenkins: Make) -> None:
    meet = "touch ../{0}; until [ -e ../x ] && [ -e ../y ]; do sleep 0.01; done"
    text = "".join(
        [
            "parallel(x: { node('big') { sh '" + meet.format("x") + "' } },\n",
            " y: { node('big') { sh '" + meet.format("y") + "' } })",
        ]
    )
    build = jenkins(Agent("a1", {"big"}, executors=2), limit=20).build(text)
    assert build.result == "SUCCESS"
    assert build.most_busy == {"a1": 2}


def test_builds_wait_for_each_others_locks(jenkins: Make) -> None:
    text = "lock(resource: 'r', extra: [[resource: 's']]) { node { sh 'sleep 0.3' } }"
    double = jenkins(Agent("a1", executors=4))
    first, second = sorted((build.calls[0] for build in both(double, text)), key=lambda call: call.start)
    assert first.end <= second.start
    assert double.controller.locks.held() == {}


def test_an_older_build_does_not_pass_a_milestone_after_a_newer(jenkins: Make) -> None:
    text = """
if (env.BUILD_NUMBER == '1') { sleep 1 }
milestone(ordinal: 1)
echo 'passed'
"""
    older, newer = both(jenkins(), text)
    assert (older.result, older.error) == ("NOT_BUILT", "Superseded by #2")
    assert "passed" not in older.log
    assert newer.result == "SUCCESS"


def test_builds_of_one_job_wait_for_each_other_where_it_says_so(jenkins: Make) -> None:
    text = declarative("sh 'sleep 0.2'", "options { disableConcurrentBuilds() }")
    double = jenkins(Agent("a1", executors=2))
    double.build(text)
    first, second = (build.calls[0] for build in both(double, text))
    assert first.end <= second.start


# --- when and post -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "conditions"),
    [
        ("SUCCESS", ["always", "changed", "success", "cleanup"]),
        ("FAILURE", ["always", "changed", "unsuccessful", "failure", "cleanup"]),
        ("UNSTABLE", ["always", "changed", "unsuccessful", "unstable", "cleanup"]),
    ],
)
def test_post_conditions_run_in_their_order(jenkins: Make, result: str, conditions: list[str]) -> None:
    step = {"SUCCESS": "echo 'x'", "FAILURE": "error 'x'", "UNSTABLE": "unstable 'x'"}[result]
    names = [
        "cleanup",
        "failure",
        "unstable",
        "success",
        "unsuccessful",
        "changed",
        "fixed",
        "always",
        "aborted",
    ]
    post = "post {\n" + "".join(f"{name} {{ echo 'post {name}' }}\n" for name in names) + "}"
    build = jenkins().build(declarative(step, post))
    assert build.result == result
    assert [line.split()[-1] for line in build.log if line.startswith("post ")] == conditions


def test_a_stage_that_does_not_run_takes_no_agent_nor_lock(jenkins: Make) -> None:
    text = """pipeline {
  agent none
  stages {
    stage('skipped') {
      agent { label 'nowhere' }
      when {
        beforeAgent true
        beforeOptions true
        anyOf { branch 'release/*'; changeRequest() }
      }
      options { lock('db') }
      steps { echo 'never' }
      post { always { echo 'nor this' } }
    }
    stage('runs') { steps { echo 'here' } }
  }
}"""
    build = jenkins(limit=5).build(text)
    assert build.statuses == {"skipped": "NOT_EXECUTED", "runs": "SUCCESS"}
    assert ran(build) == ['Stage "skipped" skipped due to when conditional', "here", "Finished: SUCCESS"]


# --- what is not known ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        "mail subject: 's', body: 'b'",
        "ws('x') { echo 'y' }",
        "timeout(time: 1, activity: true) { echo 'x' }",
        "lock(label: 'l', resource: '') { echo 'x' }",
        "archiveArtifacts artifacts: 'x', onlyIfSuccessful: true",
        "script { retry(count: 2, conditions: [kubernetesAgent()]) { error 'x' } }",
        "script { catchError { docker.image('x').inside { echo 'y' } } }",
    ],
)
def test_what_no_recording_shows_is_refused_and_not_caught(jenkins: Make, step: str) -> None:
    with pytest.raises(Refused):
        jenkins().build(declarative(step))
