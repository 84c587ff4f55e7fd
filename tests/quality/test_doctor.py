"""`pipegen doctor`: what is fresh, what is stale, and what nobody can tell."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from pipegen.description.model import On, Workflow
from pipegen.runner.doctor.packages import packages
from pipegen.runner.doctor.schedules import last_due
from tests.quality.houses import Houses
from tests.support.cli import pipegen
from tests.support.repositories import sh

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("schedule", "zone", "timeout", "due"),
    [
        ("0 6 * * *", "UTC", "1h", "2026-11-23 06:00"),
        ("0 6 * * *", "UTC", None, "2026-11-22 06:00"),  # a run may take a day
        ("30 11 * * *", "UTC", "1h", "2026-11-22 11:30"),
        ("0 6 * * 1-5", "UTC", None, "2026-11-20 06:00"),  # Friday
        ("0 6 * * 0", "UTC", "1h", "2026-11-22 06:00"),
        ("0 6 * * 7", "UTC", "1h", "2026-11-22 06:00"),
        ("0 6 1 * *", "UTC", "1h", "2026-11-01 06:00"),
        ("0 6 29 2 *", "UTC", "1h", "2024-02-29 06:00"),
        ("*/15 8-10 * * *", "UTC", "2h", "2026-11-23 10:00"),
        ("5,50 * * * *", "UTC", "1h", "2026-11-23 10:50"),
        ("0 6 * * *", "Asia/Tokyo", "1h", "2026-11-23 06:00"),
        ("0 22 * * *", "Asia/Tokyo", "1h", "2026-11-22 22:00"),
        ("H H * * *", "UTC", "1h", "2026-11-23 00:00"),
        ("0 6 30 2 *", "UTC", "1h", None),
    ],
)
def test_when_a_run_was_due(schedule: str, zone: str, timeout: str | None, due: str | None) -> None:
    workflow = Workflow(on=On(schedule=schedule, timezone=zone), timeout=timeout)
    found = last_due("pipeline", workflow, MONDAY)
    if "H" in schedule:  # before or after noon, the hash says
        assert found is not None and f"{found:%H:%M}" == "00:00"
    else:
        assert (f"{found:%Y-%m-%d %H:%M}" if found else None) == due


def tool(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def test_packages(tmp_path: Path) -> None:
    tool(tmp_path, "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    requirements = tmp_path / "requirements.txt"
    text = (
        "# ours\n--index-url https://x\nclick>=8  # as is\nPyYAML\nnope==1\nlater==1; python_version < '3'\n"
    )
    requirements.write_text(text)
    path = f"{tmp_path}:/usr/bin:/bin"
    compared, audited = packages([requirements], path)
    assert (compared.state, audited.state) == ("stale", "unknown")
    assert compared.message.endswith("python: nope is not installed")
    requirements.write_text("click<1\npyyaml\n")
    assert next(packages([requirements], path)).message.endswith("<1 is asked for")
    requirements.write_text("click\nnot a requirement\n")
    assert next(packages([requirements], path)).state == "fresh"
    assert list(packages([], path)) == []


def test_vulnerabilities(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("jinja2==2.4.1\n")
    tool(tmp_path, "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    path = f"{tmp_path}:/usr/bin:/bin"

    def audited(script: str) -> tuple[str, str]:
        tool(tmp_path, "pip-audit", f"#!/bin/sh\n{script}\n")
        found = list(packages([requirements], path))[1]
        return found.state, found.message

    vulnerable = {"id": "PYSEC-1", "fix_versions": ["2.4.2"], "aliases": [], "description": ""}
    report = {"dependencies": [{"name": "jinja2", "version": "2.4.1", "vulns": [vulnerable]}], "fixes": []}
    assert audited(f"echo '{json.dumps(report)}'; exit 1") == (
        "stale",
        "jinja2 2.4.1: PYSEC-1 (mended in 2.4.2)",
    )
    report["dependencies"][0]["vulns"] = []  # type: ignore[index]
    assert audited(f"echo '{json.dumps(report)}'") == ("fresh", "none known of 1 packages")
    skipped = {
        "name": "mine",
        "skip_reason": "Dependency not found on PyPI and could not be audited: mine (1)",
    }
    report["dependencies"].append(skipped)
    assert audited(f"echo '{json.dumps(report)}'") == ("unknown", "pip-audit knows nothing of mine")
    assert audited("echo 'ConnectionError: no way' >&2; exit 1") == (
        "unknown",
        "pip-audit could not tell: ConnectionError: no way",
    )


def test_a_repository(houses: Houses) -> None:
    text = (houses.origin / "pipegen.yaml").read_text()
    nightly = "  nightly: {on: {schedule: '0 6 * * *', timezone: UTC}, gates: [good]}\n"
    (houses.origin / "pipegen.yaml").write_text(
        f"targets: {{jenkins: {{}}}}\nrepository: https://x/y.git\n{text}{nightly}"
    )
    assert pipegen("generate", cwd=houses.origin).code == 0
    houses.write()
    houses.run()

    def found() -> dict[str, tuple[str, str]]:
        told = json.loads(pipegen("doctor", "--json", cwd=houses.origin).out)["findings"]
        return {each["topic"]: (each["state"], each["message"]) for each in told}

    first = found()
    assert {topic: state for topic, (state, _) in first.items()} == {
        "generated files": "fresh",
        "model house-price": "unknown",
        "schedule of nightly": "unknown",
        "cache": "fresh",
    }
    assert pipegen("doctor", "--check", cwd=houses.origin).code == 0, "not to know is not to be stale"

    sh(houses.origin, "git", "tag", "-am", "up", "house-price#production#1")
    assert pipegen("gate", "--workflow", "nightly", cwd=houses.origin).code == 0
    assert found()["schedule of nightly"][0] == "fresh"
    assert "in production, is 0 days old" in found()["model house-price"][1]
    for path in (houses.origin / ".pipegen" / "gates" / "nightly").iterdir():
        path.unlink()
    _keep_old(houses.origin)
    (houses.origin / "Jenkinsfile").unlink()
    stale = found()
    assert stale["schedule of nightly"][0] == "stale"
    assert "it has not fired: the last run known is of 2020-01-01 06:00" in stale["schedule of nightly"][1]
    assert stale["generated files"] == ("stale", "not what the description says: Jenkinsfile")
    assert pipegen("doctor", "--check", cwd=houses.origin).code == 1
    assert pipegen("doctor", "--model-age", "0", cwd=houses.origin).out.count("stale") >= 3


def _keep_old(folder: Path) -> None:
    from pipegen.records import GateRun
    from pipegen.runner.gates.keeping import KeptGates

    at = "2020-01-01T06:00:00.000+00:00"
    KeptGates("houses", folder, None).add(
        GateRun(at=at, passed=True, gates=(), workflow="nightly"), push=False
    )
