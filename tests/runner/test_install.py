"""What `install:` brings to an agent is what the description says: pip refuses a wheel of another hash."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipegen.description.dumper import dump
from pipegen.description.installing import unchecked
from pipegen.description.load import loads
from pipegen.project import Project
from tests.runner.test_pyenv import wheel
from tests.support.descriptions import diamond

GOOD = "a" * 64


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A wheel of a package `hello`, in a folder `dist`."""
    (tmp_path / "dist").mkdir()
    return wheel(tmp_path / "dist", "good day")


def installed(folder: Path, install: str) -> subprocess.CompletedProcess[str]:
    """Run what a generated GoCD job runs first; this Python's pip and nothing from an index."""
    text = dump(diamond(install=install, workflows={"now": {"on": "manual"}}, gates={}))
    made = Project(loads(text), folder).generate(["gocd"]).changes[0].new
    (script,) = {text for text in _texts(yaml.safe_load(made or "")) if "-m venv" in text}
    script = script.replace("##", "#")  # GoCD takes one `#` for the beginning of a parameter
    assert install in script
    (folder / "python3").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "$@" --without-pip --system-site-packages\n'
    )
    (folder / "python3").chmod(0o755)
    env = {
        "PATH": f"{folder}:{Path(sys.executable).parent}:/usr/bin:/bin",
        "PIP_NO_INDEX": "1",
        "PIP_TARGET": "got",
    }
    return subprocess.run(
        ["sh", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, (dict, list)):
        for item in data.values() if isinstance(data, dict) else data:
            yield from _texts(item)


def test_a_wheel_that_was_tampered_with(built: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256(built.read_bytes()).hexdigest()
    install = f"python -m pip install -q --upgrade 'file:dist/{built.name}#sha256={digest}'"
    assert list(unchecked(install, tmp_path)) == []
    done = installed(tmp_path, install)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "got" / "hello.py").read_text() == "WORD = 'good day'\n"
    whole = built.read_bytes()
    built.write_bytes(whole.replace(b"good day", b"evil day"))
    for address in (f"file:dist/{built.name}", f"hello @ file://{built}"):
        done = installed(tmp_path, f"python -m pip install -q --upgrade '{address}#sha256={digest}'")
        assert done.returncode != 0
        assert "HASH" in done.stderr.upper()
        assert digest in done.stderr
    assert "good" in (tmp_path / "got" / "hello.py").read_text()


@pytest.mark.parametrize(
    "install",
    [
        "pip install pipegen-ci==1.0 dvc-s3",
        "pip install ../..",
        "pip install --require-hashes -r tools.txt dist/x.whl",
        "echo abc  dist/x.whl | sha256sum -c && pip install dist/x.whl",
        f"pip install file:dist/x.whl#sha256={GOOD} dvc-s3",
        f'pip install "pipegen-ci[x] @ https://wheels.example.com/x.whl#egg=x&sha256={GOOD}"',
        f"pip install https://wheels.example.com/x.tar.gz#sha512={GOOD}{GOOD}",
        "pip install git+https://git.example.com/x.git@1a2b3c",
        "pip install 'unclosed",
    ],
)
def test_what_is_checked_or_no_file(install: str, tmp_path: Path) -> None:
    assert list(unchecked(install, tmp_path)) == []


@pytest.mark.parametrize(
    ("install", "hint"),
    [
        ("pip install dist/x.whl&&true", "write `file:dist/x.whl#sha256=…`"),
        (f"pip install ./dist/x.whl#sha256={GOOD}", "write `file:./dist/x.whl#sha256=…`"),
        ("pip install file:dist/x.whl#sha256=abc", "write `file:dist/x.whl#sha256=…`"),
        ("pip install https://w.example.com/x.whl?a=b", "write `https://w.example.com/x.whl?a=b#sha256=…`"),
        (
            f"pip install 'x @ https://w.example.com/x.zip#md5={GOOD[:32]}'",
            "write `https://w.example.com/x.zip#sha256=…`",
        ),
    ],
)
def test_what_is_not(install: str, hint: str, tmp_path: Path) -> None:
    [(_, said)] = unchecked(install, tmp_path)
    assert said == f"{hint} (`sha256sum` tells it)"


def test_the_warning_has_the_hash(built: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256(built.read_bytes()).hexdigest()
    text = dump(diamond(install=f"pip install dist/{built.name}"))
    warnings = {each.code: each for each in Project(loads(text), tmp_path).warnings()}
    warning = warnings["install-unchecked"]
    assert warning.message == f"'dist/{built.name}' is installed whatever it holds"
    assert f"write `file:dist/{built.name}#sha256={digest}`" in warning.hint
    switched = dump(diamond(install=f"pip install dist/{built.name}", lint={"install-unchecked": False}))
    assert "install-unchecked" not in {each.code for each in Project(loads(switched), tmp_path).warnings()}
