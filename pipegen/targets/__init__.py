"""One module per CI format. A target turns a description into files and finds them a server's words.

Targets are found through the entry points `pipegen.targets`; pipegen's own are registered that way too, and
`docs/targets.md` shows how to write another.
"""

from __future__ import annotations

import importlib
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pipegen.description.model import Pipeline, Workflow
from pipegen.description.reading import Reader, nearest
from pipegen.description.stages import ResolvedStage
from pipegen.description.text import Name
from pipegen.errors import PlanError, Problem
from pipegen.installed import entry_points
from pipegen.plan.layouts import Timing

if TYPE_CHECKING:
    from pipegen.plan.deployment import Deployment
    from pipegen.plan.graph import Graph
    from pipegen.plan.model import Job, Plan

T = TypeVar("T")

ENTRY_POINTS = "pipegen.targets"
MARK = "pipegen-digest:"
"""Stands in a comment of each generated file, before the digest of the rest."""


@dataclass(frozen=True)
class Request:
    """What a target is given."""

    pipeline: Pipeline
    stages: Mapping[str, ResolvedStage]
    folder: str
    """The description's folder relative to the repository's root; `.` for the root itself."""
    dvc_data: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    """What `dvc.yaml` holds, where that is known already; see `description.stages.dvc_data`."""
    _plans: dict[tuple[str, bool], Plan] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def graph(self) -> Graph:
        """What each stage needs. Raises DescriptionError with the circle drawn if there is one."""
        from pipegen.plan.needs import stage_graph

        return stage_graph(self.stages)

    def plan(self, workflow: str, *, chains: bool = True) -> Plan:
        """The plan of one workflow, with chains sharing an agent or not; made once for all targets."""
        from pipegen.plan.build import build

        if (workflow, chains) not in self._plans:
            self._plans[workflow, chains] = build(
                self.pipeline,
                self.stages,
                workflow,
                folder=self.folder,
                chains=chains,
                graph=self.graph,
            )
        return self._plans[workflow, chains]

    def workflows(self, target: str) -> dict[str, Workflow]:
        """The workflows that are generated for a target."""
        return {n: w for n, w in self.pipeline.workflows.items() if w.servers is None or target in w.servers}


@dataclass(frozen=True)
class GeneratedFile:
    """A file to write."""

    path: str
    """Relative to the description's folder."""
    text: str
    workflows: tuple[str, ...] = ()
    """The workflows that it carries; none where it carries all of them."""


@dataclass(frozen=True)
class Generated:
    """What a target made: files, and warnings about what the format can't say."""

    files: tuple[GeneratedFile, ...]
    warnings: tuple[Problem, ...] = ()


class Target(ABC):
    """One CI format. Its `words` are the dataclasses of the words that it owns in a description."""

    name: ClassVar[str]
    layouts: ClassVar[Mapping[str, Timing]] = {}
    """The layouts it knows, the default first, and how the server works through each: `plan` says what they cost."""
    words: ClassVar[Mapping[str, type[Any]]] = {}
    """For `targets`, `agents`, `secrets` and `people`: the class that reads this target's part of an entry."""

    @abstractmethod
    def files(self, request: Request) -> Generated:
        """The files to commit.

        Raises:
            PlanError: what this format can't express, every problem at once.
        """

    def definitions(self, request: Request) -> Generated:
        """What the server's API takes: job definitions, pipeline configurations. Not committed; `deploy` sends them."""
        return Generated(())

    def deployment(self, request: Request) -> Deployment:
        """What the server of this target's name is to have, and what it needs there; `deploy` hands it over.

        Raises:
            PlanError: as `definitions` does.
        """
        from pipegen.plan.deployment import Definition, Deployment, Details

        made = [*self.definitions(request).files]
        return Deployment(
            pipeline=request.pipeline.name,
            origin=f"{request.pipeline.repository or ''}#{request.folder}",
            definitions=tuple(
                Definition(name=file.path.split(".")[0], text=file.text, workflows=file.workflows)
                for file in made
            ),
            details=lambda: Details(files={file.path: file.text for file in self.files(request).files}),
        )

    def job_name(self, job: Job) -> str:
        """What the server calls a job of the plan."""
        return job.name

    def check(self, pipeline: Pipeline) -> list[Problem]:
        """Mistakes in this target's words, each with its place."""
        reader = Reader(pipeline.source)
        for section, cls in self.words.items():
            for path, value in self._parts(pipeline, section):
                reader.read(cls, value, path)
        return reader.problems

    def options(self, pipeline: Pipeline, section: str, name: str, cls: type[T]) -> T | None:
        """This target's part of one entry (`agents`, `linux`) as an instance of `cls`; None where it has none."""
        for path, value in self._parts(pipeline, section):
            if section == "targets" or path[1] == name:
                reader = Reader(pipeline.source)
                found = reader.read(cls, value, path)
                if reader.problems:
                    raise PlanError(reader.problems)
                return found  # type: ignore[no-any-return]
        return None

    def _parts(self, pipeline: Pipeline, section: str) -> list[tuple[tuple[str, ...], Any]]:
        if section == "targets":
            value = pipeline.targets.get(Name(self.name))
            return [] if value is None else [(("targets", self.name), value)]
        entries = getattr(pipeline, section)
        return [
            ((section, n, self.name), e.servers[self.name])
            for n, e in entries.items()
            if self.name in e.servers
        ]


@cache
def _registered() -> Mapping[str, str]:
    return entry_points(ENTRY_POINTS)


def target_names() -> tuple[str, ...]:
    """The targets that are installed, pipegen's own first."""
    own = ("jenkins", "gocd", "dvc")
    return (*(n for n in own if n in _registered()), *sorted(n for n in _registered() if n not in own))


@cache
def load_target(name: str) -> Target:
    """The target of that name. Raises PlanError with the nearest name, or if it can't be imported."""
    where = _registered().get(name)
    if where is None:
        raise PlanError(f"there is no target {name!r}; {nearest(name, target_names())}")
    module, _, attribute = where.partition(":")
    try:
        target = getattr(importlib.import_module(module), attribute)()
    except Exception as error:  # whatever somebody else's module raises on import
        raise PlanError(
            f"the target {name!r} ({where}) can't be loaded: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(target, Target):
        raise PlanError(f"the target {name!r} ({where}) is no pipegen.targets.Target")
    return target


class Marker:
    """The comment that says who wrote a file, and the digest that tells whether somebody edited it since."""

    _LINE = re.compile(rf"^.*{re.escape(MARK)} ?(?P<digest>[0-9a-f]{{16}}).*\n?", re.MULTILINE)

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _found(self) -> re.Match[str] | None:
        return self._LINE.search(self._text[:4000])

    @property
    def present(self) -> bool:
        """Whether pipegen wrote this text."""
        return self._found is not None

    @property
    def intact(self) -> bool:
        """Whether it is as pipegen wrote it."""
        found = self._found
        return found is not None and found["digest"] == self._digest(
            self._text[: found.start()] + self._text[found.end() :]
        )

    @staticmethod
    def _digest(text: str) -> str:
        import hashlib

        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def header(cls, body: str, comment: str, note: str = "pipegen.yaml") -> str:
        """`body` under two lines of comment.

        Args:
            body: the rest of the file.
            comment: a pattern of one comment line, such as `// {}`.
            note: what it was made from.
        """
        says = (
            comment.format(f"Written by pipegen from {note}: change that, then run `pipegen generate`.")
            + "\n"
        )
        return says + comment.format(f"{MARK} {cls._digest(says + body)}") + "\n" + body
