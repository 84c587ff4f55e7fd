"""Recorded requests replayed on the double, and logs made comparable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

JSON = dict[str, Any]
CONTRACTS = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "gocd"
PROVED = CONTRACTS.parents[1] / "proved" / "pipelines.gocd.yaml"
"""Four pipelines with a fan-in, made by hand, that ran on a real server [F 6]."""
APP = "/srv/repos/app.git"
FILES = {
    "build.sh": """#!/bin/sh
echo building
mkdir -p target reports
echo "artifact of $GO_PIPELINE_NAME/$GO_PIPELINE_COUNTER rev $GO_REVISION" > target/app.txt
echo '<testsuite tests="1" failures="0"/>' > reports/TEST-x.xml
echo page > reports/index.html
"""
}
"""What the recorded repository must have held, by what its jobs wrote [R 184, 189, 255]."""


def exchange(number: int) -> JSON:
    """One recorded exchange."""
    (path,) = CONTRACTS.glob(f"{number:03}-*.json")
    found: JSON = json.loads(path.read_text("utf-8"))
    return found


def answer(number: int) -> Any:
    """What the server answered."""
    return exchange(number)["response"]["body"]


def request(number: int, *jobs: str) -> JSON:
    """The body of a recorded request to create a pipeline; of its jobs only those named, if any are."""
    body: JSON = exchange(number)["request"]["body"]
    for stage in body["pipeline"]["stages"]:
        stage["jobs"] = [job for job in stage["jobs"] if not jobs or job["name"] in jobs]
    return body


CHANGING = (
    (r"(^..|minute\(s\)!x)\|[\d:.]{12} ", r"\1|"),
    (r"Job Started: .* UTC", "Job Started"),
    (r"\b[0-9a-f]{40}\b", "REVISION"),
    (r"HEAD is now at [0-9a-f]+ .*", "HEAD is now"),
    (r"on \S+ \[\S*/agent\d\]", "on HOST [AGENT]"),
    (r"\S*/agent\d/pipelines", "AGENT/pipelines"),
    (r"from \S+/result\b", "from RESULT"),
    (r"'/[^']*/agent\d/", "'AGENT/"),
    (r'"/[^"]*/agent\d/', '"AGENT/'),
    (r"\(\d+ ms\)", "(N ms)"),
    (r"PATH: .*", "PATH: P"),
)
"""What differs between any two runs: times, revisions, places."""


def comparable(log: str, *without: str) -> list[str]:
    """A log's lines without what changes, and without lines that hold one of these texts."""
    lines = log.rstrip("\n").split("\n")
    for pattern, text in CHANGING:
        lines = [re.sub(pattern, text, line) for line in lines]
    return [line for line in lines if not any(part in line for part in without)]


def files(listing: Iterable[JSON], above: str = "") -> list[str]:
    """The paths of a recorded list of artifacts, without the server's own."""
    found: list[str] = []
    for entry in listing:
        path = f"{above}{entry['name']}"
        found += files(entry["files"], f"{path}/") if entry["type"] == "folder" else [path]
    return sorted(path for path in found if not path.startswith("cruise-output/"))
