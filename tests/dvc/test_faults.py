"""What goes wrong around DVC: no room, no permission, others at work, an inside that pipegen does not know."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipegen.records import Event, Notice, StageFinished
from tests.support.repositories import dvc, make_repository, picture, pipegen_run, ran

TEXT = """\
stages:
  one: {cmd: cp in one; echo one >> ran.log, deps: [in], outs: [one]}
  two: {cmd: cp one two; echo two >> ran.log, deps: [one], params: [p], outs: [two]}
  three: {cmd: sleep 3; cp one three; echo three >> ran.log, deps: [one], outs: [three]}
"""
FILES = {
    "dvc.yaml": TEXT.replace("cmd: ", "cmd: '").replace("ran.log,", "ran.log',"),
    "in": "1\n",
    "params.yaml": "p: 1\n",
}
Make = Callable[[str], Path]


@pytest.fixture
def make(tmp_path: Path, template: Path) -> Make:
    return lambda name: make_repository(tmp_path / name, {**FILES, ".gitignore": "ran.log\n"}, template)


def messages(events: list[Event]) -> str:
    return "\n".join(event.message for event in events if isinstance(event, (StageFinished, Notice)))


# ------------------------------------------------------------------------------------------------- beside others


def test_it_waits_for_dvcs_lock_and_says_so(make: Make) -> None:
    folder = make("repository")
    (folder / ".dvc/tmp").mkdir(exist_ok=True)
    with (folder / ".dvc/tmp/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(" 4711\n")
        lock.flush()
        threading.Timer(2, lambda: fcntl.flock(lock, fcntl.LOCK_UN)).start()
        summary, events = pipegen_run(folder)
    assert summary.ok
    assert "waiting for another DVC process (PID 4711)" in messages(events)


def _start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env=env, text=True, stdout=-1, stderr=-1
    )


PIPEGEN = ("-c", "from pipegen.cli import main; main()", "run", "-j", "2")


def test_two_at_once(make: Make) -> None:
    """Together they run each stage once, and both are right."""
    folder, alone = make("repository"), make("alone")
    both = [_start(folder, *PIPEGEN) for _ in range(2)]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert ran(folder) == ["one", "three", "two"]
    assert pipegen_run(alone)[0].ok
    assert (folder / "dvc.lock").read_bytes() == (alone / "dvc.lock").read_bytes()


def test_dvc_repro_at_the_same_time(make: Make) -> None:
    """DVC gives up where a file it needs is busy; pipegen is not disturbed, and the result is whole."""
    folder = make("repository")
    ours = _start(folder, *PIPEGEN)
    time.sleep(0.3)
    theirs = _start(folder, "-m", "dvc", "repro", "-q")
    output, errors = ours.communicate(timeout=60)
    theirs.communicate(timeout=60)
    assert ours.returncode == 0, output + errors
    assert "up to date" in dvc(folder, "status")


def test_while_a_command_runs_dvc_is_free(make: Make) -> None:
    """The repository's lock is held only while DVC's files change: `dvc add` needs it, and gets it."""
    folder = make("repository")
    assert pipegen_run(folder, "one")[0].ok
    ours = _start(folder, *PIPEGEN, "three")
    while not (folder / ".pipegen/logs/three.log").exists():
        assert ours.poll() is None
        time.sleep(0.01)
    (folder / "more").write_text("more\n")
    dvc(folder, "add", "-q", "more")
    assert ours.poll() is None, "it was through before DVC was"
    output, errors = ours.communicate(timeout=60)
    assert ours.returncode == 0, output + errors
    assert (folder / "more.dvc").exists()


def test_what_a_killed_process_held_is_free(make: Make) -> None:
    folder = make("repository")
    dead = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    (folder / ".dvc/tmp").mkdir(exist_ok=True)
    info = f'{{"pid": {dead}, "cmd": "dvc repro"}}'
    (folder / ".dvc/tmp/rwlock").write_text(
        f'{{"write": {{"{folder}/one": {info}}}, "read": {{"{folder}/in": [{info}]}}}}'
    )
    assert pipegen_run(folder)[0].ok
    assert "up to date" in dvc(folder, "status")


# ------------------------------------------------------------------------------------------------- no room, no right


def test_a_cache_that_is_a_file(make: Make) -> None:
    folder = make("repository")
    (folder / ".dvc/cache").write_text("")
    summary, events = pipegen_run(folder)
    assert summary.outcomes["one"] == "failed"
    assert "Not a directory" in messages(events)
    (folder / ".dvc/cache").unlink()
    assert pipegen_run(folder)[0].ok


def test_a_full_disk(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write fails in turn: one message, nothing half-written, and the next run has all it needs."""
    folder = make("repository")

    def no_room(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    from pipegen.errors import FileError

    for where in ("pipegen.dvc.cache.copy_file", "pipegen.dvc.runcache.render_entry"):
        with monkeypatch.context() as patch:
            patch.setattr(where, no_room)
            summary, events = pipegen_run(folder, "one")
            assert summary.outcomes["one"] == "failed"
            assert "No space left on device" in messages(events)
            assert not (folder / "dvc.lock").exists()
    with monkeypatch.context() as patch:
        patch.setattr("pipegen.dvc.lockfile.tempfile.mkstemp", no_room)
        with pytest.raises(FileError, match="No space left on device"):
            pipegen_run(folder, "one")
        assert not [path.name for path in folder.iterdir() if path.name.startswith(".dvc.lock")]
    ran(folder)
    summary, _ = pipegen_run(folder)
    assert summary.ok
    assert "up to date" in dvc(folder, "status")


# ------------------------------------------------------------------------------------------------- another DVC


@pytest.mark.parametrize(
    "hidden",
    [
        "dvc.output.Output.commit",
        pytest.param("dvc.repo.Repo", marks=pytest.mark.slow),
        pytest.param("dvc.stage.loader.StageLoader.load_stage", marks=pytest.mark.slow),
    ],
)
def test_the_command_line_where_an_internal_is_missing(
    make: Make, monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    """A rule in `.dvcignore` leaves every stage to DVC's objects; they are not there, so the command line does it."""
    folder, whole = make("repository"), make("whole")
    for repository in (folder, whole):
        (repository / ".dvcignore").write_text("nothing-like-this\n")
    assert pipegen_run(whole)[0].ok
    with monkeypatch.context() as patch:
        patch.delattr(hidden)
        summary, events = pipegen_run(folder)
    assert summary.ok, messages(events)
    assert ran(folder) == ran(whole) == ["one", "three", "two"]
    ignored = ("dvc.lock holds", ".gitignore holds")  # whose order is that of the command line's calls
    assert {k: v for k, v in picture(folder).items() if k not in ignored} == {
        k: v for k, v in picture(whole).items() if k not in ignored
    }
    assert "up to date" in dvc(folder, "status")


def test_plain_stages_need_no_inside_of_dvc(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make("repository")
    monkeypatch.delattr("dvc.repo.Repo")
    assert pipegen_run(folder)[0].ok
