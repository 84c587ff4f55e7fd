"""Whatever is handed to `pipegen validate`: one clear message, the documented exit code, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipegen.cli import main

GOOD = "name: d\ninstall: x\nstages: {a: {cmd: x, deps: [d], outs: [o]}}\nworkflows: {w: {on: manual}}\n"
Validate = Callable[..., tuple[int, str, str]]


@pytest.fixture
def validate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Validate:
    """Write a description and validate it: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def call(content: str | bytes | None, *args: str) -> tuple[int, str, str]:
        if content is not None:
            Path("pipegen.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(SystemExit) as caught:
            main(["validate", *args])
        done = capsys.readouterr()
        assert "Traceback" not in done.err
        return int(caught.value.code or 0), done.out, done.err

    return call


def test_a_valid_description(validate: Validate) -> None:
    assert validate(GOOD) == (0, "pipegen.yaml is valid: 1 stage, 1 workflow\n", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "pipegen.yaml: is empty"),
        ("# nothing\n", "pipegen.yaml: is empty"),
        ("just text", "pipegen.yaml:1:1: a description is a mapping of keys to values"),
        ("- a\n- b\n", "pipegen.yaml:1:1: a description is a mapping of keys to values"),
        ("name: [a\n", "is not valid YAML"),
        ("name: a\n\tstages: b\n", "pipegen.yaml:2:1: is not valid YAML"),
        ("name: a\nname: b\nstages: {}\n", "pipegen.yaml:2:1: the key 'name' stands here twice"),
        (
            "name: !!python/object:os.system x\nstages: {}\n",
            "pipegen.yaml:1:7: the tag !!python/object:os.system is not allowed",
        ),
        (
            "name: a\nstages: {a: {cmd: x}}\ngates: {g: {metric: 'a:b', min: .nan}}\n",
            "3:33: .nan is not a finite number",
        ),
        ("--- 1\n--- 2\n", "is not valid YAML"),
        (b"name: \xff\xfe\n", "pipegen.yaml:1: is not UTF-8 text"),
        (b"\x00\x01\x02", "is not valid YAML"),
        ("name: a\nstages:\n" + "  x: {cmd: y}\n" * 2, "pipegen.yaml:4:3: the key 'x' stands here twice"),
        ("x: " + "[" * 5000 + "]" * 5000, "is nested more than 100 levels deep"),
        ("stages:\n  a:\n    cmd: x\n", "this is a dvc.yaml, not a description"),
        ("name: a\nstages: {from: [nowhere/dvc.yaml]}\n", "2:17: there is no file 'nowhere/dvc.yaml'"),
    ],
)
def test_what_is_no_description(content: str | bytes, message: str, validate: Validate) -> None:
    code, out, err = validate(content)
    assert (code, out) == (3, "")
    assert message in err
    assert err.count("error:") == 1
    assert err.endswith("pipegen.yaml: 1 mistake\n")


def test_ten_megabytes(validate: Validate) -> None:
    code, _, err = validate("name: a\nenv:\n" + "".join(f"  V{n}: {'x' * 80}\n" for n in range(112_000)))
    assert code == 3
    assert "pipegen.yaml: is larger than 4 MiB, the most that pipegen reads of one file" in err
    assert len(err) < 300


def test_alias_bomb(validate: Validate) -> None:
    levels = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 9))
    code, _, err = validate(f"x0: &x0 [a]\n{levels}name: a\n")
    assert code == 3
    assert "its aliases expand to more than 500,000 values" in err


def test_alias_to_itself(validate: Validate) -> None:
    code, _, err = validate("name: a\nstages: &s {a: {cmd: x}, b: *s}\n")
    assert code == 3
    assert "error:" in err


@pytest.mark.parametrize("name", ["a" * 300, "a" * 1000])
def test_long_names(name: str, validate: Validate) -> None:
    code, _, err = validate(GOOD.replace("{a: {cmd", f"{{{name}: {{cmd").replace("name: d", f"name: {name}"))
    assert code == 3
    assert f"'{'a' * 30}… ({len(name)} characters)' is not a name" in err
    assert f"'{'a' * 30}… ({len(name)} characters)' is not a stage name" in err
    assert max(len(line) for line in err.splitlines()) < 250


def test_emoji(validate: Validate) -> None:
    code, out, _ = validate(GOOD.replace("{a: {cmd", '{"🚀 go": {cmd'))
    assert (code, out) == (0, "pipegen.yaml is valid: 1 stage, 1 workflow\n")
    code, _, err = validate(GOOD.replace("w: {on", "🚀: {on"))
    assert code == 3
    assert "'🚀' is not a name" in err


