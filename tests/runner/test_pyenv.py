"""The Python environment of an agent: made once, kept, safe when two jobs want it at once."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from pipegen.errors import FileError
from pipegen.runner.pyenv import MARK, EnvironmentFailed, activated, digest, prepare
from tests.runner.conftest import MakeBuild

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def wheel(folder: Path, word: str) -> Path:
    """A package `hello` that says a word, as a wheel: installed without any network."""
    path = folder / f"hello-{len(word)}-py3-none-any.whl"
    info = f"hello-{len(word)}.dist-info"
    files = {
        "hello.py": f"WORD = {word!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: hello\nVersion: {len(word)}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{name},sha256={_hash(text)},{len(text)}" for name, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def requirements(folder: Path, word: str) -> Path:
    path = folder / "requirements.txt"
    path.write_text(f"{wheel(folder, word)}\n")
    return path


def said_by(environment: Path) -> str:
    env = {**os.environ, **activated(environment, os.environ)}
    done = subprocess.run(
        ["python", "-c", "import hello; print(hello.WORD)"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_made_once_even_when_two_want_it(tmp_path: Path) -> None:
    path, told, found = requirements(tmp_path, "good day"), list[str](), list[Path]()
    threads = [
        threading.Thread(
            target=lambda: found.append(prepare(VERSION, [path], told.append, tmp_path / "cache"))
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert len(told) == 1
    assert said_by(found[0]) == "good day"
    assert prepare(VERSION, [path], told.append, tmp_path / "cache") == found[0]
    assert len(told) == 1


def test_what_a_killed_job_left_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "python" / digest(VERSION, [])
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").write_text("half\n")
    assert prepare(VERSION, [], lambda _: None, tmp_path / "cache") == folder
    assert (folder / MARK).exists()
    subprocess.run([folder / "bin" / "python", "-c", ""], check=True)


def test_the_digest_follows_all_content(tmp_path: Path) -> None:
    main, other = tmp_path / "main.txt", tmp_path / "more" / "other.txt"
    other.parent.mkdir()
    main.write_text("-r more/other.txt\n--constraint=more/c.txt\n")
    other.write_text("a==1\n")
    (tmp_path / "more" / "c.txt").write_text("b==1\n")
    seen = {digest(VERSION, [main])}
    for path, text in (
        (other, "a==2\n"),
        (tmp_path / "more" / "c.txt", "b==2\n"),
        (main, "-r more/other.txt\n"),
    ):
        path.write_text(text)
        seen.add(digest(VERSION, [main]))
    seen.add(digest("3.9", [main]))
    assert len(seen) == 5
    with pytest.raises(FileError, match=r"can't read .*absent\.txt"):
        digest(VERSION, [tmp_path / "absent.txt"])


def test_what_can_not_be_installed(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("./no-such.whl\n")
    with pytest.raises(EnvironmentFailed, match=r"can't be made:\n.*no-such"):
        prepare(VERSION, [path], lambda _: None, tmp_path / "cache")
    assert not (tmp_path / "cache" / "python" / digest(VERSION, [path])).exists()


def test_commands_and_tests_run_in_it(make: MakeBuild, tmp_path: Path) -> None:
    path = requirements(tmp_path, "good day")
    description = f"""\
pipegen: 1
name: small
python: {{version: "{VERSION}", requirements: [requirements.txt]}}
stages:
  one:
    cmd: python -c "import hello; open('out.txt', 'w').write(hello.WORD)"
    deps: [requirements.txt]
    outs: [out.txt]
    ci: {{tests: ["python -c 'import hello'"]}}
workflows: {{push: {{on: {{push: {{branches: [main]}}}}}}}}
"""
    build = make(description, **{"requirements.txt": path.read_text()})
    done = build.exec("one", env={"PIPEGEN_CACHE": str(tmp_path / "cache")})
    assert done.code == 0, done.out + done.err
    assert (done.agent / "out.txt").read_text() == "good day"
    assert done.record["python"].startswith(str(tmp_path / "cache"))
