"""The recorder is as strict as the real linter, as recorded experiments show, and evaluates what Groovy does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from tests.targets.jenkins.harness import GroovyFailed, GroovyServer

pytestmark = pytest.mark.java

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.Jenkinsfile"))
CONTRACTS = HERE.parents[3] / "shared" / "contracts" / "jenkins"
QUIRKS = sorted((CONTRACTS / "quirks").glob("*.json"))

needs_contracts = pytest.mark.skipif(
    not CONTRACTS.is_dir(), reason="no recordings: ../shared/contracts/jenkins is absent"
)


def declarative(*steps: str) -> str:
    lines = "\n".join(steps)
    return (
        f"pipeline {{\n agent any\n stages {{\n  stage('a') {{\n   steps {{\n{lines}\n   }}\n  }}\n }}\n}}\n"
    )


# --- the linter ----------------------------------------------------------------------------------------------------


def test_there_are_at_least_fifty_broken_files() -> None:
    assert len(BROKEN) >= 50


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_is_rejected_and_its_mended_twin_accepted(groovy: GroovyServer, path: Path) -> None:
    expected, files = path.read_bytes().decode().split("\n", 1)
    broken, mended = files.split("// mended:\n")
    complaints = groovy.lint(broken).errors
    assert any(expected.removeprefix("// expect: ") in each for each in complaints), complaints
    assert groovy.lint(mended).errors == []


def recorded_texts() -> list[dict[str, Any]]:
    """The experiments whose Jenkinsfile is in the recording (the size experiments give only shape and length)."""
    read = [json.loads(path.read_text("utf-8")) for path in QUIRKS]
    return [experiment for experiment in read if "jenkinsfile" in experiment]


def complaints_of(lint: str) -> set[str]:
    located = re.findall(r"^WorkflowScript: \d+: .*?@ line \d+, column \d+\.", lint, re.DOTALL | re.MULTILINE)
    return set(located) or {lint.strip()}


@needs_contracts
@pytest.mark.parametrize("experiment", recorded_texts(), ids=lambda experiment: experiment["name"])
def test_the_recorder_says_what_the_real_linter_said(
    groovy: GroovyServer, experiment: dict[str, Any]
) -> None:
    found = groovy.lint(experiment["jenkinsfile"]).errors
    if experiment["lint_ok"]:
        assert found == []
    else:
        assert {each.strip() for each in found} == complaints_of(experiment["lint"])


@needs_contracts
def test_every_model_fits_the_official_schema(groovy: GroovyServer) -> None:
    schema = Draft4Validator(json.loads((CONTRACTS / "ast-schema.json").read_text("utf-8")))
    checked = 0
    for experiment in recorded_texts():
        if experiment["lint_ok"]:
            errors = [
                error.message for error in schema.iter_errors(groovy.lint(experiment["jenkinsfile"]).model)
            ]
            assert errors == [], experiment["name"]
            checked += 1
    assert checked > 100


@needs_contracts
def test_the_model_is_the_one_jenkins_made(groovy: GroovyServer) -> None:
    from urllib.parse import parse_qs

    exchange = json.loads((CONTRACTS / "98s-toJson.json").read_text("utf-8"))
    text = parse_qs(exchange["request"]["body"], keep_blank_values=True)["jenkinsfile"][0]
    assert groovy.lint(text).model == json.loads(exchange["response"]["body"])["data"]["json"]


@needs_contracts
def test_the_catalogue_knows_what_the_plugins_bring() -> None:
    origins = (CONTRACTS / "directive-origins.txt").read_text("utf-8")
    allowed = re.search(r"^ALLOWED \[(.*)\]$", origins, re.MULTILINE)
    assert allowed
    options = {entry.split(":")[0] for entry in allowed[1].split(", ")}
    catalogue = (HERE / "groovy" / "recorder" / "Catalogue.groovy").read_text("utf-8")
    missing = {option for option in options if f"'{option}'" not in catalogue}
    assert missing == set()


# --- running -------------------------------------------------------------------------------------------------------


@needs_contracts
@pytest.mark.parametrize(
    "experiment",
    [each for each in recorded_texts() if each["lint_ok"] and each.get("result") in ("SUCCESS", "UNSTABLE")],
    ids=lambda experiment: experiment["name"],
)
def test_what_ran_on_jenkins_runs_here(groovy: GroovyServer, experiment: dict[str, Any]) -> None:
    assert groovy.run(experiment["jenkinsfile"]).error is None


def test_a_declarative_file_is_evaluated(groovy: GroovyServer) -> None:
    ran = groovy.run(
        """
