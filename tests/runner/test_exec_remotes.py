"""`pipegen exec` with remotes of other kinds: ssh and WebDAV, each with its real protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from pipegen.dvc.stores import RemoteChoice, open_store
from tests.runner.conftest import MakeBuild
from tests.support.agents import command, lock_of, reference
from tests.support.repositories import sh
from tests.support.sftp import SftpRemote, sftp_remote
from tests.support.webdav import WebDavRemote, webdav_remote

TEXT = """\
pipegen: 1
name: small
stages:
  one: {cmd: "mkdir one; cp seed.txt one/a; echo b > one/b", deps: [seed.txt], outs: [one]}
  two: {cmd: cp one/a two.txt, deps: [one/a], outs: [two.txt]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""
KINDS: dict[str, Any] = {"ssh": sftp_remote, "webdav": webdav_remote}


@pytest.fixture(params=["ssh", pytest.param("webdav", marks=pytest.mark.slow)])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SftpRemote | WebDavRemote]:
    kind: AbstractContextManager[SftpRemote | WebDavRemote] = KINDS[request.param](tmp_path / "served")
    with kind as opened:
        yield opened


def test_over_agents(make: MakeBuild, remote: SftpRemote | WebDavRemote, tmp_path: Path) -> None:
    build = make(TEXT, None)
    remote.configure(build.origin)
    sh(build.origin, "git", "commit", "-qam", "a remote")
    done = build.run()
    assert {each.outcome for each in done.values()} == {"ran"}
    assert done["one"].record["pushed"]["objects"] == 3
    assert done["two"].record["fetched"]["objects"] == 2
    assert lock_of(done["two"].agent) == reference(build.origin, tmp_path / "reference")
    again = make(again=True).exec("two", needs=[])
    assert again.outcome == "restored", again.out + again.err
    names = [path.name for path in (tmp_path / "served").rglob("*") if path.is_file()]
    assert not [name for name in names if name.startswith(".") or name.endswith(".tmp")], (
        "nothing half-written"
    )
    process = command(again.agent, "gc", "--json", "--keep-runs", "0", "--keep-young", "0")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert len([path for path in json.loads(out)["files"] if path.startswith("runs/")]) == 2


def test_ssh_is_away_for_a_while(make: MakeBuild, tmp_path: Path) -> None:
    """First before it is reached, and then in the middle: the connection that was lost is made anew."""
    with sftp_remote(tmp_path / "served") as remote:
        build = make(TEXT, None)
        remote.configure(build.origin)
        sh(build.origin, "git", "commit", "-qam", "a remote")
        remote.stop()
        process, _ = build.start("one")
        assert process.stdout
        while "does not answer" not in (line := process.stdout.readline()):
            assert line, "it ended before"
        remote.start()
        _, err = process.communicate(timeout=100)
        assert process.returncode == 0, err

        notices: list[str] = []
        store = open_store(build.origin, RemoteChoice(), notices.append)
        assert store
        paths = [item.path for item in store.walk("files")]
        assert store.present(paths) == set(paths) != set()
        remote.stop()
        threading.Timer(1.5, remote.start).start()
        assert store.present(paths) == set(paths)
        assert "trying again" in notices[0]


def test_ssh_without_the_key(make: MakeBuild, tmp_path: Path) -> None:
    """Nothing is tried for long."""
    with sftp_remote(tmp_path / "served") as remote, sftp_remote(tmp_path / "other" / "served") as other:
        build = make(TEXT, None)
        for key in ("none", str(other.key)):
            remote.configure(build.origin, key)
            sh(build.origin, "git", "commit", "-qam", "a remote")
            done = build.exec("one", timeout=30)
            assert done.code == 6
            assert done.err.startswith("error: can't use the DVC remote 'store' (ssh://127.0.0.1:")
            assert len(done.err.splitlines()) == 1
