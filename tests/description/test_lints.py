"""The lints find what they are for, say nothing of what is right, and can be switched off."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipegen.description.commands import has_unguarded_separator, paths_in
from pipegen.description.lints import LINTS, lint
from pipegen.description.load import load, loads
from pipegen.description.stages import resolve
from pipegen.errors import Problem

SAMPLE = Path(__file__).parent / "samples" / "design.yaml"
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/pipegen.yaml"))
HEAD = "name: d\ninstall: x\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "train.py",
        "pkg/mod.py",
        "pkg/cli/__main__.py",
        "sub/run.sh",
        "conf.yaml",
        "params.yaml",
        "requirements.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def linted(text: str, folder: Path) -> list[Problem]:
    pipeline = loads(HEAD + text)
    return lint(pipeline, resolve(pipeline, folder), folder)


@pytest.mark.parametrize(
    ("stage", "path"),
    [
        ("cmd: python train.py, deps: [d], outs: [o]", "train.py"),
        ("cmd: ./train.py --out o, deps: [d], outs: [o]", "train.py"),
        ("cmd: python -m pkg.mod, deps: [d], outs: [o]", "pkg/mod.py"),
        ("cmd: python3.11 -m pkg.cli x, deps: [d], outs: [o]", "pkg/cli/__main__.py"),
        ("cmd: run --config=conf.yaml, deps: [d], outs: [o]", "conf.yaml"),
        ("cmd: [make, bash run.sh], wdir: sub, deps: [d], outs: [o]", "sub/run.sh"),
        ("cmd: run < conf.yaml > o, deps: [d], outs: [o]", "conf.yaml"),
    ],
)
def test_undeclared_input(stage: str, path: str, folder: Path) -> None:
    [warning] = linted(f"stages:\n  a: {{{stage}}}\n", folder)
    assert warning.code == "undeclared-input"
    assert warning.message == f"'a' reads {path!r}, which it does not declare"
    assert (warning.line, warning.column) == (4, 12)
    assert warning.hint == "add it to `deps`, or `lint: {undeclared-input: false}`"


@pytest.mark.parametrize(
    "stage",
    [
        "cmd: python train.py, deps: [train.py], outs: [o]",
        "cmd: python -m pkg.mod, deps: [pkg], outs: [o]",
        "cmd: cp d conf.yaml, deps: [d], outs: [conf.yaml]",
        "cmd: x params.yaml, deps: [d], params: [a], outs: [o]",
        "cmd: x > conf.yaml, deps: [d], outs: [o]",
        "cmd: cd sub && bash run.sh, deps: [d], outs: [o]",
        "cmd: \"python -c 'open(1)' $HOME/train.py *.py\", deps: [d], outs: [o]",
        "cmd: x # train.py, deps: [d], outs: [o]",
        "cmd: python train.py, deps: [d], outs: [o], frozen: true",
        "cmd: x sub, deps: [d], outs: [o]",
        "cmd: x 'unclosed train.py, deps: [d], outs: [o]",
    ],
)
def test_declared_or_unknowable_inputs(stage: str, folder: Path) -> None:
    block = "\n".join(f"    {part}" for part in stage.split(", "))
    assert linted(f"stages:\n  a:\n{block}\n", folder) == []


def test_unordered_input(folder: Path) -> None:
    text = (
        "stages:\n  a: {cmd: x, deps: [d], outs: [out]}\n  b: {cmd: y out/part.csv, deps: [d], outs: [p]}\n"
    )
    [warning] = linted(text, folder)
    assert warning.code == "unordered-input"
    assert warning.message == "'b' does not declare 'out/part.csv', which 'a' writes"
    assert linted(text.replace("y out/part.csv, deps: [d]", "y out/part.csv, deps: [out]"), folder) == []


def test_missing_outs(folder: Path) -> None:
    text = "stages:\n  a: {cmd: x, deps: [d]}\n  b: {cmd: y, deps: [d], outs: [p], ci: {after: [a]}}\n"
    assert [w.code for w in linted(text, folder)] == ["missing-outs", "never-cacheable"]
    assert linted(text, folder)[0].message == "'a' declares no outputs, though 'b' comes after it"


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        ("cmd: x, deps: [d], outs: [o], always_changed: true", "it is `always_changed`"),
        ("cmd: x, deps: [d]", "it declares no outputs"),
        ("cmd: x, outs: [o]", "it declares nothing that it reads"),
        ("cmd: x, deps: [s3://a/b], outs: [o]", "it reads or writes a place outside, by URL"),
        ("cmd: x, deps: [d], outs: [{o: {persist: true}}]", "an output is `persist`"),
    ],
)
def test_never_cacheable(stage: str, reason: str, folder: Path) -> None:
    [warning] = linted(f"stages: {{a: {{{stage}}}}}\n", folder)
    assert warning.code == "never-cacheable"
    assert reason in warning.message


def test_parameters_alone_are_enough_to_cache(folder: Path) -> None:
    assert linted("stages: {a: {cmd: x, params: [a], outs: [o]}}\n", folder) == []


@pytest.mark.parametrize(
    ("line", "unguarded"),
    [
        ("a; b", True),
        ("a ;b", True),
        ("a && b; c", True),
        ("for x in 1 2; do a; b; done", True),
        ("a && b", False),
        ("a;", False),
        ("set -e; a; b", False),
        ("set -euo pipefail; a; b", False),
        ("if a; then b; else c; fi", False),
        ("for x in 1 2; do a; done", False),
        ("echo 'a; b'", False),
        ("a # b; c", False),
        ("case $x in a) b;; esac", False),
    ],
)
def test_no_set_e(line: str, unguarded: bool, folder: Path) -> None:
    assert has_unguarded_separator(line) is unguarded
    text = f'stages: {{a: {{cmd: "{line}", deps: [d], outs: [o]}}}}\n'
    assert [w.code for w in linted(text, folder)] == (["no-set-e"] if unguarded else [])


def test_lines_of_a_command_stop_at_a_failure_as_dvc_runs_them(folder: Path) -> None:
    assert linted("stages:\n  a:\n    cmd: |\n      x\n      y\n    deps: [d]\n    outs: [o]\n", folder) == []


def test_requirements_not_dep(folder: Path) -> None:
    text = "python: {requirements: [requirements.txt]}\nstages: {a: {cmd: x, deps: [%s], outs: [o]}}\n"
    [warning] = linted(text % "d", folder)
    assert (warning.code, warning.line, warning.column) == ("requirements-not-dep", 3, 25)
    assert linted(text % "requirements.txt", folder) == []


def test_install_left_out(folder: Path) -> None:
    text = "name: d\nstages: {a: {cmd: x, deps: [d], outs: [o]}}\nworkflows: {w: {on: manual}}\n"
    pipeline = loads(text)
    assert [w.code for w in lint(pipeline, resolve(pipeline, folder), folder)] == ["install-left-out"]


def test_unknown_metric(folder: Path) -> None:
    text = "stages: {a: {cmd: x, deps: [d], metrics: [m/best.json]}}\n"
    text += "gates: {g: {metric: 'm/bset.json:r2', min: 1}}\ntolerance: {'n.json:a': 1%}\n"
    warnings = linted(text, folder)
    assert [(w.code, w.message) for w in warnings] == [
        ("unknown-metric", "no stage writes 'm/bset.json'"),
        ("unknown-metric", "no stage writes 'n.json'"),
    ]
    assert warnings[0].hint.startswith("did you mean 'm/best.json'?")
    (folder / "m").mkdir()
    (folder / "m" / "bset.json").write_text("{}")
    (folder / "n.json").write_text("{}")
    assert linted(text, folder) == []


@pytest.mark.parametrize("code", list(LINTS))
def test_each_has_a_switch(code: str, folder: Path) -> None:
    text = """\
