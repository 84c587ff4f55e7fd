"""`pipegen generate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipegen.cli.options import description_argument, json_option
from pipegen.cli.output import coloured_diff, print_json, print_warnings, styled
from pipegen.cli.side_by_side import side_by_side
from pipegen.errors import CheckFailed, FileError, PipegenError

if TYPE_CHECKING:
    from pipegen.project import Generation, Project
    from pipegen.targets.output import Change

_SAYS = {"new": "wrote", "changed": "wrote", "stale": "removed", "unchanged": "kept"}


@click.command()
@description_argument
@click.option(
    "-t",
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    help="Only this target: jenkins, gocd, dvc or another that is installed. May be repeated.",
)
@click.option(
    "-w",
    "--workflow",
    "workflows",
    multiple=True,
    metavar="NAME",
    help="Only files that carry this workflow. May be repeated.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 with the difference if a file is out of date."
)
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--stdout", is_flag=True, help="Write nothing; print the files.")
@click.option(
    "--definitions",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write what the servers' APIs take (config.xml, pipeline JSON) into DIR instead.",
)
@click.option("--all", "everything", is_flag=True, help="For every pipegen.yaml below PATH: a monorepo.")
@click.option(
    "-f",
    "--force",
    is_flag=True,
    help="Overwrite files that pipegen did not write or that were edited since.",
)
@json_option
def generate(
    path: Path,
    targets: Sequence[str],
    workflows: Sequence[str],
    check: bool,
    diff: bool,
    stdout: bool,
    definitions: Path | None,
    everything: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write the Jenkinsfiles, GoCD configuration and dvc.yaml of a description.

    PATH is a description or the folder that has a pipegen.yaml; this folder by default. The same description
    always gives the same bytes. A file that pipegen did not write, or that was edited since, is never
    overwritten unasked, and either all files are written or none.
    """
    from pipegen.project import find_descriptions

    paths = find_descriptions(path) if everything else [path]
    if not paths:
        raise FileError(f"there is no pipegen.yaml below {path}")
    run = _Run(
        targets or None,
        workflows or None,
        definitions,
        "check" if check else "diff" if diff else "stdout" if stdout else "write",
        force,
        as_json,
    )
    records = list(side_by_side(run.one_of_many, paths)) if everything else [run.one(path)]
    if as_json:
        print_json(records)
    failures = [record for record in records if "error" in record]
    if failures:
        raise PipegenError(f"{len(failures)} of {len(paths)} descriptions failed")


class _Run:
    """One call of the command, over one description or many."""

    def __init__(
        self,
        targets: Sequence[str] | None,
        workflows: Sequence[str] | None,
        definitions: Path | None,
        mode: str,
        force: bool,
        as_json: bool,
    ) -> None:
        self.targets, self.workflows, self.definitions = targets, workflows, definitions
        self.mode, self.force, self.as_json = mode, force, as_json

    def one_of_many(self, path: Path) -> dict[str, Any]:
        """Generate for one description; a failure is said, and left to the caller in the record."""
        try:
            return self.one(path)
        except PipegenError as error:
            click.echo(f"{styled('error:', 'red', err=True)} {path}: {error.message}", err=True)
            return {"description": str(path), "error": error.message}

    def one(self, path: Path) -> dict[str, Any]:
        """Generate for one description, and say what became of each file; the same as data."""
        from pipegen.project import Project

        project = Project.open(path)
        files = [{"path": str(change.path), "state": change.state} for change in self._generate(project)]
        return {"description": str(project.folder), "files": files}

    def _generate(self, project: Project) -> Sequence[Change]:
        if self.definitions is not None:
            return self._definitions(project, self.definitions)
        generation = project.generate(self.targets, self.workflows)
        print_warnings(generation.warnings)
        match self.mode:
            case "check":
                self._check(generation)
            case "diff":
                click.echo(coloured_diff("".join(change.diff() for change in generation.changes)), nl=False)
            case "stdout":
                self._print(generation)
            case _:
                generation.write(force=self.force)
                self._say(generation.changes)
        return generation.changes

    def _check(self, generation: Generation) -> None:
        try:
            generation.check()
        except CheckFailed as error:
            raise CheckFailed(coloured_diff(error.message)) from None
        if not self.as_json:
            click.echo(f"{len(generation.changes)} files are up to date")

    def _print(self, generation: Generation) -> None:
        files = [change for change in generation.changes if change.new is not None]
        for change in files:
            if len(files) > 1:
                click.echo(styled(f"==> {change.shown} <==", "cyan"))
            click.echo(change.new, nl=False)

    def _definitions(self, project: Project, folder: Path) -> Sequence[Change]:
        from pipegen.targets.output import compare, write

        folder.mkdir(parents=True, exist_ok=True)
        changes = compare(folder, project.definitions(self.targets))
        write(changes, force=True)
        self._say(changes)
        return changes

    def _say(self, changes: Sequence[Change]) -> None:
        if self.as_json:
            return
        for change in changes:
            word = _SAYS[change.state]
            click.echo(
                f"{styled(f'{word:>8}', 'green' if word == 'wrote' else 'bright_black')}  {change.path}"
            )
