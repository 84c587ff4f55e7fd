"""Random pipelines, edited at random: after every step `pipegen run` and `dvc repro` leave the same repository."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.support.repositories import dvc, make_repository, picture, pipegen_run, ran, write

SOURCES = ["in1", "in2"]
PARAMS = ["a", "b.c"]
KINDS = ["file", "file", "file", "folder", "uncached", "metric", "persist"]


@dataclass(frozen=True)
class Node:
    """One stage of a random pipeline."""

    name: str
    reads: tuple[str, ...]
    params: tuple[str, ...]
    kind: str
    salt: str
    words: tuple[str, ...]
    """Of `frozen`, `always_changed`, `list` (the command is one)."""

    @property
    def out(self) -> str:
        return f"made/{self.name}" if self.kind != "persist" else f"{self.name}.kept"

    def definition(self) -> dict[str, Any]:
        reads = " ".join(self.reads) or "/dev/null"
        target = f"{self.out}/deep/er" if self.kind == "folder" else self.out
        cmd = [
            f"mkdir -p $(dirname {target}); cat {self._files(reads)} > {target}.new; echo {self.salt} >> {target}.new"
        ]
        cmd.append(f"cat {target}.new >> {target}; rm {target}.new; echo {self.name} >> ran.log")
        found: dict[str, Any] = {"cmd": cmd if "list" in self.words else "; ".join(cmd)}
        if self.reads:
            found["deps"] = list(self.reads)
        if self.params:
            found["params"] = list(self.params)
        flags = {"uncached": {"cache": False}, "metric": {"cache": False}, "persist": {"persist": True}}.get(
            self.kind
        )
        found["metrics" if self.kind == "metric" else "outs"] = [{self.out: flags} if flags else self.out]
        found.update({word: True for word in ("always_changed",) if word in self.words})
        return found

    @staticmethod
    def _files(reads: str) -> str:
        return f"$(find {reads} -type f | sort)" if reads != "/dev/null" else reads


@st.composite
def pipelines(draw: st.DrawFn) -> list[Node]:
    nodes: list[Node] = []
    for number in range(draw(st.integers(2, 6))):
        known = SOURCES + [node.out for node in nodes]
        nodes.append(
            Node(
                f"s{number}",
                tuple(draw(st.lists(st.sampled_from(known), max_size=3, unique=True))),
                tuple(draw(st.lists(st.sampled_from(PARAMS), max_size=2, unique=True))),
                draw(st.sampled_from(KINDS)),
                draw(st.sampled_from(["x", "'y: # z'", "café with a lot of plain words"])),
                tuple(draw(st.sets(st.sampled_from(["list", "always_changed"]), max_size=1))),
            )
        )
    return draw(st.permutations(nodes))


EDITS = st.tuples(
    st.sampled_from(["source", "param", "salt", "delete", "spoil", "touch"]), st.integers(0, 99)
)


def files_of(nodes: list[Node], source: str = "1", a: int = 1) -> dict[str, str]:
    import yaml

    text = yaml.safe_dump(
        {"stages": {node.name: node.definition() for node in nodes}}, sort_keys=False, allow_unicode=True
    )
    return {
        "dvc.yaml": text,
        "in1": source,
        "in2": "2\n",
        "params.yaml": f"a: {a}\nb: {{c: [1, 2.5, 'on']}}\n",
    }


def apply(folder: Path, nodes: list[Node], edit: tuple[str, int]) -> None:
    """One edit of a repository; the same in both twins."""
    what, number = edit
    out = folder / nodes[number % len(nodes)].out
    if what == "source":
        write(folder, {"in1": f"{number}\n"})
    elif what == "param":
        write(folder, {"params.yaml": f"a: {number}\nb: {{c: [1, 2.5, 'on']}}\n"})
    elif what == "salt":
        text = (folder / "dvc.yaml").read_text()
        write(
            folder,
            {
                "dvc.yaml": text.replace(
                    f"echo {nodes[0].name} >>", f"echo {number} > /dev/null; echo {nodes[0].name} >>"
                )
            },
        )
    elif what == "delete" and out.is_file():
        out.unlink()
    elif what == "spoil" and out.is_file():
        out.write_text("spoilt\n")
    elif what == "touch" and out.exists():
        os.utime(out)


def check(nodes: list[Node], edits: list[tuple[str, int]], template: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = {**files_of(nodes), ".gitignore": "ran.log\n"}
        note(files["dvc.yaml"])
        theirs, ours = (make_repository(Path(folder) / name, files, template) for name in ("dvc", "pipegen"))
        for edit in (None, *edits):
            if edit:
                apply(theirs, nodes, edit)
                apply(ours, nodes, edit)
            dvc(theirs, "repro")
            summary, _ = pipegen_run(ours, jobs=3)
            assert summary.ok
            assert ran(ours) == ran(theirs)
            assert picture(ours) == picture(theirs)


@settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(pipelines(), st.lists(EDITS, min_size=1, max_size=1))
def test_random_pipelines(template: Path, nodes: list[Node], edits: list[tuple[str, int]]) -> None:
    check(nodes, edits, template)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(pipelines(), st.lists(EDITS, min_size=1, max_size=4))
def test_many_random_pipelines(template: Path, nodes: list[Node], edits: list[tuple[str, int]]) -> None:
    check(nodes, edits, template)
