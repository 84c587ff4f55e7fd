"""Whatever DVC is told in its configuration holds for `pipegen run` too."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.repositories import dvc, make_repository, picture, pipegen_run, ran, sh, write

TEXT = """\
stages:
  one: {cmd: 'cp in one; chmod 755 one; echo one >> ran.log', deps: [in], outs: [one]}
  tree:
    cmd: mkdir tree && cp one tree/x && echo 2 > tree/y && echo tree >> ran.log
    deps: [one]
    outs: [tree]
    metrics: [{m.json: {cache: false}}]
"""
FILES = {
    "dvc.yaml": TEXT.replace("mkdir tree", "echo '{}' > m.json; mkdir tree"),
    "in": "1\n",
    ".gitignore": "ran.log\n",
}


def compare(theirs: Path, ours: Path) -> None:
    """Run, then edit, run, go back, run: both are alike, and nothing runs that need not."""
    for content, runs in (("1\n", ["one", "tree"]), ("2\n", ["one", "tree"]), ("1\n", [])):
        for folder in (theirs, ours):
            write(folder, {"in": content})
        dvc(theirs, "repro")
        summary, _ = pipegen_run(ours)
        assert summary.ok
        assert ran(theirs) == ran(ours) == runs
        assert picture(ours) == picture(theirs)
        assert sh(ours, "git", "status", "--short") == sh(theirs, "git", "status", "--short")


@pytest.mark.parametrize(
    "settings",
    [
        ["cache.type=hardlink"],
        ["cache.type=symlink"],
        ["cache.type=copy", "core.autostage=true"],
        pytest.param(["core.hardlink_lock=true"], marks=pytest.mark.slow),
        pytest.param(["cache.shared=group"], marks=pytest.mark.slow),
        ["core.no_scm=true"],
    ],
    ids=lambda settings: ",".join(settings),
)
def test_settings(tmp_path: Path, template: Path, settings: list[str]) -> None:
    theirs, ours = (make_repository(tmp_path / name, FILES, template) for name in ("dvc", "pipegen"))
    for folder in (theirs, ours):
        words = {"core": ["analytics = false"], "cache": []}
        for setting in settings:
            section, _, word = setting.partition(".")
            words[section].append(word.replace("=", " = "))
        text = "".join(
            f"[{section}]\n" + "".join(f"    {line}\n" for line in lines) for section, lines in words.items()
        )
        write(folder, {".dvc/config": text})
    compare(theirs, ours)


def test_a_cache_elsewhere(tmp_path: Path, template: Path) -> None:
    theirs, ours = (make_repository(tmp_path / name / "r", FILES, template) for name in ("dvc", "pipegen"))
    for folder in (theirs, ours):
        write(folder, {".dvc/config.local": "[cache]\n    dir = '../../the cache'\n"})
    compare(theirs, ours)
    assert picture(ours.parent / "the cache") == picture(theirs.parent / "the cache") != {}


def test_a_repository_in_a_subfolder(tmp_path: Path) -> None:
    """`dvc init --subdir`: git's folder is above DVC's; the stage files of a neighbour are not its own."""
    tops = [tmp_path / name for name in ("dvc", "pipegen")]
    for top in tops:
        (top / "sub").mkdir(parents=True)
        sh(top, "git", "init", "-q")
        dvc(top / "sub", "init", "-q", "--subdir")
        shutil.rmtree(top / "sub/.dvc/tmp", ignore_errors=True)
        write(top / "sub", FILES)
        sh(top, "git", "add", "-A")
        sh(top, "git", "commit", "-qm", "start")
    compare(tops[0] / "sub", tops[1] / "sub")


def test_an_imported_source(tmp_path: Path, template: Path) -> None:
    """`dvc import-url` of a file that changes: DVC fetches what the import says until it is updated."""
    text = "stages: {one: {cmd: 'cp got one; echo one >> ran.log', deps: [got], outs: [one]}}"
    (tmp_path / "far").write_text("far\n")
    files = {"dvc.yaml": text, ".gitignore": "ran.log\n"}
    theirs, ours = (make_repository(tmp_path / name, files, template) for name in ("dvc", "pipegen"))
    for folder in (theirs, ours):
        dvc(folder, "import-url", "-q", "../far", "got")
        sh(folder, "git", "add", "-A")
    for change in (None, "nearer\n"):
        if change:
            (tmp_path / "far").write_text(change)
        dvc(theirs, "repro")
        summary, _ = pipegen_run(ours)
        assert summary.ok
        assert ran(theirs) == ran(ours)
        assert picture(ours) == picture(theirs)


def test_a_frozen_stage(tmp_path: Path, template: Path) -> None:
    files = FILES | {"dvc.yaml": FILES["dvc.yaml"].replace("outs: [tree]", "outs: [tree]\n    frozen: true")}
    theirs, ours = (make_repository(tmp_path / name, FILES, template) for name in ("dvc", "pipegen"))
    for changes in ({}, files, {"in": "2\n"}, {"tree/y": "edited\n"}):
        for folder in (theirs, ours):
            for path in changes:
                (folder / path).unlink()
            write(folder, changes)
        dvc(theirs, "repro", "-P")
        assert pipegen_run(ours)[0].ok
        assert ran(theirs) == ran(ours)
        assert picture(ours) == picture(theirs)


def test_the_shell_and_its_variables(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is a process of its own, in the shell that SHELL names, with DVC's two variables."""
    text = """\
stages:
  say:
    cmd:
    - X=1; echo "$DVC_STAGE $(basename $DVC_ROOT) $0" > said
    - echo "x$X" >> said; false; echo on >> said
    outs: [said]
"""
    monkeypatch.setenv("SHELL", "/bin/bash")
    theirs, ours = (
        make_repository(tmp_path / name / "r", {"dvc.yaml": text}, template) for name in ("dvc", "pipegen")
    )
    dvc(theirs, "repro")
    assert pipegen_run(ours)[0].ok
    assert (ours / "said").read_text() == (theirs / "said").read_text() == "say r /bin/bash\nx\non\n"
