"""Declared checks and collected JUnit files within `pipegen exec`, on agents."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.support.agents import Build, Done, make_origin
from tests.support.cli import pipegen
from tests.support.repositories import sh

DESCRIPTION = """\
pipegen: 1
name: sales
stages:
  ingest:
    cmd: cp seed.csv sales.csv
    deps: [seed.csv]
    outs: [sales.csv]
    ci:
      tests:
        - {table: sales.csv, columns: {price: {type: number, min: 0}}, rows: {max_decrease: 10%}}
        - {run: "cp seed.xml reports/TEST-a.xml", junit: "reports/TEST-*.xml"}
"""
SUREFIRE = """\
<testsuite name="a.FirstTest" tests="2" failures="1" errors="0" skipped="0" time="0.1">
  <testcase classname="a.FirstTest" name="good" time="0.05"/>
  <testcase classname="a.FirstTest" name="bad" time="0.05">
    <failure message="1 is not 2">at a.FirstTest</failure>
  </testcase>
</testsuite>
"""
GOOD = SUREFIRE.replace('failures="1"', 'failures="0"').replace(
    '<failure message="1 is not 2">at a.FirstTest</failure>', ""
)


def rows(count: int, price: int = 1) -> str:
    return "id,price\n" + "".join(f"{number},{price}\n" for number in range(count))


def told(done: Done) -> dict[str, str]:
    """What the server is told of each test: how it ended, and the message."""
    root = ET.parse(done.agent / ".pipegen" / "junit" / "ingest.xml").getroot()
    return {
        case.get("name") or "": next((f"{child.tag}: {child.get('message')}" for child in case), "passed")
        for case in root.iter("testcase")
    }


@pytest.fixture
def origin(tmp_path: Path, template: Path) -> Path:
    files = {"seed.csv": rows(20), "seed.xml": GOOD, "reports/.keep": "", "reports/TEST-old.xml": SUREFIRE}
    return make_origin(tmp_path / "origin", template, DESCRIPTION, str(tmp_path / "remote"), **files)


def change(origin: Path, **texts: str) -> None:
    for name, text in texts.items():
        (origin / f"seed.{name}").write_text(text)
    sh(origin, "git", "commit", "-qam", "change")


def test_declared_checks_and_collected_files(origin: Path, tmp_path: Path) -> None:
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}

    def exec_(name: str) -> Done:
        build = Build(tmp_path / name, origin)
        agent = build.agent()
        sh(agent, "touch", "-d", "2020-01-01", "reports/TEST-old.xml")  # of an earlier run
        return build.exec("ingest", agent=agent, env=env)

    first = exec_("first")
    assert first.code == 0, first.err
    assert told(first) == {
        "it can be read": "passed",
        "rows: max decrease 10% since the last good run": "skipped: 20 rows; no earlier run is known",
        "price: at most 0 empty": "passed",
        "price: is number": "passed",
        "price: at least 0": "passed",
        "good": "passed",
        "bad": "passed",
    }
    assert first.record["tests"] == {"tests": 7, "failures": 0, "errors": 0, "skipped": 1}
    change(origin, csv=rows(17))
    fewer = exec_("fewer")
    assert fewer.code == 1
    assert "the tests of ingest failed: table sales.csv" in fewer.err
    assert told(fewer)["rows: max decrease 10% since the last good run"] == (
        "failure: 17 rows, 20 in the last good run"
    )
    change(origin, csv=rows(18, price=-1), xml=SUREFIRE)
    worse = exec_("worse")
    assert told(worse)["rows: max decrease 10% since the last good run"] == "passed", "17 were not good"
    assert told(worse)["price: at least 0"] == "failure: -1, -1, -1, -1, -1 and 13 more; first in row 1"
    assert told(worse)["bad"] == "failure: 1 is not 2", "although the command exited with 0"
    assert "failed: table sales.csv; cp seed.xml reports/TEST-a.xml" in worse.err
    facts = json.loads((tmp_path / "remote" / "pipegen" / "checks" / "sales" / "ingest.json").read_text())
    assert facts["facts"] == {"sales.csv": 20}


def test_a_command_that_writes_no_report_is_red(origin: Path, tmp_path: Path) -> None:
    text = (origin / "pipegen.yaml").read_text()
    (origin / "pipegen.yaml").write_text(text.replace("cp seed.xml reports/TEST-a.xml", "true"))
    assert pipegen("generate", "--target", "dvc", cwd=origin).code == 0
    sh(origin, "git", "commit", "-qam", "change")
    build = Build(tmp_path / "build", origin)
    agent = build.agent()
    sh(agent, "touch", "-d", "2020-01-01", "reports/TEST-old.xml")
    done = build.exec("ingest", agent=agent)
    assert done.code == 1
    assert told(done)["true"] == "failure: it wrote no JUnit file that matches reports/TEST-*.xml"


def test_mistakes_in_declared_checks_have_their_place(tmp_path: Path) -> None:
    (tmp_path / "pipegen.yaml").write_text(
        "name: a\nlint: {install-left-out: false}\nstages:\n  one:\n    cmd: cat a > b\n    deps: [a]\n    outs: [b]\n"
        "    ci:\n      tests:\n"
        "      - {table: b, columns: {x: {type: text, min: 1}, y: {matches: '('}}, rows: {min: 3, max: 2}}\n"
        "      - {model: b, input: c, rows: 0, columns: [x], drop: [y]}\n"
        "      - {tabel: b}\n"
    )
    done = pipegen("validate", cwd=tmp_path)
    assert done.code == 3
    assert "pipegen.yaml:12:10: 'tabel' is not a key here" in done.err
    text = (tmp_path / "pipegen.yaml").read_text()
    (tmp_path / "pipegen.yaml").write_text(text.replace("      - {tabel: b}\n", ""))
    lines = pipegen("validate", cwd=tmp_path).err.splitlines()
    assert [line.partition("pipegen.yaml:")[2] for line in lines if "pipegen.yaml:1" in line] == [
        "10:51: 'min' is about numbers, but the column's type is text",
        "10:68: '(' is no regular expression: missing ), unterminated subpattern at position 0",
        "10:87: 'min' is above 'max': no value meets both",
        "11:36: 0 is no number of rows",
        "11:59: `columns` says already what the model gets",
    ]
