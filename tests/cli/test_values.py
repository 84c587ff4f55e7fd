"""`pipegen values`: what the first job of a run leaves for the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import pipegen

TEXT = """\
pipegen: 1
name: small
stages: {one: {cmd: cp seed.txt out.txt, deps: [seed.txt], params: [alpha], outs: [out.txt]}}
workflows:
  try: {on: manual, set: {name: fixed}, inputs: {ALPHA: {sets: alpha, default: 0.1}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pipegen.yaml").write_text(TEXT)
    return tmp_path


def test_values(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHA", "0.5")
    done = pipegen("values", "--workflow", "try", cwd=folder)
    assert done.out == "params.yaml:name = fixed\nparams.yaml:alpha = 0.5\n"
    written = json.loads((folder / ".pipegen" / "fragments" / "values.json").read_text())
    assert written["set"] == {"params.yaml:name": "fixed", "params.yaml:alpha": 0.5}
    assert written["workflow"] == "try"


def test_defaults_and_json(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHA", "")
    assert (
        json.loads(pipegen("values", "-w", "try", "--json", cwd=folder).out)["set"]["params.yaml:alpha"]
        == 0.1
    )


def test_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHA", "much")
    done = pipegen("values", "-w", "try", cwd=folder)
    assert (done.code, done.err) == (1, "error: the input ALPHA is 'much'; a number is expected\n")
    done = pipegen("values", "-w", "tri", cwd=folder)
    assert done.code == 3
    assert "try" in done.err
