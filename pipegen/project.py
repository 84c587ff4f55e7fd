"""A description in a working folder, and all that can be done with it.

The command line and the library are thin over this.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipegen.description.load import FILE_NAME, checked, examine, read_text
from pipegen.errors import CheckFailed, DescriptionError, PlanError, Problem

if TYPE_CHECKING:
    from pipegen.description.model import Pipeline
    from pipegen.description.stages import ResolvedStage
    from pipegen.plan.deployment import Deployment
    from pipegen.plan.graph import Graph
    from pipegen.plan.model import Plan
    from pipegen.runner.tasks import Extra
    from pipegen.targets import GeneratedFile, Request, Target
    from pipegen.targets.output import Change

STALE = ("Jenkinsfile", "ci/Jenkinsfile.*", "*.gocd.yaml")
"""Where a file with our mark that the description no longer asks for is removed."""


@dataclass(frozen=True)
class Generation:
    """What `generate` would write, and what it has to say about it."""

    changes: tuple[Change, ...]
    warnings: tuple[Problem, ...]

    @property
    def pending(self) -> list[Change]:
        """The files that differ from the disk."""
        return [change for change in self.changes if change.state != "unchanged"]

    def write(self, *, force: bool = False) -> list[Change]:
        """Write all of them or none; see `targets.output.write`."""
        from pipegen.targets.output import write

        return write(self.changes, force=force)

    def check(self) -> None:
        """Raise CheckFailed, with the difference, if a file on disk is not what the description says."""
        if self.pending:
            names = ", ".join(change.shown for change in self.pending)
            diff = "".join(change.diff() for change in self.pending)
            raise CheckFailed(f"{diff}\nout of date: {names}; run `pipegen generate`")


class Project:
    """A description and its folder. Everything is read when it is first asked for, and once.

    Args:
        pipeline: the description.
        folder: the folder it lies in.

    Raises:
        DescriptionError: the description was built in Python, and its grammar is wrong.
    """

    def __init__(self, pipeline: Pipeline, folder: str | os.PathLike[str] = ".") -> None:
        self.pipeline = checked(pipeline)
        self.folder = Path(folder)

    @classmethod
    def open(cls, path: str | os.PathLike[str] = ".") -> Project:
        """The project of a description, or of the folder that has a `pipegen.yaml`.

        Raises:
            FileError: there is none, or it can't be read.
            DescriptionError: every mistake of its grammar, and where that has one, all others that can be told.
        """
        path = Path(path)
        file = path / FILE_NAME if path.is_dir() else path
        examined = examine(read_text(file), str(file))
        if examined.pipeline is None:
            raise DescriptionError(examined.problems)
        project = cls(examined.pipeline, file.parent)
        if examined.problems:
            raise DescriptionError([*examined.problems, *project.problems()])
        return project

    @cached_property
    def repository_root(self) -> Path:
        """The git repository's top folder, or the description's own folder where there is no repository."""
        here = self._home
        above = (parent for parent in (here, *here.parents) if os.path.exists(os.path.join(parent, ".git")))
        return next(above, here)

    @property
    def place(self) -> str:
        """The description's folder relative to the repository's root, with `/`; `.` for the root itself."""
        return self._home.relative_to(self.repository_root).as_posix()

    @cached_property
    def _home(self) -> Path:
        return self.folder.resolve()

    @cached_property
    def stages(self) -> dict[str, ResolvedStage]:
        """All stages by address, expanded. Raises DescriptionError where DVC would refuse them."""
        from pipegen.description.stages import resolve

        return resolve(self.pipeline, self.folder, self._dvc_data)

    @cached_property
    def _dvc_data(self) -> Mapping[str, Any] | None:
        """What `dvc.yaml` holds; None where the stages come from files."""
        from pipegen.description.stages import dvc_data

        return dvc_data(self.pipeline) if isinstance(self.pipeline.stages, dict) else None

    @cached_property
    def graph(self) -> Graph:
        """The stages and what each needs. Raises DescriptionError with the circle drawn if there is one."""
        return self._request.graph

    def plan(self, workflow: str, *, chains: bool = True) -> Plan:
        """The CI jobs of one workflow. Raises PlanError if it can't be planned."""
        return self._request.plan(workflow, chains=chains)

    @cached_property
    def _request(self) -> Request:
        from pipegen.targets import Request

        return Request(self.pipeline, self.stages, self.place, self._dvc_data)

    def problems(self, *, agents: bool = True) -> list[Problem]:
        """Every mistake of the description: names, rules, cycles, and the words of its targets.

        Args:
            agents: also what the agents of its servers can't do, though this machine can.
        """
        from pipegen.description.agent_checks import on_agents
        from pipegen.description.checks import check

        problems: list[Problem] = []
        try:
            problems += check(self.pipeline, self.stages, self.folder)
            if agents:
                problems += on_agents(self.pipeline, self.stages, self.folder)
            if not problems:
                _ = self.graph
        except DescriptionError as error:
            problems += error.problems
        for name in self.pipeline.targets:
            try:
                problems += self._target(name).check(self.pipeline)
            except PlanError as error:
                problems += error.problems
        return list(dict.fromkeys(problems))

    def warnings(self) -> list[Problem]:
        """What the lints say; each can be switched off by its code."""
        from pipegen.description.lints import lint

        return lint(self.pipeline, self.stages, self.folder)

    def validate(self, *, agents: bool = True) -> None:
        """Raise DescriptionError with every mistake, if there is one; see `problems`."""
        problems = self.problems(agents=agents)
        if problems:
            raise DescriptionError(problems)

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets it is generated for: those it names, and `dvc`."""
        return (*self.pipeline.targets, *(["dvc"] if "dvc" not in self.pipeline.targets else []))

    def _target(self, name: str) -> Target:
        from pipegen.targets import load_target

        try:
            return load_target(name)
        except PlanError as error:
            raise PlanError(
                [self.pipeline.source.problem(("targets", name), error.message, key=True)]
            ) from None

    def generate(
        self, targets: Sequence[str] | None = None, workflows: Sequence[str] | None = None
    ) -> Generation:
        """What the files would be; nothing is written yet.

        Args:
            targets: only these; None for all of the description's, and `dvc.yaml`.
            workflows: only files that carry one of these; None for all.

        Raises:
            DescriptionError: the description is wrong, or a format can't express it; every problem at once.
        """
        from pipegen.targets.output import compare

        self.validate(agents=list(targets or self.targets) != ["dvc"])
        files, warnings = self._made(targets or self.targets, definitions=False)
        if workflows is not None:
            self._refuse_unknown(workflows)
            files = [f for f in files if not f.workflows or set(f.workflows) & set(workflows)]
        stale = STALE if targets is None and workflows is None else ()
        return Generation(tuple(compare(self.folder, files, stale=stale)), tuple(warnings))

    def definitions(self, targets: Sequence[str] | None = None) -> list[GeneratedFile]:
        """What the servers' APIs take: job definitions and pipeline configurations, which `deploy` sends."""
        self.validate()
        return self._made(targets or self.targets, definitions=True)[0]

    def deployment(self, target: str) -> Deployment:
        """What the server of a target's name is to have, and what it needs there.

        Raises:
            DescriptionError: the description is wrong, or the format can't express it.
        """
        self.validate()
        return self._target(target).deployment(self._request)

    def refresh_dvc(self) -> bool:
        """Bring `dvc.yaml` up to the description before it runs; says whether it changed.

        Raises:
            OverwriteRefused: somebody edited it, or wrote it by hand.
        """
        return bool(self.generate(["dvc"]).write())

    def extras(self) -> dict[str, Extra]:
        """What the description says of each stage beyond `dvc.yaml`, for a run on this machine."""
        from pipegen.description.model import env_text
        from pipegen.runner.tasks import Extra

        return {
            address: Extra(
                after=tuple(stage.ci.after),
                mutexes=tuple(stage.ci.mutex),
                env=env_text({**self.pipeline.env, **stage.ci.env}),
            )
            for address, stage in self.stages.items()
        }

    def _made(
        self, targets: Iterable[str], *, definitions: bool
    ) -> tuple[list[GeneratedFile], list[Problem]]:
        files: list[GeneratedFile] = []
        problems: list[Problem] = []
        warnings: list[Problem] = []
        for name in targets:
            target = self._target(name)
            try:
                made = target.definitions(self._request) if definitions else target.files(self._request)
            except DescriptionError as error:
                problems += error.problems
                continue
            files += made.files
            warnings += made.warnings
        if problems:
            raise PlanError(problems)
        return files, warnings

    def _refuse_unknown(self, workflows: Iterable[str]) -> None:
        from pipegen.plan.build import workflow_of

        for name in workflows:
            workflow_of(self.pipeline, name)


def find_descriptions(folder: str | os.PathLike[str]) -> list[Path]:
    """Every `pipegen.yaml` below a folder, for a monorepo; hidden folders and virtual environments are passed over."""
    found = []
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(
            f
            for f in folders
            if not f.startswith(".")
            and f not in ("node_modules", "__pycache__")
            and not os.path.exists(os.path.join(here, f, "pyvenv.cfg"))
        )
        if FILE_NAME in files:
            found.append(Path(here) / FILE_NAME)
    return found
