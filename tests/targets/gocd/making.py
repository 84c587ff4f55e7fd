"""Descriptions as plain data, made into requests and files without touching a disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipegen.description.model import Pipeline
from pipegen.description.reading import read
from pipegen.description.source import Source
from pipegen.description.stages import resolve
from pipegen.errors import PlanError
from pipegen.plan.model import Plan
from pipegen.targets import Generated, Request
from pipegen.targets.gocd import GoCD
from tests.targets.gocd.reader import read_file
from tests.targets.gocd.shapes import JSON

PUSH: dict[str, Any] = {"on": {"push": {"branches": ["main"]}}}
DIAMOND: dict[str, Any] = {
    "a": {"cmd": "make a", "outs": ["a.txt"]},
    "b": {
        "foreach": ["one", "two"],
        "do": {"cmd": "make ${item}", "deps": ["a.txt"], "outs": ["${item}.txt"]},
    },
    "c": {"cmd": "make c", "deps": ["one.txt", "two.txt"], "outs": ["c.txt"]},
}


def description(**changes: Any) -> dict[str, Any]:
    """A small right description, with some keys changed."""
    return {
        "name": "toy",
        "repository": "https://git.example.com/toy.git",
        "stages": DIAMOND,
        "workflows": {"push": PUSH},
        **changes,
    }


def request(data: Mapping[str, Any], folder: str = ".") -> Request:
    """What a target is given for a description."""
    pipeline = read(Pipeline, data, Source())
    return Request(pipeline, resolve(pipeline, Path()), folder)


def generate(data: Mapping[str, Any], folder: str = ".") -> Generated:
    """GoCD's files for a description."""
    return GoCD().files(request(data, folder))


def text(data: Mapping[str, Any], folder: str = ".") -> str:
    """The one file."""
    (file,) = generate(data, folder).files
    return file.text


def pipelines(data: Mapping[str, Any], folder: str = ".") -> dict[str, JSON]:
    """The pipelines by name, as the strict reader sees the file."""
    return {entry["pipeline"]["name"]: entry["pipeline"] for entry in read_file(text(data, folder))}


def definitions(asked: Request) -> list[JSON]:
    """What goes to the pipeline API."""
    return [json.loads(file.text) for file in GoCD().definitions(asked).files]


def refusal(data: Mapping[str, Any], folder: str = ".") -> str:
    """The message with which GoCD's files are refused."""
    with pytest.raises(PlanError) as caught:
        generate(data, folder)
    return caught.value.message


def warnings(data: Mapping[str, Any]) -> str:
    """All warnings, as people see them."""
    return "\n".join(map(str, generate(data).warnings))


@dataclass(frozen=True)
class Planned(Request):
    """A request whose plan is given, to put any text where a plan may hold text."""

    given: Plan | None = None

    def plan(self, workflow: str, *, chains: bool = True) -> Plan:
        assert self.given
        return self.given
