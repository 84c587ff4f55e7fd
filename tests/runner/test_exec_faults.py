"""What goes wrong between agents: nothing is lost, nothing wrong is published, and the message says what to do."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipegen.errors import os_error
from tests.runner.conftest import MakeBuild
from tests.support.agents import FRAGMENTS, Build, lock_of
from tests.support.cli import pipegen
from tests.support.http_remote import http_remote
from tests.support.processes import runs as runs_on_machine
from tests.support.repositories import sh, write

TWO = """\
pipegen: 1
name: small
stages:
  one: {cmd: "%s", deps: [seed.txt], outs: [one.txt]}
  two: {cmd: cp one.txt two.txt, deps: [one.txt], outs: [two.txt]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""
COPY = "cp seed.txt one.txt"


def objects(build: Build) -> list[Path]:
    folder = build.folder.parent / "remote" / "files"
    return sorted(path for path in folder.rglob("*") if path.is_file())


def runs(build: Build) -> list[Path]:
    folder = build.folder.parent / "remote" / "runs"
    return sorted(path for path in folder.rglob("*") if path.is_file())


def until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout
    while words not in (line := process.stdout.readline()):
        assert line, "it ended before"


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_killed_in_its_command(make: MakeBuild) -> None:
    build = make(TWO % "echo begun; test -e quick || sleep 63.7; cp seed.txt one.txt")
    process, folder = build.start("one")
    until(process, "begun")
    kill(process)
    ends = time.monotonic() + 10
    while "sleep 63.7" in sh(folder, "ps", "-eo", "args"):
        assert time.monotonic() < ends, "the command outlives its agent"
        time.sleep(0.1)
    assert not objects(build)
    assert not (folder / FRAGMENTS / "one.lock.json").exists()
    (folder / "quick").touch()
    assert build.exec("one", agent=folder).outcome == "ran", "in the same workspace, as it was left"
    assert build.exec("two").outcome == "ran"


@pytest.mark.parametrize("where", ["first object", "run cache", "fragment"])
def test_killed_in_its_push_or_while_writing_its_fragment(make: MakeBuild, where: str) -> None:
    build = make(TWO % COPY)
    folder = build.agent()
    points = {
        "first object": "pipegen.dvc.stores:Folder._put",
        "run cache": "pipegen.dvc.bearer:path_of",
        "fragment": "pipegen.dvc.fragments:render_entry",
    }
    module, _, name = points[where].partition(":")
    owner, _, attribute = name.rpartition(".")
    code = (
        f"import os, signal, importlib; place = importlib.import_module({module!r})\n"
        f"place = getattr(place, {owner!r}) if {owner!r} else place\n"
        f"setattr(place, {attribute!r}, lambda *a: os.kill(os.getpid(), signal.SIGKILL))\n"
        "from pipegen.cli import main; main(['exec', 'one'])"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (folder / FRAGMENTS / "one.lock.json").exists()
    assert bool(runs(build)) == (where == "fragment"), "a run is offered only when all of it is there"
    again = build.exec("one")
    assert again.code == 0
    assert again.outcome == ("restored" if where == "fragment" else "ran")
    assert build.exec("two").outcome == "ran"


@pytest.mark.parametrize("seconds", [2.5, pytest.param(10, marks=pytest.mark.slow)])
def test_the_remote_is_away_for_a_while(make: MakeBuild, tmp_path: Path, seconds: float) -> None:
    with http_remote(tmp_path / "served") as remote:
        build = make(TWO % COPY, remote.url)
        remote.stop()
        process, folder = build.start("one")
        until(process, "does not answer")
        time.sleep(seconds)
        remote.start()
        out, err = process.communicate(timeout=100)
        assert process.returncode == 0, err
        assert "pushed" in out
        shutil.copy(folder / FRAGMENTS / "one.lock.json", build.fragments)
        two = build.exec("two")
        assert two.code == 0, two.err
        assert two.record["fetched"]["objects"] == 1
        assert "DVC has no run cache on a remote of this kind" in two.out


def test_the_remote_is_away_for_good(
    make: MakeBuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When what was made is pushed, and when what is read is fetched."""
    with http_remote(tmp_path / "served") as remote:
        build = make(TWO % COPY, remote.url)
        remote.stop()
        monkeypatch.setattr("pipegen.dvc.patience.WAITS", (0.1, 0.1))
        agent = build.agent()
        done = pipegen("exec", "one", cwd=agent)
    assert done.code == 6
    assert done.err.startswith(f"error: can't write to the DVC remote 'store' ({remote.url}): ")
    assert len(done.err.splitlines()) == 1
    assert json.loads((agent / FRAGMENTS / "one.lock.json").read_text())["state"] == "failed"
    assert (agent / "one.txt").exists(), "the result is here still"
    with http_remote(tmp_path / "served") as remote:
        build = make(TWO % COPY, remote.url, again=True)
        config = build.origin / ".dvc" / "config"
        config.write_text(config.read_text().rpartition("http")[0] + remote.url + "\n")
        sh(build.origin, "git", "commit", "-qam", "another address")
        assert build.exec("one").code == 0
        remote.stop()
        agent = build.agent()
        build.give("one", agent)
        done = pipegen("exec", "two", cwd=agent)
    assert done.code == 6
    assert done.err.startswith(f"error: can't read from the DVC remote 'store' ({remote.url}): ")
    assert not (agent / "one.txt").exists(), "nothing by half"


def test_a_full_disk(make: MakeBuild, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remote's, and then this machine's, where the command's result is kept."""
    build = make(TWO % COPY)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("pipegen.dvc.stores.Folder._put", full)
        agent = build.agent()
        done = pipegen("exec", "one", cwd=agent)
    assert done.code == 6
    assert "No space left on device" in done.err
    assert "trying again" not in done.out
    with monkeypatch.context() as patch:
        patch.setattr("pipegen.dvc.cache.copy_file", full)
        done = pipegen("exec", "one", cwd=build.agent())
    assert done.code == 1
    assert "No space left on device" in done.err
    assert pipegen("exec", "one", cwd=agent).code == 0, "once there is room, it goes on where it was"
    assert len(objects(build)) == 1


@pytest.mark.parametrize(
    "where",
    [
        "dvc.fragments.write_atomically",
        "dvc.lockfile.tempfile.mkstemp",
        "runner.agent.leaving.write_atomically",
    ],
)
def test_a_disk_that_is_full_in_the_end(make: MakeBuild, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """There is room for the data, and none for a small file about it: nobody takes the stage for done."""
    build = make(TWO % COPY)

    def full(*_: object, **__: object) -> None:
        raise os_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "write", "it")

    agent = build.agent()
    with monkeypatch.context() as patch:
        patch.setattr(f"pipegen.{where}", full)
        done = pipegen("exec", "one", cwd=agent)
    assert done.code == 4
    assert "No space left on device" in done.err
    assert len(done.err.splitlines()) == 1
    assert '"outcome": "failed"' in done.out.splitlines()[-1]
    fragment = agent / FRAGMENTS / "one.lock.json"
    assert not fragment.exists() or json.loads(fragment.read_text())["state"] == "failed"
    again = pipegen("exec", "one", cwd=agent)
    assert again.code == 0, again.err
    assert json.loads(fragment.read_text())["state"] == "done"


def test_what_a_stage_failed_of_is_said_even_if_it_can_not_be_kept(make: MakeBuild) -> None:
    build = make(TWO % "exit 7")
    agent = build.agent()
    (agent / ".pipegen" / "records" / "one.json").mkdir(parents=True)
    done = pipegen("exec", "one", cwd=agent)
    assert (done.code, done.err) == (1, "error: one failed: its command exited with 7\n")
    assert "one.json: Is a directory" in done.out
    assert json.loads((agent / FRAGMENTS / "one.lock.json").read_text())["state"] == "failed"


def test_a_command_that_ignores_its_end(make: MakeBuild) -> None:
    """The server ends the agent's process, and the stage's command does not care: it is killed, and all is told."""
    build = make(TWO % "trap '' TERM INT; echo begun; sleep 64.5 & wait; sleep 64.5; cp seed.txt one.txt")
    process, folder = build.start("one")
    assert process.stdout
    while process.stdout.readline() != "begun\n":
        pass
    process.terminate()
    began = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 30
    assert process.returncode == 130
    assert "one was stopped" in err
    assert not runs_on_machine("sleep 64.5")
    assert json.loads((folder / FRAGMENTS / "one.lock.json").read_text())["state"] == "failed"
    assert not objects(build)


def test_two_agents_of_one_build_run_one_stage(make: MakeBuild) -> None:
    """A server that lost an agent starts its job again while the first still works: either result serves."""
    build = make(TWO % "date +%s%N > one.txt; sleep 1")
    started = [build.start("one") for _ in range(2)]
    for process, folder in started:
        assert process.wait(60) == 0
        shutil.copy(folder / FRAGMENTS / "one.lock.json", build.fragments)
    two = build.exec("two")
    assert two.code == 0, two.err
    assert (two.agent / "two.txt").read_text() == (started[1][1] / "one.txt").read_text()


def test_a_clock_that_is_wrong(make: MakeBuild) -> None:
    """Times decide nothing: hashes do."""
    build = make(TWO % COPY)
    agent = build.agent()
    os.utime(agent / "seed.txt", (0, 0))
    assert build.exec("one", agent=agent).code == 0
    later = build.agent()
    ahead = time.time() + 10 * 365 * 86400
    for path in (build.fragments / "one.lock.json", *objects(build), *runs(build), later / "seed.txt"):
        os.utime(path, (ahead, ahead))
    assert build.exec("two", agent=later).outcome == "ran"
    assert build.exec("one").outcome == "restored"


def test_a_remote_that_is_not_configured(make: MakeBuild) -> None:
    build = make(TWO % COPY, None)
    one = build.exec("one")
    assert one.code == 0
    assert "no DVC remote is configured" in one.out
    two = build.exec("two")
    assert two.code == 6
    assert "what one made is not here, and no DVC remote is configured to bring it from" in two.err


def test_a_remote_by_name_alone(make: MakeBuild) -> None:
    build = make((TWO % COPY).replace("stages:", "data: {remote: {name: nowhere}}\nstages:"))
    one = build.exec("one")
    assert one.code == 6
    assert "there is no DVC remote 'nowhere'" in one.err


def test_a_remote_that_only_the_description_knows(make: MakeBuild, tmp_path: Path) -> None:
    said = f"data: {{remote: {{name: ours, url: {json.dumps(str(tmp_path / 'remote'))}}}}}\nstages:"
    build = make((TWO % COPY).replace("stages:", said), None)
    build.run()
    assert len(objects(build)) == 1, "both outputs are the same bytes"


def test_a_fragment_of_another_tree(make: MakeBuild) -> None:
    build = make(TWO % COPY)
    build.exec("one")
    write(build.origin, {"seed.txt": "other\n"})
    sh(build.origin, "git", "commit", "-qam", "other")
    two = build.exec("two")
    assert two.code == 1
    assert "the lock fragment of one was made from another tree or other values" in two.err
    assert "run one in this build" in two.err


def test_merge_commits_that_agents_make_themselves(make: MakeBuild) -> None:
    """Each agent of a pull request makes a merge commit of its own; the tree is one."""
    build = make(TWO % COPY)
    commits = []
    for stage in ("one", "two"):
        agent = build.agent()
        sh(agent, "git", "commit", "-q", "--allow-empty", "-m", stage)
        done = build.exec(stage, agent=agent)
        assert done.code == 0, done.err
        commits.append(done.record["commit"])
    assert commits[0] != commits[1]


def test_a_damaged_object(make: MakeBuild) -> None:
    build = make(TWO % COPY)
    build.exec("one")
    (found,) = objects(build)
    found.chmod(0o644)
    found.write_text("something else\n")
    two = build.exec("two")
    assert two.code == 6
    assert "what one made is damaged" in two.err
    assert "run `pipegen exec one --force`, which writes it anew" in two.err
    assert build.exec("one", "--force").code == 0
    assert build.exec("two").code == 0


def test_a_damaged_object_is_not_restored(make: MakeBuild) -> None:
    build = make(TWO % COPY)
    build.exec("one")
    (found,) = objects(build)
    found.chmod(0o644)
    found.write_text("something else\n")
    one = build.exec("one")
    assert one.outcome == "ran"
    assert "an earlier result can't be used" in one.out
    assert build.exec("two").code == 0, "what it made was written anew"


def test_an_entry_under_a_wrong_name_is_not_restored(make: MakeBuild) -> None:
    build = make(TWO % COPY)
    build.exec("one")
    (run,) = runs(build)
    run.chmod(0o644)
    run.write_text(run.read_text().replace("one.txt", "two.txt"))
    one = build.exec("one")
    assert one.outcome == "ran"
    assert "damaged run cache entry" in one.out


def test_two_builds_of_one_commit_at_once(make: MakeBuild) -> None:
    """The stage is not deterministic: each build stays with its own result, and all can be had."""
    text = TWO % "date +%s%N > one.txt; cat seed.txt >> one.txt; sleep 1"
    first, second = make(text), make(again=True)
    started = [build.start("one") for build in (first, second)]
    for build, (process, folder) in zip((first, second), started, strict=True):
        assert process.wait(60) == 0
        shutil.copy(folder / FRAGMENTS / "one.lock.json", build.fragments)
    made = [(folder / "one.txt").read_text() for _, folder in started]
    assert made[0] != made[1]
    for build, text in zip((first, second), made, strict=True):
        two = build.exec("two")
        assert two.code == 0, two.err
        assert (two.agent / "two.txt").read_text() == text


def test_fragments_that_disagree(make: MakeBuild) -> None:
    text = """\
pipegen: 1
name: small
stages:
  one: {cmd: "date +%s%N > one.txt; cat seed.txt >> one.txt", deps: [seed.txt], outs: [one.txt]}
  left: {cmd: cp one.txt left.txt, deps: [one.txt], outs: [left.txt]}
  right: {cmd: cp one.txt right.txt, deps: [one.txt], outs: [right.txt]}
  join: {cmd: cat left.txt right.txt > join.txt, deps: [left.txt, right.txt], outs: [join.txt]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""
    build = make(text)
    build.exec("one")
    build.exec("left")
    build.exec("one", "--force")
    build.exec("right")
    join = build.exec("join")
    assert join.code == 1
    assert "are of different runs of one: run left and right again in this build" in join.err


def test_other_files_beside_the_fragments(make: MakeBuild) -> None:
    """GoCD's agents put checksums there."""
    build = make(TWO % COPY)
    build.exec("one")
    agent = build.agent()
    write(agent, {".pipegen/fragments/cruise-output_md5.checksum": "x=1\n"})
    assert build.exec("two", agent=agent).code == 0


def test_a_fragment_that_is_none(make: MakeBuild) -> None:
    build = make(TWO % COPY)
    agent = build.agent()
    write(agent, {".pipegen/fragments/one.lock.json": '{"fragment": 1, "stage": '})
    two = build.exec("two", agent=agent)
    assert two.code == 1
    assert "one.lock.json is no lock fragment" in two.err


def test_a_pull_request_from_outside_offers_nothing_to_others(make: MakeBuild) -> None:
    build = make(TWO % COPY)
    assert build.exec("one", env={"CHANGE_FORK": "stranger"}).code == 0
    assert not runs(build)
    assert build.exec("two", env={"CHANGE_FORK": "stranger"}).outcome == "ran", "its own build has it"
    assert make(again=True).exec("one").outcome == "ran"


def test_an_uncached_output_too_large_to_travel(make: MakeBuild) -> None:
    text = (TWO % "head -c 2000000 /dev/zero > one.txt").replace(
        "[one.txt]}", "[{one.txt: {cache: false}}]}", 1
    )
    build = make(text)
    one = build.exec("one")
    assert one.code == 0
    assert one.fragment.stat().st_size < 10_000
    two = build.exec("two")
    assert two.code == 1
    assert "put both into one `group:`" in two.err
    assert build.exec("two", agent=one.agent).code == 0, "on the same agent it is there"


def test_names_that_shells_would_read(make: MakeBuild) -> None:
    text = """\
pipegen: 1
name: small
stages:
  one:
    foreach: {"$(touch hit)": {n: 1}, "; touch hit; '": {n: 2}}
    do:
      cmd: "cp seed.txt '$(touch hit; echo ${item.n}).txt'"
      deps: [seed.txt]
      outs: ["$(touch hit; echo ${item.n}).txt"]
workflows: {push: {on: {push: {branches: [main]}}}}
"""
    for done in make(text).run().values():
        assert done.outcome == "ran"
        assert not list(done.agent.rglob("hit"))


@pytest.mark.parametrize("width", [20, pytest.param(100, marks=pytest.mark.slow)])
def test_a_folder_of_many_files(make: MakeBuild, width: int) -> None:
    each = "do echo $i $j > one.txt/$i/$j; done"
    command = (
        f"mkdir one.txt; for i in $(seq {width}); do mkdir one.txt/$i; for j in $(seq {width}); {each}; done"
    )
    part = "cat one.txt/7/* > two.txt, deps: [one.txt/7]"
    build = make((TWO % command).replace("cp one.txt two.txt, deps: [one.txt]", part))
    one = build.exec("one")
    assert one.code == 0, one.err
    assert one.record["pushed"]["objects"] == width**2 + 1
    two = build.exec("two")
    assert two.code == 0, two.err
    assert two.record["fetched"]["objects"] == width + 1, "the listing, and the folder that it reads"
    again = make(again=True).exec("one")
    assert again.outcome == "restored"
    assert lock_of(again.agent) == lock_of(one.agent)
