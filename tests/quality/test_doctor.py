"""`pipegen doctor`: what is fresh, what is stale, and what nobody can tell."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipegen.description.model import On, Workflow
from pipegen.runner import pyenv
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


def part(low: int, high: int) -> st.SearchStrategy[str]:
    """`*`, a number or a range of a field, now and then with a step."""
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(lambda ends: "{}-{}".format(*sorted(ends)))
    steps = st.sampled_from(("", "", "/2", "/3", "/5"))
    return st.one_of(st.just("*"), number.map(str), st.builds("{}{}".format, ranges | st.just("*"), steps))


def matches(word: str, value: int) -> bool:
    """Whether a field without `H` has the value: the plain meaning of cron."""
    for each in word.split(","):
        base, _, step = each.partition("/")
        ends = (value, value) if base == "*" else tuple(map(int, (base.split("-") * 2)[:2]))
        first = 0 if base == "*" else ends[0]
        if ends[0] <= value <= ends[-1] and (value - first) % int(step or 1) == 0:
            return True
    return False


@settings(max_examples=60, deadline=None)
@given(
    minute=part(0, 59),
    hours=st.lists(part(0, 23), min_size=1, max_size=3).map(",".join),
    day=st.sampled_from(("*", "*", "1", "1-7", "10,20", "31", "15-31")),
    weekday=st.sampled_from(("*", "*", "1-5", "0", "7", "2,4", "5-7")),
    now=st.datetimes(datetime(2023, 12, 1), datetime(2026, 12, 31)),
)
def test_when_a_run_was_due_minute_by_minute(
    minute: str, hours: str, day: str, weekday: str, now: datetime
) -> None:
    schedule = f"{minute} {hours} {day} * {weekday}"
    workflow = Workflow(on=On(schedule=schedule, timezone="UTC"), timeout="1h")
    moment = (now - timedelta(hours=1)).replace(second=0, microsecond=0)
    oldest = moment - timedelta(days=45)
    while moment > oldest:
        days = matches(day, moment.day) and any(matches(weekday, n) for n in _weekdays(moment))
        if days and matches(hours, moment.hour) and matches(minute, moment.minute):
            break
        moment -= timedelta(minutes=1) if days else timedelta(minutes=moment.hour * 60 + moment.minute + 1)
    found = last_due("pipeline", workflow, now.replace(tzinfo=timezone.utc))
    assert found is not None
    if moment > oldest:
        assert found == moment.replace(tzinfo=timezone.utc), schedule
    else:
        assert found <= oldest.replace(tzinfo=timezone.utc), schedule


def _weekdays(moment: datetime) -> set[int]:
    """Sunday is 0 and 7."""
    return {0, 7} if moment.isoweekday() == 7 else {moment.isoweekday()}


def tool(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


OUR_PYTHON = f'#!/bin/sh\nexec {sys.executable} "$@"\n'


def test_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEGEN_CACHE", str(tmp_path / "cache"))
    tool(tmp_path, "python", OUR_PYTHON)
    requirements = tmp_path / "requirements.txt"
    text = (
        "# ours\n--index-url https://x\nclick>=8  # as is\nPyYAML\nnope==1\nlater==1; python_version < '3'\n"
    )
    requirements.write_text(text)
    path = f"{tmp_path}:/usr/bin:/bin"

    def found(**options: bool) -> tuple[str, str]:
        first = next(packages([requirements], "3.11", path, **options))
        return first.state, first.message

    compared, audited = packages([requirements], "3.11", path)
    assert (compared.state, audited.state) == ("stale", "unknown")
    assert compared.message.endswith("python: nope is not installed")
    requirements.write_text("click<1\npyyaml\n")
    assert found()[1].endswith("<1 is asked for")
    assert found(in_job=True) == (
        "unknown",
        "the environment of `python:` was not made on this machine yet",
    )
    requirements.write_text("click\nnot a requirement\n")
    assert found()[0] == "fresh"
    requirements.unlink()
    assert found()[0] == "unknown"


def test_packages_of_the_environment_that_stages_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEGEN_CACHE", str(tmp_path / "cache"))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("click==0.1\n")
    made = tmp_path / "cache" / "python" / pyenv.digest("3.11", [requirements])
    tool(made / "bin", "python", '#!/bin/sh\necho \'{"Click": "0.1"}\'\n')
    (made / pyenv.MARK).touch()
    said = '{"dependencies": [{"name": "\'"$*"\'", "version": "", "vulns": [{"id": "PYSEC-1"}]}]}'
    (made / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    tool(tmp_path, "pip-audit", f"#!/bin/sh\necho '{said}'\n")
    audited = list(packages([requirements], "3.11", f"{tmp_path}:/usr/bin:/bin"))[1]
    assert audited.message.startswith(f"--path {made}/lib/python3.11/site-packages --format json ")
    for in_job in (True, False):
        (compared, _) = packages([requirements], "3.11", "/usr/bin:/bin", in_job=in_job)
        assert compared.state == "fresh"
        assert str(made) in compared.message
    tool(made / "bin", "python", "#!/bin/sh\nexit 1\n")
    assert next(packages([requirements], "3.11", "/usr/bin:/bin")).state == "unknown"


def test_vulnerabilities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEGEN_CACHE", str(tmp_path / "cache"))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("jinja2==2.4.1\n")
    tool(tmp_path, "python", OUR_PYTHON)
    path = f"{tmp_path}:/usr/bin:/bin"

    def audited(script: str) -> tuple[str, str]:
        tool(tmp_path, "pip-audit", f"#!/bin/sh\n{script}\n")
        found = list(packages([requirements], None, path))[1]
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
    assert audited(f"echo '{json.dumps(report)}'") == (
        "unknown",
        "none known, but pip-audit's source does not have 1 of 2 packages, such as mine",
    )
    report["dependencies"] = [skipped, skipped]
    assert audited(f"echo '{json.dumps(report)}'") == (
        "unknown",
        "pip-audit's source has none of the 2 packages",
    )
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
    assert "in production is 0 days old" in found()["model house-price"][1]
    for path in (houses.origin / ".pipegen" / "gates" / "nightly").iterdir():
        path.unlink()
    _keep_old(houses.origin)
    (houses.origin / "Jenkinsfile").unlink()
    stale = found()
    assert stale["schedule of nightly"][0] == "stale"
    assert "the last run is of 2020-01-01 06:00 UTC," in stale["schedule of nightly"][1]
    assert stale["generated files"] == ("stale", "not what the description says: Jenkinsfile")
    assert pipegen("doctor", "--check", cwd=houses.origin).code == 1
    for workflow in ("nightly", "push"):
        assert pipegen("report", "--workflow", workflow, cwd=houses.origin).code == 0
        report = (houses.origin / ".pipegen" / "report" / "report.txt").read_text("utf-8")
        told = "- generated files: not what the description says: Jenkinsfile → run `pipegen generate`"
        assert (told in report) == (workflow == "nightly"), "who reads it in the morning is told"
    assert pipegen("doctor", "--model-age", "0", cwd=houses.origin).out.count("stale") >= 3


def _keep_old(folder: Path) -> None:
    from pipegen.records import GateRun
    from pipegen.runner.gates.keeping import KeptGates

    at = "2020-01-01T06:00:00.000+00:00"
    KeptGates("houses", folder, None).add(
        GateRun(at=at, passed=True, gates=(), workflow="nightly"), push=False
    )