pipeline {
  agent none
  environment {
    FIRST = "${SECOND}-1"
    SECOND = 'two $HOME'
    KEY = credentials('key-id')
  }
  stages {
    stage('one') {
      agent { label 'linux' }
      steps {
        withCredentials([string(credentialsId: 'smtp', variable: 'SMTP')]) {
          sh 'a \\'b\\' \\\\n $X'
        }
        stash name: 's', includes: 'x/**'
      }
      post { always { junit 'r.xml' } }
    }
    stage('two') {
      parallel {
        stage('left') { agent { label 'gpu' }; steps { unstash 's'; sh "echo ${FIRST}" } }
        stage('right') { agent any; steps { lock('db') { sh 'true' } } }
      }
    }
  }
}
"""
    )
    assert ran.error is None
    assert ran.commands == [r"a 'b' \n $X", "echo two $HOME-1", "true"]
    assert ran.stages == [("one",), ("two",), ("two", "left"), ("two", "right")]
    assert ran.labels == {("one",): "linux", ("two", "left"): "gpu", ("two", "right"): "any"}
    assert ran.credentials[("one",)] == {"key-id", "smtp"}
    assert ran.stashed == [(("one",), "s")]
    assert ran.unstashed == [(("two", "left"), "s")]
    assert [step.section for step in ran.named("junit")] == ["post/always"]
    assert [block["name"] for block in ran.named("sh")[2].within] == ["lock"]


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ('echo "v=$NOPE"', "No such property: NOPE"),
        ("nosuchstep 'x'", "No such DSL method 'nosuchstep'"),
        ("unstash 'never'", "No such saved stash ‘never’"),
        ("error 'on purpose'", "on purpose"),
    ],
)
def test_what_lints_but_fails_on_jenkins_fails_here(groovy: GroovyServer, step: str, why: str) -> None:
    text = declarative(step)
    assert groovy.lint(text).ok
    assert why in (groovy.run(text).error or "")


def test_a_step_that_needs_an_agent_fails_without_one(groovy: GroovyServer) -> None:
    text = declarative("sh 'true'").replace("agent any", "agent none")
    assert "requires a node context" in (groovy.run(text).error or "")
    assert "hudson.FilePath is missing" in (groovy.run("stage('a') { sh 'true' }").error or "")


SCHEDULER = """
import groovy.transform.Field
@Field Map missing = [a: 0, b: 1, c: 1, d: 2]
@Field Map next = [a: ['b', 'c'], b: ['d'], c: ['d'], d: []]
def start(String name) {
  stage(name) { node('linux') { sh "run ${name}"; stash name: name }
    node { for (n in missing.keySet()) { if (next[n].contains(name)) { unstash n } } } }
  def ready = []
  for (n in next[name]) { missing[n] = missing[n] - 1; if (missing[n] == 0) { ready << n } }
  def branches = [:]
  for (n in ready) { def one = n; branches[one] = { start(one) } }
  parallel(branches)
}
start('a')
"""


@pytest.mark.parametrize("seed", [None, *range(8)])
def test_a_scripted_scheduler_runs_in_any_interleaving(groovy: GroovyServer, seed: int | None) -> None:
    ran = groovy.run(SCHEDULER, seed=seed)
    assert ran.error is None
    order = [path[-1] for path in ran.stages]
    assert sorted(order) == ["a", "b", "c", "d"]
    assert (order[0], order[-1]) == ("a", "d")
    assert {step.node for step in ran.named("sh")} == {"linux"}


def test_interleaving_really_happens(groovy: GroovyServer) -> None:
    text = "parallel(x: { echo 'x1'; echo 'x2'; echo 'x3' }, y: { echo 'y1'; echo 'y2'; echo 'y3' })"
    orders = {
        tuple(step.arguments["message"] for step in groovy.run(text, seed=seed).steps) for seed in range(10)
    }
    assert len(orders) > 2
    assert [step.arguments["message"] for step in groovy.run(text).steps] == [
        "x1",
        "x2",
        "x3",
        "y1",
        "y2",
        "y3",
    ]


def test_a_chain_deeper_than_jenkins_follows_is_found(groovy: GroovyServer) -> None:
    text = "def down(int n) {{ if (n > 0) {{ down(n - 1) }} else {{ echo 'there' }} }}\ndown({})"
    assert groovy.run(text.format(1000)).error is None
    assert "Excessively nested closures/functions" in (groovy.run(text.format(1100)).error or "")


def test_a_closure_that_jenkins_can_not_call_back_is_found(groovy: GroovyServer) -> None:
    assert (
        groovy.run("echo([3, 1].collect { it + 1 }.toString())").named("echo")[0].arguments["message"]
        == "[4, 2]"
    )
    ran = groovy.run("[3, 1].sort { a, b -> a <=> b }")
    assert "expected to call java.util.ArrayList.sort but wound up catching call" in (ran.error or "")


def test_a_container_is_recorded_around_its_steps(groovy: GroovyServer) -> None:
    (step,) = groovy.run("node('big') { docker.image('py:3').inside('-v x') { sh 'true' } }").named("sh")
    assert (step.node, step.within) == (
        "big",
        [{"name": "docker", "arguments": {"image": "py:3", "args": "-v x"}}],
    )


def test_prepared_answers_steer_a_run(groovy: GroovyServer) -> None:
    text = (
        "node { def v = sh(script: 'git rev-parse', returnStdout: true); "
        "catchError { sh 'fails' }; echo v + params.N + env.E }"
    )
    ran = groovy.run(
        text,
        params={"N": "-n"},
        env={"E": "-e"},
        answers=[
            {"step": "sh", "match": "rev-parse", "value": "abc"},
            {"step": "sh", "match": "fails", "error": "exit code 1"},
        ],
    )
    assert ran.error is None
    assert ran.named("echo")[0].arguments == {"message": "abc-n-e"}
    assert [event["message"] for event in ran.of_type("caught")] == ["exit code 1"]


# --- Jenkins' own compiler -----------------------------------------------------------------------------------------


def script_of(lines: int) -> str:
    """The block of the recorded `script-block-lines-N`: an error, then N lines that are never reached."""
    return "\n".join(["script {", "error 'stop'", *["echo 'x'"] * lines, "}"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (declarative(script_of(245)), None),
        (declarative(script_of(251)), "NoSuchMethodError: ArrayUtil.createArray"),
        (declarative(script_of(254)), "The max number of supported arguments is 255, but found 255"),
        (declarative(f"echo '{'a' * 65_535}'"), None),
        (declarative(f"echo '{'a' * 65_536}'"), "String too long"),
        (declarative(f"echo '{'日' * 22_000}'"), "UTF8 string too large"),
        ("def x = [" + ", ".join(["1"] * 250) + "]", None),
        ("def x = [" + ", ".join(["1"] * 251) + "]", "List expressions can only contain up to 250 elements"),
        ("def x = [" + ", ".join(f"a{n}: 1" for n in range(125)) + "]", None),
        (
            "def x = [" + ", ".join(f"a{n}: 1" for n in range(126)) + "]",
            "Map expressions can only contain up to 125 entries",
        ),
        ("node { synchronized (this) { echo 'x' } }", "synchronized is unsupported"),
        ("echo 'x", "expecting"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_compilers_limits_are_met(groovy: GroovyServer, text: str, complaint: str | None) -> None:
    errors = groovy.compile_cps(text)
    if complaint is None:
        assert errors == []
    else:
        assert any(complaint in error for error in errors), errors


def test_a_method_too_large_is_found(groovy: GroovyServer) -> None:
    def stages(count: int) -> str:
        return "\n".join(f"stage('s{n}') {{ node('x') {{ sh 'true' }} }}" for n in range(count))

    assert groovy.compile_cps(stages(60)) == []
    assert any(
        "Method too large: WorkflowScript.___cps___" in error for error in groovy.compile_cps(stages(240))
    )


# --- the server ----------------------------------------------------------------------------------------------------


def test_what_a_file_prints_is_not_taken_for_an_answer(groovy: GroovyServer) -> None:
    assert groovy.run("System.out.println('{}'); System.err.println('x'); println 'said'").error is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "}" * 1000,
        "(" * 5000,
        "def f() { f() }\nf()",
        "throw new Error('x')",
        "a" * 1_000_000,
        "#!/x\n\ud7ff\uffff",
    ],
)
def test_no_file_ends_the_server(groovy: GroovyServer, text: str) -> None:
    groovy.lint(text)
    groovy.run(text)
    groovy.compile_cps(text)
    assert groovy.evaluate(["1 + 1"]) == [2]


def test_an_endless_file_is_given_up() -> None:
    with GroovyServer(answer_seconds=1.0) as server:
        with pytest.raises(GroovyFailed, match="no answer to 'run' within 1 s"):
            server.run("while (true) { }")
        assert server.evaluate(["2 + 2"]) == [4]
