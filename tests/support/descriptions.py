"""Descriptions for tests: from plain data, and hostile ones for property tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from pipegen.description.dumper import dump
from pipegen.description.load import loads
from pipegen.project import Project
from pipegen.targets import Request

NOWHERE = Path("/nonexistent")

HOSTILE = st.text(
    st.sampled_from("'\"$\\{}`;|,%#&<>!\n\t -/*0aé🎉")
    | st.characters(codec="utf-8", exclude_characters="\uffff\x00"),
    min_size=1,
    max_size=20,
)
"""Text with the words of shells, Groovy, XML, YAML and GoCD in it; no NUL, which no process takes."""


def request(data: dict[str, Any], folder: str = ".") -> Request:
    """What a target is given for a description of this content in this folder of its repository."""
    project = Project(loads(dump(data)), NOWHERE)
    return Request(project.pipeline, project.stages, folder)


def diamond(**more: Any) -> dict[str, Any]:
    """A small description: a chain of two, a fan of three, one end; a gate; workflows as given."""
    return {
        "pipegen": 1,
        "name": "toy",
        "repository": "https://git.example.com/toy.git",
        "stages": {
            "a": {"cmd": "seq 10 > a.txt", "outs": ["a.txt"]},
            "b": {"cmd": "cat a.txt > b.txt", "deps": ["a.txt"], "outs": ["b.txt"]},
            "fan": {
                "foreach": ["x", "y", "z"],
                "do": {"cmd": "wc b.txt > ${item}.txt", "deps": ["b.txt"], "outs": ["${item}.txt"]},
            },
            "end": {
                "cmd": "cat x.txt y.txt z.txt > end.json",
                "deps": ["x.txt", "y.txt", "z.txt"],
                "metrics": ["end.json"],
            },
        },
        "gates": {"good": {"metric": "end.json:r2", "min": 0.5}},
        "workflows": {"push": {"on": {"push": {"branches": ["main"]}}, "gates": "all"}},
        **more,
    }


@st.composite
def hostile(draw: st.DrawFn) -> dict[str, Any]:
    """A description with hostile text wherever the grammar takes free text."""
    items = draw(
        st.lists(
            HOSTILE.filter(lambda t: "@" not in t and "${" not in t),
            min_size=1,
            max_size=3,
            unique_by=str.lower,
        )
    )
    free = HOSTILE
    return diamond(
        name="toy",
        install=draw(st.none() | free.filter(lambda t: bool(t.strip()))),
        agents={"one": {"jenkins": {"label": draw(free)}, "gocd": {"resources": ["plain"]}}},
        secrets={
            "s": {"env": ["TOKEN"], "jenkins": {"id": draw(free)}, "gocd": {"config": "vault", "keys": ["k"]}}
        },
        people={"leads": {"jenkins": [draw(free)], "gocd": {"users": ["ann"]}}},
        environments={"production": {"deploy": "true"}},
        models={"toy": {"path": "end.json"}},
        env={"TOP": draw(free)},
        stages={
            "a": {
                "cmd": "true",
                "outs": ["a.txt"],
                "ci": {"env": {"E": draw(free).replace("$", "")}, "secrets": ["s"]},
            },
            "fan": {"foreach": items, "do": {"cmd": "true", "deps": ["a.txt"]}},
        },
        gates={},
        workflows={
            "push": {"on": {"push": {"branches": ["main"]}}, "env": {"W": draw(free)}},
            "ask": {
                "on": "manual",
                "inputs": {"alpha": {"sets": "x.y", "default": draw(free), "description": draw(free)}},
                "promote": {"model": "toy", "to": "production"},
                "approve": {"by": "leads"},
            },
        },
    )
