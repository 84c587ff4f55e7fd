"""Hostile text in metric names and values: harmless in the table, in JUnit, in JSON and in what is kept."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipegen.quality import junit
from pipegen.records import GateCheck, GateResult, GateRun
from pipegen.views.gate_table import gate_table
from tests.support.cli import pipegen
from tests.support.descriptions import HOSTILE

DESCRIPTION = """\
name: a
stages: {a: {cmd: "true", metrics: [m.json]}}
gates:
  spread: {metric: "m.json:by.*.x", max_spread: 1}
  worst: {metric: "m.json:by.*.x", worst_max: 1}
  text: {metric: "m.json:text", max: 1}
"""
NAMES = [
    "<script>alert(1)</script>",
    "]]>&amp;\"'",
    "\x00\x1b[31m\x07\x9b",
    "\ud800 half",
    "line\nbreak\u2028",
    "\u202e right to left",
    "a" * 2**20,
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_of_groups_and_values(name: str, tmp_path: Path) -> None:
    (tmp_path / "pipegen.yaml").write_text(DESCRIPTION)
    metrics = {"by": {name: {"x": 3}, "b": {"x": 1}}, "text": name}
    (tmp_path / "m.json").write_text(json.dumps(metrics))
    began = time.monotonic()
    shown = pipegen("gate", cwd=tmp_path)
    assert time.monotonic() - began < 10
    assert shown.code == 1
    assert max(map(len, shown.out.splitlines())) <= 120
    assert all(ch.isprintable() or ch == "\n" for ch in shown.out)
    root = ET.parse(tmp_path / ".pipegen" / "junit" / "gates.xml").getroot()
    assert [case.get("name") for case in root.iter("testcase")] == ["spread", "worst", "text"]
    assert [child.tag for case in root.iter("testcase") for child in case] == ["failure", "failure", "error"]
    told = json.loads(pipegen("gate", "--json", cwd=tmp_path).out)
    assert [gate["verdict"] for gate in told["gates"]] == ["failed"] * 3
    kept = list((tmp_path / ".pipegen" / "gates" / "@local").glob("*.json"))
    assert {json.loads(path.read_text())["passed"] for path in kept} == {False}
    assert all(path.stat().st_size < 20_000 for path in kept)


def run_of(text: str) -> GateRun:
    check = GateCheck(rule="min", state="missed", value=text, limit=text, message=text)
    result = GateResult(gate=text, verdict="failed", metric=text, checks=(check,), waiver=text)
    return GateRun(at="2026-11-23T06:00:00.000+00:00", passed=False, gates=(result,), workflow=text)


@given(HOSTILE | st.text(max_size=50))
def test_any_text_in_any_place(text: str) -> None:
    from pipegen.quality.gates import suite

    table = gate_table(run_of(text))
    assert all(ch.isprintable() or ch == "\n" for ch in table)
    (case,) = ET.fromstring(ET.tostring(suite(run_of(text)))).iter("testcase")
    (failure,) = case
    expected = "".join(ch for ch in junit.text(text) if ch == " " or not ch.isspace())
    assert "".join(ch for ch in case.get("name") or "" if ch == " " or not ch.isspace()).replace(
        " ", ""
    ) == expected.replace(" ", "")
    assert failure.tag == "failure"


def test_long_text_is_cut() -> None:
    assert len(junit.text("a" * 10**6)) < 70_000
    assert junit.text("a" * 10**6).endswith("(1000000 characters)")


def test_a_file_that_is_no_junit(tmp_path: Path) -> None:
    for content in (b"", b"<a", b"\xff\xfe", b'<?xml version="1.0" encoding="nonsense"?><a/>', b"<html/>"):
        (tmp_path / "a.xml").write_bytes(content)
        assert junit.read(tmp_path / "a.xml") == []
    (tmp_path / "a.xml").write_text('<testsuite tests="" failures="x"/>')
    assert junit.counts(junit.read(tmp_path / "a.xml")) == dict.fromkeys(junit.COUNTS, 0)
