"""`pipegen generate`: the files, what it refuses, and that nothing is ever half-written."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipegen.description.dumper import dump
from pipegen.targets import Marker
from tests.support.cli import pipegen
from tests.support.descriptions import diamond

FILES = ["Jenkinsfile", "ci/Jenkinsfile.nightly", "toy.gocd.yaml", "dvc.yaml"]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    describe(tmp_path)
    return tmp_path


def describe(folder: Path, **more: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    workflows = {
        "push": {"on": {"push": {"branches": ["main"]}}, "gates": "all"},
        "nightly": {"on": {"schedule": "0 6 * * 1-5"}},
    }
    (folder / "pipegen.yaml").write_text(dump(diamond(**{"workflows": workflows, **more})))


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_it_writes_every_file_and_then_has_nothing_to_do(repo: Path) -> None:
    first = pipegen("generate", cwd=repo)
    assert first.code == 0
    assert sorted(tree(repo)) == sorted([*FILES, "pipegen.yaml"])
    assert all(Marker((repo / name).read_text()).intact for name in FILES)
    before = {name: (repo / name).stat().st_mtime_ns for name in FILES}
    second = pipegen("generate", cwd=repo)
    assert second.out.count("kept") == len(FILES)
    assert {name: (repo / name).stat().st_mtime_ns for name in FILES} == before


def test_the_same_description_gives_the_same_bytes_anywhere(
    repo: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pipegen("generate", cwd=repo)
    other = tmp_path_factory.mktemp("other place")
    (other / ".git").mkdir()
    describe(other)
    env = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": str(other)}
    code = "from pipegen.cli import main; main(['generate'])"
    subprocess.run([sys.executable, "-c", code], cwd=other, env=env, check=True, capture_output=True)
    assert tree(other) == tree(repo)


def test_check_is_0_when_current_and_1_with_the_difference(repo: Path) -> None:
    pipegen("generate", cwd=repo)
    assert pipegen("generate", "--check", cwd=repo).code == 0
    text = (repo / "pipegen.yaml").read_text()
    (repo / "pipegen.yaml").write_text(text.replace("  end:", "  final:"))
    before = tree(repo)
    stale = pipegen("generate", "--check", cwd=repo)
    assert stale.code == 1
    assert "-        stage('end')" in stale.text or "-    stage('end')" in stale.text
    assert "+    stage('final')" in stale.text
    assert "run `pipegen generate`" in stale.text
    assert tree(repo) == before
    assert pipegen("generate", "--diff", cwd=repo).code == 0
    assert tree(repo) == before


@pytest.mark.parametrize("name", FILES)
def test_a_hand_written_or_edited_file_is_never_overwritten_unasked(repo: Path, name: str) -> None:
    path = repo / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("// mine\n")
    refused = pipegen("generate", cwd=repo)
    assert refused.code == 4
    assert f"{name}: pipegen did not write it" in refused.err
    assert sorted(tree(repo)) == sorted(["pipegen.yaml", name])
    assert pipegen("generate", "--force", cwd=repo).code == 0
    assert Marker(path.read_text()).intact

    path.write_text(path.read_text() + "\n# a small edit\n")
    edited = pipegen("generate", cwd=repo)
    assert edited.code == 4
    assert f"{name}: it was edited since pipegen wrote it" in edited.err
    assert path.read_text().endswith("# a small edit\n")


def test_an_edit_of_any_one_character_is_noticed(repo: Path) -> None:
    pipegen("generate", cwd=repo)
    text = (repo / "Jenkinsfile").read_text()
    for at in range(0, len(text), 37):
        changed = text[:at] + ("x" if text[at] != "x" else "y") + text[at + 1 :]
        assert not Marker(changed).intact


def test_only_a_target_or_a_workflow(repo: Path) -> None:
    pipegen("generate", "--target", "gocd", cwd=repo)
    assert sorted(tree(repo)) == ["pipegen.yaml", "toy.gocd.yaml"]
    pipegen("generate", "--target", "jenkins", "--workflow", "nightly", cwd=repo)
    assert sorted(tree(repo)) == ["ci/Jenkinsfile.nightly", "pipegen.yaml", "toy.gocd.yaml"]
    assert "did you mean 'jenkins'" in pipegen("generate", "--target", "jenkin", cwd=repo).err
    wrong = pipegen("generate", "--workflow", "nightli", cwd=repo)
    assert (wrong.code, "did you mean 'nightly'" in wrong.err) == (3, True)


def test_stdout_and_definitions_write_nothing_beside_the_description(repo: Path) -> None:
    before = tree(repo)
    printed = pipegen("generate", "--stdout", "-t", "jenkins", "-w", "push", cwd=repo)
    assert printed.out.startswith("// Written by pipegen")
    assert tree(repo) == before
    assert pipegen("generate", "--definitions", "out", cwd=repo).code == 0
    made = {name for name in tree(repo) if name.startswith("out/")}
    assert {"out/toy.config.xml", "out/toy-nightly.config.xml"} <= made
    assert any(name.endswith(".json") for name in made)


def test_a_file_that_the_description_no_longer_asks_for_is_removed(repo: Path) -> None:
    pipegen("generate", cwd=repo)
    (repo / "ci/Jenkinsfile.mine").write_text("// mine\n")
    describe(repo, workflows={"push": {"on": {"push": {"branches": ["main"]}}}})
    assert pipegen("generate", "--check", cwd=repo).code == 1
    said = pipegen("generate", cwd=repo)
    assert "removed  ci/Jenkinsfile.nightly" in said.out
    assert sorted(tree(repo)) == [
        "Jenkinsfile",
        "ci/Jenkinsfile.mine",
        "dvc.yaml",
        "pipegen.yaml",
        "toy.gocd.yaml",
    ]


def test_all_descriptions_of_a_monorepo(repo: Path) -> None:
    describe(repo / "one", name="one")
    describe(repo / "two", name="two")
    (repo / "bad").mkdir()
    (repo / "bad/pipegen.yaml").write_text("name: [\n")
    result = pipegen("generate", "--all", "--json", cwd=repo)
    assert result.code == 1
    assert "1 of 4 descriptions failed" in result.err
    assert "bad/pipegen.yaml" in result.err
    records = json.loads(result.out)
    assert {record["description"] for record in records} == {".", "bad/pipegen.yaml", "one", "two"}
    assert "dir('one')" in (repo / "one/Jenkinsfile").read_text()
    assert (repo / "two/two.gocd.yaml").exists()


def test_json_says_what_became_of_each_file(repo: Path) -> None:
    [record] = json.loads(pipegen("generate", "--json", cwd=repo).out)
    assert {file["path"]: file["state"] for file in record["files"]} == dict.fromkeys(FILES, "new")


def test_mistakes_are_one_message_each_and_write_nothing(repo: Path) -> None:
    describe(repo, agents={"linux": {"jenkins": {"lable": "x"}, "gocd": {"resources": ["x"]}}})
    before = tree(repo)
    wrong = pipegen("generate", cwd=repo)
    assert wrong.code == 3
    assert "'lable' is not a key here" in wrong.err
    assert "did you mean 'label'?" in wrong.err
    assert "pipegen.yaml:" in wrong.err
    assert tree(repo) == before
    assert pipegen("generate", "nowhere", cwd=repo).code == 4
    assert "a circle" in cyclic(repo).err


def cyclic(repo: Path) -> Any:
    stages = {
        "a": {"cmd": "true", "deps": ["b.txt"], "outs": ["a.txt"]},
        "b": {"cmd": "true", "deps": ["a.txt"], "outs": ["b.txt"]},
    }
    describe(repo, stages=stages, gates={}, workflows={})
    result = pipegen("generate", cwd=repo)
    assert result.code == 3
    assert "┌─► " in result.err
    return result


def test_a_read_only_folder(repo: Path) -> None:
    repo.chmod(0o555)
    try:
        refused = generate_in_a_process(repo, obey_permissions)
    finally:
        repo.chmod(0o755)
    assert refused.returncode == 4
    assert "Permission denied" in refused.stderr
    assert "nothing was changed" in refused.stderr
    assert list(tree(repo)) == ["pipegen.yaml"]


def obey_permissions() -> None:
    """Take from root the right to write anywhere (CAP_DAC_OVERRIDE); for other users it changes nothing."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