name: d
python: {requirements: [requirements.txt]}
gates: {g: {metric: 'nowhere.json:r2', min: 1}}
stages:
  first: {cmd: x; y, deps: [d]}
  second: {cmd: python train.py out.csv, deps: [d], outs: [p], ci: {after: [first]}}
  third: {cmd: z, deps: [d], outs: [out.csv]}
workflows: {w: {on: manual}}
"""

    def codes(text: str) -> set[str]:
        """Of one that leaves `install` out, and of one that does not."""
        both = [loads(text), loads(text + "install: pip install x.whl\n")]
        return {w.code for pipeline in both for w in lint(pipeline, resolve(pipeline, folder), folder)}

    assert codes(text) == set(LINTS)
    assert codes(text + f"lint: {{{code}: false}}\n") == set(LINTS) - {code}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_are_clean(path: Path) -> None:
    pipeline = load(path)
    assert lint(pipeline, resolve(pipeline, path.parent), path.parent) == []


def test_the_design_sample_lacks_only_what_it_leaves_out(tmp_path: Path) -> None:
    pipeline = load(SAMPLE)
    warnings = lint(pipeline, resolve(pipeline, tmp_path), tmp_path)
    assert [warning.code for warning in warnings] == ["requirements-not-dep", *["unknown-metric"] * 5]


def test_nothing_is_told_of_a_path_that_a_shell_must_expand() -> None:
    assert list(paths_in("x a.csv $B/c ~/d 'e f' --g=h -i /abs")) == ["x", "a.csv", "e f", "h"]
