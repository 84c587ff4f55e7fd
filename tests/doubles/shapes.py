"""Graphs of different shape, of cheap commands: what a build over agents must make as `dvc repro` does."""

from __future__ import annotations

import copy
from typing import Any

JSON = dict[str, Any]


def _join(out: str, *deps: str, **more: Any) -> JSON:
    """A stage that makes one file out of others."""
    return {
        "cmd": f"cat {' '.join(deps)} > {out} && echo {out} >> {out}",
        "deps": list(deps),
        "outs": [out],
        **more,
    }


def _ci(stage: JSON, **ci: Any) -> JSON:
    return {**stage, "ci": ci}


SHAPES: dict[str, JSON] = {
    "single": {"a": _join("a.txt", "seed.txt")},
    "chain": {
        "a": _join("a.txt", "seed.txt"),
        "b": _join("b.txt", "a.txt"),
        "c": _join("c.txt", "b.txt"),
    },
    "diamond": {
        "a": _join("a.txt", "seed.txt"),
        "b": {"foreach": ["x", "y"], "do": _join("b.${item}.txt", "a.txt")},
        "c": _join("c.txt", "b.x.txt", "b.y.txt"),
    },
    "two-roots": {
        "a": _join("a.txt", "seed.txt"),
        "b": _join("b.txt", "other.txt"),
        "c": _join("c.txt", "a.txt", "b.txt"),
    },
    "separate": {"a": _join("a.txt", "seed.txt"), "b": _join("b.txt", "other.txt")},
    "shortcut": {  # c needs a by way of b, and for itself
        "a": _join("a.txt", "seed.txt"),
        "b": _ci(_join("b.txt", "a.txt"), group="own"),
        "c": _ci(_join("c.txt", "a.txt", "b.txt"), group="last"),
    },
    "folders": {
        "a": {
            "cmd": "mkdir -p d/e && cp seed.txt d/one && cp other.txt d/e/two",
            "deps": ["seed.txt", "other.txt"],
            "outs": ["d"],
        },
        "b": _ci(_join("b.txt", "d/e/two"), group="own"),
        "c": _ci(_join("c.txt", "d/one"), group="other"),
    },
    "metrics": {  # an output that DVC doesn't keep travels in the fragment
        "a": {
            "cmd": "printf '{\"r2\": 0.5}' > m.json && cp seed.txt a.txt",
            "deps": ["seed.txt"],
            "outs": ["a.txt"],
            "metrics": [{"m.json": {"cache": False}}],
        },
        "b": _ci(_join("b.txt", "a.txt", "m.json"), group="own"),
    },
    "params": {
        "a": _join("a.txt", "seed.txt", params=["a.k"]),
        "b": _ci(_join("b.txt", "a.txt", params=["b"]), group="own"),
    },
    "groups": {
        "a": _ci(_join("a.txt", "seed.txt"), group="g"),
        "b": _ci(_join("b.txt", "seed.txt"), group="g"),
        "c": _join("c.txt", "a.txt", "b.txt"),
    },
    "order": {  # no data flows from a to b
        "a": _join("a.txt", "seed.txt"),
        "b": _ci(_join("b.txt", "other.txt"), after=["a"], group="own"),
    },
    "fan": {
        "a": _join("a.txt", "seed.txt"),
        "b": {"foreach": ["p", "q", "r"], "do": _join("b.${item}.txt", "a.txt")},
        "c": _join("c.txt", "b.p.txt", "b.q.txt"),
        "d": _join("d.txt", "b.q.txt", "b.r.txt"),
        "e": _join("e.txt", "c.txt", "d.txt"),
    },
}


def two_ends(command: str) -> JSON:
    """The diamond with a stage beside its end; the command stands in front of b@y."""
    return {**diamond_with(command), "d": _join("d.txt", "b.x.txt")}


def after_record(remote: str, stage: str, command: str) -> str:
    """A command that waits until another agent left its record of a stage on a remote in a folder."""
    return f"(until ls {remote}/pipegen/runs/toy/*/*-{stage}.json >/dev/null 2>&1; do sleep 0.1; done; {command})"


def diamond_with(command: str) -> JSON:
    """The diamond, with a command in front of b@y."""
    stages = copy.deepcopy(SHAPES["diamond"])
    stages["b"]["foreach"] = {"x": "true", "y": command}
    stages["b"]["do"] = {
        "cmd": "${item} && cat a.txt > b.${key}.txt && echo b.${key}.txt >> b.${key}.txt",
        "deps": ["a.txt"],
        "outs": ["b.${key}.txt"],
    }
    return stages
