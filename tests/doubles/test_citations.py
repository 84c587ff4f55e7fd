"""What the doubles do was seen on real servers: what their code names is there, and every step was shown somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared"
JENKINS, GOCD = SHARED / "contracts" / "jenkins", SHARED / "contracts" / "gocd"

MANUAL = {
    "dir": "Pipeline: Basic Steps",
    "fileExists": "Pipeline: Basic Steps",
    "readFile": "Pipeline: Basic Steps",
    "milestone": "Pipeline: Milestone Step",
    "properties": "Pipeline: Multibranch",
    "withCredentials": "Credentials Binding",
}
"""Steps that no recorded Jenkinsfile calls, and the page that says what they do."""


def sources(folder: str, *ends: str) -> str:
    """The text of a double's modules."""
    files = [file for end in ends for file in sorted((HERE / folder).rglob(f"*{end}"))]
    return "\n".join(file.read_text("utf-8") for file in files)


def test_recordings_of_gocd_are_there() -> None:
    text = sources("gocd", ".py")
    cited = " ".join(re.findall(r"\[[^]\n]*R (\d\d\d[\d, ]*)", text))
    numbers = set(re.findall(r"\d{3}", cited))
    recorded = {file.name.partition("-")[0] for file in GOCD.glob("*.json")}
    assert len(numbers) > 50
    assert numbers <= recorded
    sections = {int(number) for number in re.findall(r"\[F (\d+)", text)}
    facts = (SHARED / "facts" / "gocd.md").read_text("utf-8")
    assert sections <= {int(number) for number in re.findall(r"(?m)^## (\d+)", facts)}


def test_recordings_of_jenkins_are_there() -> None:
    text = sources("jenkins", ".py", ".groovy")
    experiments = set(re.findall(r"quirks/([a-zA-Z0-9-]+)", text))
    assert len(experiments) > 20
    assert {name for name in experiments if not (JENKINS / "quirks" / f"{name}.json").exists()} == set()
    named = set(re.findall(r"contracts/jenkins/([a-z0-9][a-zA-Z0-9-]+)", text))
    assert {name for name in named if not list(JENKINS.glob(f"{name}*.json"))} == set()


def test_every_step_of_jenkins_was_shown() -> None:
    blocks, steps = (
        (HERE / "jenkins" / "groovy" / "doubles" / name).read_text("utf-8")
        for name in ("Blocks.groovy", "LiveSteps.groovy")
    )
    run = blocks[: blocks.index("default: throw")] + steps[: steps.index("private Object outside")]
    known = set(re.findall(r"case '(\w+)'", run))
    for several in re.findall(r"case \[([^]]+)\]", run) + re.findall(r"OUTSIDE = \[([^]]+)\]", steps):
        known |= set(re.findall(r"'(\w+)'", several))
    assert {"sh", "stash", "node", "retry", "timestamps"} <= known
    shown = "\n".join(file.read_text("utf-8") for file in (SHARED / "proved").glob("*Jenkinsfile"))
    for file in JENKINS.glob("quirks/*.json"):
        experiment = json.loads(file.read_text("utf-8"))
        shown += experiment.get("jenkinsfile", "") if experiment.get("console") else ""
    unseen = {step for step in known if not re.search(rf"\b{step}\b\s*[({{'\"\[]|\b{step} \w+:", shown)}
    assert unseen == MANUAL.keys()
