"""What a description asks of a controller: the plugins that its files use, agents and credentials."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipegen import Pipeline, Project
from pipegen.plan.deployment import Deployment
from pipegen.targets.jenkins.deployment import PLUGINS
from tests.conftest import CONTRACTS

EXAMPLES = Path(__file__).parents[3] / "examples"
ORIGINS = {
    "pipeline {": "pipeline-model-definition",
    "docker {": "docker-workflow",
    "docker.image(": "docker-workflow",
}
"""Of what is no step: the directive `pipeline`, and a global variable."""


def asked(folder: Path, layout: str) -> Deployment:
    """What a description in this layout asks for."""
    file = folder / "pipegen.yaml"
    file.write_text(
        'name: toy\nrepository: "https://x/toy.git"\ninstall: "true"\n'
        f"targets: {{jenkins: {{folder: ml, layout: {layout}}}}}\n"
        "stages: {a: {cmd: echo > a, outs: [a], ci: {mutex: [gpu], secrets: [s]}}}\n"
        "agents: {linux: {jenkins: {label: linux}}}\ndefaults: {agent: linux}\n"
        "secrets: {s: {env: [K], jenkins: {id: key, type: ssh_key}}}\n"
        "people: {leads: {jenkins: [leads]}}\nenvironments: {production: {deploy: ./d.sh}}\n"
        "models: {m: {path: a}}\n"
        "workflows:\n"
        "  push: {on: {push: {branches: [main]}}}\n"
        "  release: {on: manual, promote: {model: m, to: production}, approve: {by: leads}}\n"
    )
    return Project(Pipeline.from_file(file), folder).deployment("jenkins")


@pytest.mark.parametrize("layout", ["levels", "graph"])
def test_plugins_are_those_of_what_stands_in_the_files(tmp_path: Path, layout: str) -> None:
    needs = {need.name: need.detail for need in asked(tmp_path, layout).needs if need.kind == "plugin"}
    always = {
        "workflow-job", "workflow-cps", "git", "workflow-scm-step", "pipeline-stage-step", "timestamper", "junit",
        "workflow-durable-task-step", "workflow-basic-steps", "credentials-binding", "lockable-resources",
        "ssh-credentials", "pipeline-input-step", "pipeline-milestone-step", "workflow-multibranch", "branch-api",
        "cloudbees-folder",
    }  # fmt: skip
    assert set(needs) == always | ({"pipeline-model-definition"} if layout == "levels" else set())
    assert (needs["workflow-job"], needs["workflow-basic-steps"]) == ("1145", "994")


@pytest.mark.contracts
def test_each_plugin_is_the_one_that_a_real_controller_names() -> None:
    table = (CONTRACTS / "jenkins" / "directive-origins.txt").read_text("utf-8")
    steps = dict(re.findall(r"^step (\w+)(?: \{\})? <- ([\w-]+)$", table, re.MULTILINE))
    plugins = set(re.findall(r"^plugin ([\w-]+) ", table, re.MULTILINE))
    for words, plugin in PLUGINS.items():
        step = re.findall(r"\w+", words)[0]
        if words.strip() in ORIGINS:
            assert ORIGINS[words.strip()] == plugin
        elif "credentialsId" in words or step.startswith("ssh"):
            assert plugin in ("plain-credentials", "ssh-credentials")
        else:
            assert steps[step] == plugin
        assert plugin in plugins


def test_agents_and_credentials_with_the_jobs_that_need_them(tmp_path: Path) -> None:
    deployment = asked(tmp_path, "levels")
    needs = {(need.kind, need.name): need for need in deployment.needs if need.kind != "plugin"}
    assert set(needs) == {("label", "linux"), ("credentials", "key")}
    assert needs["credentials", "key"].detail == "ssh_key" and "a" in needs["credentials", "key"].by
    assert deployment.origin == "https://x/toy.git#." and deployment.folder == "ml"


def test_definitions_say_what_they_run_and_what_the_server_shows(tmp_path: Path) -> None:
    branches, release = asked(tmp_path, "levels").definitions
    assert (branches.name, branches.script, branches.branches) == ("toy", "Jenkinsfile", ("main",))
    assert (release.name, release.script, release.branches) == ("toy-release", "ci/Jenkinsfile.release", ())
    assert branches.parts == {"a": ("a",)} and "promote-to-production" in release.parts
    flagship = Project.open(EXAMPLES / "house-prices").deployment("jenkins")
    nightly = next(each for each in flagship.definitions if each.name == "house-prices-nightly")
    text = flagship.files["ci/Jenkinsfile.nightly"]
    assert all(f"stage('{part}')" in text for part in nightly.parts)
