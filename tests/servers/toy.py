"""A small project, and a controller for it, as the commands find them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import pytest

from tests.servers.jenkins_model import JenkinsModel, Stage
from tests.servers.replay import Faults, ReplayServer, serving
from tests.support.cli import Outcome

TOKEN = "11c0ffee"
DESCRIPTION = """\
pipegen: 1
name: toy
repository: "https://git.example.com/toy.git"
install: "pip install pipegen-ci"
targets: {jenkins: {folder: ml/toys}}
agents: {linux: {jenkins: {label: linux}}}
defaults: {agent: linux}
people: {leads: {jenkins: [leads]}}
stages:
  prepare: {cmd: echo 1 > a.txt, outs: [a.txt]}
  train: {cmd: cat a.txt > b.txt, deps: [a.txt], outs: [b.txt]}
workflows:
  push: {on: {push: {branches: [main, "feature/*"]}}}
  nightly: {on: {schedule: "0 6 * * 1-5", timezone: Europe/Paris}, branch: main}
  try: {on: manual, inputs: {size: {sets: "params.yaml:size", default: small, choices: [small, large]}}}
"""
PLACE = "ml/toys/toy"


def said(event: str, stage: str, **more: object) -> str:
    """A line of `pipegen exec`, with what Jenkins puts before it."""
    return f"[2026-11-23T06:00:01.123Z] ##pipegen {json.dumps({'event': event, 'says': '', 'stage': stage, **more})}"


STAGES = (
    Stage(
        "prepare",
        0.1,
        lines=(
            said("stage_started", "prepare"),
            "+ echo 1",
            said("stage_finished", "prepare", outcome="restored", seconds=0.1),
        ),
    ),
    Stage(
        "train",
        0.1,
        lines=(
            said("stage_started", "train"),
            said("tested", "train", tests=3, failures=0, errors=0, skipped=1),
            said("stage_finished", "train", outcome="ran", seconds=2.5, metrics={"r2": 0.81}),
        ),
    ),
)


@contextlib.contextmanager
def running(
    model: JenkinsModel, monkeypatch: pytest.MonkeyPatch, faults: Faults | None = None
) -> Iterator[ReplayServer]:
    """A controller that the project's environment names."""
    with serving(model, faults) as server:
        monkeypatch.setenv("PIPEGEN_JENKINS_URL", f"{server.url}/jenkins/")
        monkeypatch.setenv("PIPEGEN_JENKINS_USER", "admin")
        monkeypatch.setenv("PIPEGEN_JENKINS_TOKEN", TOKEN)
        yield server


def ok(outcome: Outcome) -> str:
    """What a command printed that did what it was asked."""
    assert outcome.code == 0, outcome.text
    assert TOKEN not in outcome.text
    return outcome.text
