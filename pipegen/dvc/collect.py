"""Which stages a DVC repository has: finds its files as DVC does, reads them, spells their addresses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipegen.dvc.expand import expand
from pipegen.dvc.stages import Stage, pipeline_stage, single_stage
from pipegen.dvc.words import unknown_words
from pipegen.dvc.yaml12 import parse
from pipegen.errors import DescriptionError, Problem, WorkspaceError, os_error

PIPELINE = "dvc.yaml"
IGNORE = ".dvcignore"


def find_root(folder: Path) -> Path:
    """The DVC repository that `folder` lies in.

    Raises:
        WorkspaceError: none does.
    """
    for parent in (folder, *folder.parents):
        if (parent / ".dvc").is_dir():
            return parent
    git = next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)
    if git is None:
        raise WorkspaceError(
            f"{folder} is in no git and no DVC repository: run `git init` and `dvc init` there first"
        )
    how = "dvc init" if git == folder else f"dvc init` in {git}, or `dvc init --subdir"
    raise WorkspaceError(f"{folder} is in no DVC repository: run `{how}` here first")


@dataclass(frozen=True)
class Collected:
    """What a repository has."""

    stages: dict[str, Stage]
    """By address, in the order in which DVC finds them."""
    ignore_rules: bool
    """Whether a `.dvcignore` says anything: what it says is DVC's to understand."""


def collect(root: Path, folder: Path) -> Collected:
    """All stages of the repository, their addresses spelled from `folder`.

    Raises:
        DescriptionError: a file that DVC would refuse.
    """
    files = [file for file in _found(root) if not _in_nested_repository(root, file)]
    rules = any(_says_anything(file) for file in files if os.path.basename(file) == IGNORE)
    files = [file for file in files if os.path.basename(file) != IGNORE]
    stages: dict[str, Stage] = {}
    for file in _as_walked(root, _without_dvcignored(root, files) if rules else files):
        for stage in read_stages(file, folder):
            stages[stage.address] = stage
    return Collected(stages, rules)


def address_of(file: str, name: str, folder: Path) -> str:
    """How DVC, called in `folder`, spells a stage."""
    relative = os.path.relpath(file, folder)
    if not name:
        return relative
    return name if relative == PIPELINE else f"{relative}:{name}"


# ------------------------------------------------------------------------------------------------- finding files


def _found(root: Path) -> list[str]:
    """All `dvc.yaml`, `.dvc` and `.dvcignore` files that git does not ignore."""
    files = _asked_of_git(root)
    return list(_walked(root)) if files is None else files


def _is_wanted(name: str) -> bool:
    return name in (PIPELINE, IGNORE) or (name.endswith(".dvc") and name != ".dvc")


def _asked_of_git(root: Path) -> list[str] | None:
    """git's own answer; None where git is not there or the folder is in no git repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    patterns = [f"**/{PIPELINE}", "**/*.dvc", f"**/{IGNORE}"]
    try:
        done = subprocess.run(
            [*command, "--", *(f":(glob){pattern}" for pattern in patterns)],
            cwd=root,
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    if done.returncode:
        return None
    paths = (
        os.path.join(root, os.fsdecode(path)) for path in dict.fromkeys(done.stdout.split(b"\0")) if path
    )
    return [path for path in paths if _is_wanted(os.path.basename(path)) and os.path.isfile(path)]


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", ".hg", ".dvc")]
        yield from (os.path.join(folder, name) for name in names if _is_wanted(name))


def _in_nested_repository(root: Path, file: str) -> bool:
    folder = os.path.dirname(file)
    while len(folder) > len(str(root)):
        if os.path.isdir(os.path.join(folder, ".dvc")):
            return True
        folder = os.path.dirname(folder)
    return False


def _says_anything(file: str) -> bool:
    try:
        lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(line.strip() and not line.lstrip().startswith("#") for line in lines)


def _without_dvcignored(root: Path, files: list[str]) -> list[str]:
    try:
        from dvc.fs import localfs
        from dvc.ignore import DvcIgnoreFilter

        ignored = DvcIgnoreFilter(localfs, str(root))
        return [file for file in files if not ignored.is_ignored_file(file)]
    except (ImportError, AttributeError, TypeError):  # this version of DVC is another inside
        command = [sys.executable, "-m", "dvc", "check-ignore", *files]
        said = subprocess.run(
            command, cwd=root, capture_output=True, text=True, check=False
        ).stdout.splitlines()
        return [file for file in files if file not in said]


def _as_walked(root: Path, files: list[str]) -> list[str]:
    """`files` in the order of a walk from `root` that looks into nothing but their folders."""
    inside: dict[str, set[str]] = {}
    for file in files:
        child = file
        while child != str(root):
            folder = os.path.dirname(child)
            inside.setdefault(folder, set()).add(os.path.basename(child))
            child = folder
    ordered: list[str] = []
    wanted = set(files)
    todo = [str(root)]
    while todo:
        folder = todo.pop()
        here = [entry for entry in os.listdir(folder) if entry in inside.get(folder, ())]
        paths = [os.path.join(folder, entry) for entry in here]
        ordered += [path for path in paths if path in wanted]
        todo += [path for path in reversed(paths) if path in inside]
    return ordered


# ------------------------------------------------------------------------------------------------- reading files


def read_stages(file: str, folder: Path) -> Iterator[Stage]:
    """The stages of one file.

    Raises:
        DescriptionError: DVC would refuse the file.
        FileError: it can't be read.
    """
    shown = os.path.relpath(file, folder)
    document = parse(_text(file, shown), shown)
    content = {} if document.value is None else document.value
    if not isinstance(content, Mapping):
        raise DescriptionError([document.problem((), "is no mapping of keys to values")])
    if os.path.basename(file) != PIPELINE:
        yield single_stage(address_of(file, "", folder), file, content)
        return
    unknown = unknown_words(content, document)
    if unknown:
        raise DescriptionError(unknown)
    for stage in expand(content, Path(file), document):
        yield pipeline_stage(address_of(file, stage.name, folder), file, stage.name, stage.definition)


def _text(file: str, shown: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DescriptionError([Problem("is not UTF-8 text", shown)]) from None
    except OSError as error:
        raise os_error(error, "read", shown) from None