def no_large_files() -> None:
    """No file may grow beyond 2,000 bytes: writing more fails as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


def generate_in_a_process(repo: Path, first: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    code = "from pipegen.cli import main; main(['generate'])"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=repo, capture_output=True, text=True, preexec_fn=first
    )


def test_a_folder_that_cannot_be_made(repo: Path) -> None:
    (repo / "ci").write_text("a file where a folder must be\n")
    assert_untouched(repo, pipegen("generate", cwd=repo))


def assert_untouched(repo: Path, outcome: Any) -> None:
    assert outcome.code == 4
    assert "nothing was changed" in outcome.err
    assert not set(tree(repo)) & {"Jenkinsfile", "toy.gocd.yaml", "dvc.yaml"}
    assert not [name for name in tree(repo) if name.startswith(".") and not name.startswith(".git")]


def test_a_disk_that_fills_while_writing_leaves_the_old_files(repo: Path) -> None:
    pipegen("generate", cwd=repo)
    before = tree(repo)
    text = (repo / "pipegen.yaml").read_text().replace("  end:", "  final:")
    (repo / "pipegen.yaml").write_text(text)
    full = generate_in_a_process(repo, no_large_files)
    assert full.returncode == 4
    assert "nothing was changed" in full.stderr
    assert "Traceback" not in full.stderr
    assert tree(repo) == {**before, "pipegen.yaml": text.encode()}


def test_a_link_out_of_the_folder_is_not_followed(
    repo: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (repo / "ci").symlink_to(outside, target_is_directory=True)
    refused = pipegen("generate", cwd=repo)
    assert refused.code == 4
    assert "lies outside" in refused.err
    assert not list(outside.iterdir())