def test_a_missing_file(validate: Validate) -> None:
    code, _, err = validate(None)
    assert (code, err) == (4, "error: there is no pipegen.yaml; `pipegen init` makes one\n")
    assert validate(None, "nowhere/x.yaml")[0] == 4


def test_a_folder_that_has_none(validate: Validate) -> None:
    Path("sub").mkdir()
    code, _, err = validate(GOOD, "sub")
    assert (code, err) == (4, "error: there is no sub/pipegen.yaml; `pipegen init` makes one\n")


def test_a_folder_in_its_place(validate: Validate) -> None:
    Path("pipegen.yaml").mkdir()
    code, _, err = validate(None)
    assert (code, err) == (4, "error: pipegen.yaml is a folder; name the file in it\n")


def test_a_file_that_cannot_be_read(validate: Validate) -> None:
    Path("pipegen.yaml").symlink_to("pipegen.yaml")
    code, _, err = validate(None)
    assert (code, err) == (4, "error: can't read pipegen.yaml: Too many levels of symbolic links\n")
    code, _, err = validate(None, "a" * 300)
    assert code == 4
    assert err.endswith(": File name too long\n")


def test_a_dvc_file_by_name(validate: Validate) -> None:
    Path("dvc.yaml").write_text("stages:\n  a: {cmd: x}\n")
    code, _, err = validate(None, "dvc.yaml")
    assert code == 3
    assert "dvc.yaml:1:1: this is a dvc.yaml, not a description" in err
    assert "stages: {from: [dvc.yaml]}" in err


def test_a_broken_dvc_file(validate: Validate) -> None:
    Path("dvc.yaml").write_text("stages:\n  a: {cmd: x\n")
    code, _, err = validate("name: d\nstages: {from: [dvc.yaml]}\n")
    assert code == 3
    assert "dvc.yaml:3:1: is not valid YAML" in err


def test_every_kind_of_mistake_at_once(validate: Validate) -> None:
    text = """\
name: d
agents: {linux: {jenkins: {lable: x}}}
defaults: {agent: linus, retry: often}
env: {API_PASSWORD: hunter2}
stages:
  a: {cmd: x, outs: [o], ci: {agent: gpu, retri: 1}}
  b: {cmd: y, outs: [o]}
workflows:
  w: {on: manual, gates: [good]}
"""
    code, out, err = validate(text)
    assert (code, out) == (3, "")
    lines = [line for line in err.splitlines() if line.startswith("error:")]
    assert [line.split(": ")[1] for line in lines] == [
        f"pipegen.yaml:{place}" for place in ("2:28", "3:19", "3:33", "4:21", "6:38", "6:43", "7:22", "9:27")
    ]
    assert "hunter2" not in err
    assert err.endswith("pipegen.yaml: 8 mistakes\n")


def test_a_circle_is_drawn(validate: Validate) -> None:
    text = "name: d\nstages:\n  a: {cmd: x, deps: [p], outs: [o]}\n  b: {cmd: y, deps: [o], outs: [p]}\n"
    code, _, err = validate(text)
    assert code == 3
    assert "─►" in err


def test_warnings_and_strict(validate: Validate) -> None:
    text = GOOD.replace("install: x\n", "")
    code, out, err = validate(text)
    assert (code, out) == (0, "pipegen.yaml is valid: 1 stage, 1 workflow\n")
    assert err.startswith("warning: pipegen.yaml:1:1: `install` is left out")
    assert "[install-left-out]" in err
    code, out, err = validate(text, "--strict")
    assert (code, out) == (3, "")
    assert err.startswith("error: pipegen.yaml:1:1: `install` is left out")


def test_json(validate: Validate) -> None:
    code, out, err = validate(GOOD.replace("cmd: x", "cmd: 3").replace("install: x", "owner: x"), "--json")
    assert (code, err) == (3, "")
    data = json.loads(out)
    assert data["valid"] is False
    assert data["file"] == "pipegen.yaml"
    [problem] = data["problems"]
    assert (problem["line"], problem["column"]) == (3, 19)
    assert problem["hint"] == "quote it"
    data = json.loads(validate(GOOD, "--json")[1])
    assert data == {
        "file": "pipegen.yaml",
        "valid": True,
        "stages": 1,
        "workflows": 1,
        "problems": [],
        "warnings": [],
    }


def test_the_whole_program_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "pipegen.yaml").write_text(GOOD)
    command = [sys.executable, "-X", "importtime", "-c", "from pipegen.cli import main; main(['validate'])"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "pipegen.yaml is valid: 1 stage, 1 workflow\n")
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "yaml" in loaded
    assert loaded.isdisjoint({"dvc", "jinja2", "rich", "pandas", "sklearn", "mlflow", "requests"})
