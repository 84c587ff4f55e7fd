"""`pipegen init`: a first description, from `dvc.yaml` files or as a small project that runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

from pipegen.cli.options import directory_option
from pipegen.description.load import FILE_NAME
from pipegen.description.starting import dvc_files, main_branch, name_for
from pipegen.description.text import GitUrl, Name, Text
from pipegen.errors import OverwriteRefused, os_error

TARGETS = ("jenkins", "gocd")
STARTER = {
    "prepare.py": "prepare.py",
    "train.py": "train.py",
    "evaluate.py": "evaluate.py",
    "params.yaml": "params.yaml",
    ".gitignore": "gitignore",
}
"""The small project's files, and their names among the templates."""


def _is(kind: type[Text]) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """A check that an option's value is of one of the description's kinds of text."""

    def check(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        try:
            if value is not None:
                kind.check(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
        return value

    return check


@click.command()
@click.option(
    "--name", callback=_is(Name), metavar="NAME", help="The pipeline's name. [default: the folder's]"
)
@click.option("--repository", callback=_is(GitUrl), metavar="URL", help="Where CI servers clone it from.")
@click.option(
    "--target",
    "targets",
    type=click.Choice(TARGETS),
    multiple=True,
    help="Generate for this server; may be repeated. [default: both]",
)
@directory_option("The folder to start in.")
def init(name: str | None, repository: str | None, targets: tuple[str, ...], directory: Path) -> None:
    """Start a description, pipegen.yaml.

    \b
    Where the folder has dvc.yaml files, in it or below it, the description names them:
    they stay as they are, and are not rewritten later either.
    Where it has none, a small pipeline of three stages is written, which runs as it is:
    prepare.py, train.py, evaluate.py, params.yaml. They need Python and no library.

    Nothing that exists is overwritten: the command then exits with 4 and writes nothing.
    In a git repository, git is told to merge dvc.lock stage by stage (`pipegen merge-lock`).
    It says what to run next.
    """
    name = name or name_for(directory)
    files = dvc_files(directory)
    texts = {FILE_NAME: _description(name, repository, targets or TARGETS, files, main_branch(directory))}
    if not files:
        texts |= _starter(directory)
    _write_all(directory, texts)
    for path in texts:
        click.echo(f"wrote {directory / path}")
    _install_merge_driver(directory)
    click.echo("\nNext:")
    for step in _next_steps(directory):
        click.echo(f"  {step}")


def _description(
    name: str, repository: str | None, targets: tuple[str, ...], files: list[str], branch: str
) -> str:
    from pipegen.targets.templates import render

    return render(
        "starter",
        "pipegen.yaml.j2",
        {"yaml": _scalar},
        name=name,
        repository=repository,
        targets=targets,
        files=files,
        branch=branch,
    )


def _scalar(text: str) -> str:
    """Text as one YAML scalar, quoted where it must be."""
    from pipegen.description.dumper import dump

    return dump([text]).removeprefix("- ").rstrip("\n")


def _starter(directory: Path) -> dict[str, str]:
    from pipegen.targets.templates import render

    texts = {path: render("starter", template, {}) for path, template in STARTER.items()}
    if (directory / ".gitignore").exists():
        del texts[".gitignore"]  # what a repository ignores is its own affair
    return texts


def _write_all(directory: Path, texts: Mapping[str, str]) -> None:
    """Write every file or none. Raises OverwriteRefused if one is there, FileError if one can't be written."""
    there = [str(directory / path) for path in texts if os.path.lexists(directory / path)]
    if there:
        message = (
            "already there, and init overwrites nothing: change it by hand, or name an empty folder with -C"
        )
        raise OverwriteRefused(f"{', '.join(there)}: {message}")
    written: list[Path] = []
    try:
        for path, text in texts.items():
            with open(directory / path, "x", encoding="utf-8", newline="\n") as file:
                written.append(directory / path)
                file.write(text)
    except OSError as error:
        for done in written:
            done.unlink(missing_ok=True)
        raise os_error(error, "write", error.filename or directory) from None


def _install_merge_driver(directory: Path) -> None:
    """Where there is git, let it merge `dvc.lock` so that DVC can read the result."""
    from pipegen.dvc.merge_lock import install
    from pipegen.errors import PipegenError

    if _git_folder(directory) is None:
        return
    try:
        added = install(directory)
    except PipegenError as error:
        click.echo(f"git's own merge of dvc.lock was left as it is: {error.message}", err=True)
        return
    says = "added a line to" if added else "found the line in"
    click.echo(
        f"{says} {directory / '.gitattributes'}, to be committed: git merges dvc.lock stage by stage here"
    )


def _git_folder(directory: Path) -> Path | None:
    here = directory.resolve()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)


def _next_steps(directory: Path) -> Iterator[str]:
    here = directory.resolve()
    folders = (here, *here.parents)
    if directory != Path():
        yield f"cd {directory}"
    git = _git_folder(directory)
    if git is None:
        yield "git init -b main    # DVC and CI servers need a git repository"
    if not any((folder / ".dvc").is_dir() for folder in folders):
        command = "dvc init" if git in (None, here) else "dvc init --subdir"
        yield f"{command:19} # data and results are kept by DVC"
    yield "pipegen run         # the whole pipeline on this machine"
    yield "pipegen generate    # the files for the CI servers; commit them"
