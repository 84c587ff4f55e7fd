"""`pipegen exec` with S3 as the remote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.conftest import MakeBuild
from tests.support.agents import command, lock_of, reference
from tests.support.repositories import sh
from tests.support.s3 import S3, s3_server

TEXT = """\
pipegen: 1
name: small
stages:
  one: {cmd: "mkdir one; cp seed.txt one/a; echo b > one/b", deps: [seed.txt], outs: [one]}
  two: {cmd: cp one/a two.txt, deps: [one/a], outs: [two.txt]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    """moto's server."""
    with s3_server() as server:
        yield server


def test_over_agents(make: MakeBuild, s3: S3, tmp_path: Path) -> None:
    build = make(TEXT, None)
    s3.configure(build.origin)
    sh(build.origin, "git", "commit", "-qam", "a remote")
    done = build.run(env=s3.env)
    assert {each.outcome for each in done.values()} == {"ran"}
    assert done["one"].record["pushed"]["objects"] == 3
    assert done["two"].record["fetched"]["objects"] == 2
    assert lock_of(done["two"].agent) == reference(build.origin, tmp_path / "reference")
    again = make(again=True).exec("two", needs=[], env=s3.env)
    assert again.outcome == "restored", again.out + again.err
    assert lock_of(again.agent) == lock_of(done["two"].agent)
    process = command(again.agent, "gc", "--json", "--keep-runs", "0", "--keep-young", "0", env=s3.env)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert len([path for path in json.loads(out)["files"] if path.startswith("runs/")]) == 2


def test_no_access(make: MakeBuild, s3: S3) -> None:
    """Without a key nothing is tried for long."""
    build = make(TEXT, None)
    s3.configure(build.origin)
    sh(build.origin, "git", "commit", "-qam", "a remote")
    hidden = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "HOME": "/nonexistent",
    }
    done = build.exec("one", env=hidden, timeout=60)
    assert done.code == 6
    assert "credentials" in done.err
    assert len(done.err.splitlines()) == 1
