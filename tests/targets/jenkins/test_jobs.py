"""Job definitions: well-formed, in the recorded form, and carrying exactly the user's text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pipegen.errors import PlanError
from pipegen.targets.jenkins import Jenkins
from tests.support.descriptions import HOSTILE, diamond, request

CONTRACTS = Path(__file__).parents[4] / "shared/contracts/jenkins"
BRANCHES = {
    "push": {"on": {"push": {"branches": ["main", "release/**"]}}},
    "branches": {"on": {"push": {"branches": ["feature/*"]}}},
}


def definitions(**more: Any) -> dict[str, Any]:
    """The parsed definitions by file name."""
    made = Jenkins().definitions(request(diamond(gates={}, **more)))
    return {file.path: parsed(file.text) for file in made.files}


def parsed(text: str) -> Any:
    """The root element; XML 1.1's declaration, which Jenkins writes, is one that libxml2 reads as 1.0."""
    return etree.fromstring(
        text.replace("version='1.1'", "version='1.0'").replace('version="1.1"', 'version="1.0"').encode()
    )


def test_one_job_for_branches_and_one_for_each_other_workflow() -> None:
    workflows = {
        **BRANCHES,
        "nightly": {"on": {"schedule": "0 6 * * 1-5", "timezone": "Europe/Paris"}, "branch": "dev"},
    }
    found = definitions(workflows=workflows, targets={"jenkins": {"credentials": "git"}})
    assert list(found) == ["toy.config.xml", "toy-nightly.config.xml"]
    branches, nightly = found.values()
    assert branches.findtext(".//remote") == "https://git.example.com/toy.git"
    assert branches.findtext(".//credentialsId") == "git"
    assert branches.findtext(".//scriptPath") == "Jenkinsfile"
    regex = branches.findtext(".//regex")
    taken = [
        b
        for b in ("main", "release/1/2", "feature/x", "feature/x/y", "mainly", "dev")
        if re.fullmatch(regex, b)
    ]
    assert taken == ["main", "release/1/2", "feature/x"]
    assert nightly.findtext(".//spec") == "TZ=Europe/Paris\n0 6 * * 1-5"
    assert nightly.findtext(".//scriptPath") == "ci/Jenkinsfile.nightly"
    assert nightly.findtext(".//hudson.plugins.git.BranchSpec/name") == "refs/heads/dev"


def test_parameters_stand_in_the_job_since_jenkins_knows_none_before_the_first_run() -> None:
    inputs = {
        "alpha": {"sets": "a.b", "default": 0.1, "description": "how <much>"},
        "kind": {"sets": "a.c", "default": "b", "choices": ["a", "b", "c"]},
    }
    job = definitions(workflows={"try": {"on": "manual", "inputs": inputs}})["toy-try.config.xml"]
    text, choice = job.find(".//parameterDefinitions")
    assert (text.tag, text.findtext("name"), text.findtext("defaultValue"), text.findtext("description")) == (
        "hudson.model.StringParameterDefinition",
        "alpha",
        "0.1",
        "how <much>",
    )
    assert choice.tag == "hudson.model.ChoiceParameterDefinition"
    assert [each.text for each in choice.find("choices")] == ["b", "a", "c"]


def test_without_a_repository_there_is_no_job() -> None:
    data = diamond()
    del data["repository"]
    with pytest.raises(PlanError, match="must know where the repository is"):
        Jenkins().definitions(request(data))


def test_a_pull_request_workflow_warns_that_git_finds_none() -> None:
    made = Jenkins().definitions(request(diamond(workflows={"review": {"on": "pull_request"}})))
    assert [warning.code for warning in made.warnings] == ["jenkins-pull-requests"]


@given(text=HOSTILE, url=st.text("abc'\"<&>$", min_size=1))
@settings(max_examples=60, deadline=None)
def test_hostile_text_is_one_element(text: str, url: str) -> None:
    data = diamond(
        repository=f"https://git.example.com/{url}",
        workflows={"try": {"on": "manual", "inputs": {"alpha": {"sets": "a.b", "default": text}}}},
    )
    if re.search("[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe]", text):
        with pytest.raises(PlanError, match="can't stand in a Jenkins job definition"):
            Jenkins().definitions(request(data))
        return
    [file] = Jenkins().definitions(request(data)).files
    job = parsed(file.text)
    assert job.findtext(".//defaultValue") == text
    assert job.findtext(".//url") == f"https://git.example.com/{url}"


@pytest.mark.contracts
@pytest.mark.skipif(
    not CONTRACTS.exists(),
    reason="../shared/contracts is absent: no recorded job definitions to compare with",
)
@pytest.mark.parametrize(
    ("file", "recorded", "side"),
    [
        ("toy.config.xml", "mb-a1-multibranch-create.json", "request"),
        ("toy-try.config.xml", "48-config-after-first-run.json", "response"),
    ],
)
def test_elements_are_those_of_a_recorded_job(file: str, recorded: str, side: str) -> None:
    """Every element that the recorded job of this kind has room for stands at the same place, with the same class."""
    inputs = {
        "LR": {"sets": "a.b", "default": 0.1},
        "C": {"sets": "a.c", "default": "x", "choices": ["x", "y"]},
    }
    ours = definitions(workflows={**BRANCHES, "try": {"on": "manual", "inputs": inputs}})[file]
    theirs = parsed(json.loads((CONTRACTS / recorded).read_text())[side]["body"].strip())
    known = shape(
        theirs
    ) | {  # in the manual of the git plugin and of Pipeline: Job, where the recorded job has an inline script
        path
        for path in shape(ours)
        if "/definition" in path or path.endswith(("/description", "/choices", "/string"))
    }
    assert shape(ours) <= known


def shape(root: Any) -> set[str]:
    """The path of every element, with its class where it has one."""
    found = set()
    for element in root.iter(etree.Element):
        path = [element, *element.iterancestors()][::-1]
        found.add(
            "/".join(e.tag for e in path) + (f"[{element.get('class')}]" if element.get("class") else "")
        )
    return found
