"""What a target hands to the server of its name: definitions, the files they run, and what both need there.

Plain values. A target makes them, a server's client takes them, and neither knows the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property

from pipegen.errors import PlanError


@dataclass(frozen=True, kw_only=True)
class Need:
    """Something that must be on the server before a run can succeed."""

    kind: str
    """A word on which a target and its server agree. Jenkins: `plugin`, `label`, `credentials`. GoCD: `resource`,
    `elastic_profile`, `secret_config`, `environment`, `one_agent` (a resource that exactly one agent may hold)."""
    name: str
    detail: str = ""
    """What else must be so: a plugin's least version, the type of credentials, the keys of a secret config."""
    by: tuple[str, ...] = ()
    """The jobs that need it, for messages."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One thing that a server is to have: a job, a pipeline."""

    name: str
    """What the server calls it, without its folder or group."""
    text: str
    """As the server's API takes it: `config.xml`, a pipeline's JSON."""
    workflows: tuple[str, ...]
    """The workflows that it runs."""
    script: str | None = None
    """The generated file that it runs, a key of `Details.files`; None where the definition is all there is."""
    branches: tuple[str, ...] = ()
    """Patterns of branches, where the server keeps one job for each branch; none where it runs on one branch."""
    inputs: tuple[str, ...] = ()
    """The names of what a person may give at the start."""
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each thing that the server shows in a run of it (Jenkins: a stage; GoCD: `stage/job`), the steps of the plan
    that it does, by their names: a stage's address, or `gates`, `report` …"""


@dataclass(frozen=True, kw_only=True)
class Details:
    """What is looked at only where something changes."""

    files: Mapping[str, str] = field(default_factory=dict)
    """The generated files, by their path beside the description: for linters and preflight checks."""
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """All that one description asks of one server."""

    pipeline: str
    """The description's name."""
    origin: str
    """Which description it is, wherever it is deployed from: `REPOSITORY#FOLDER`. Tells ours from another's."""
    folder: str = ""
    """Jenkins: the folder of the jobs, `a/b`; GoCD: the group."""
    definitions: tuple[Definition, ...] = ()
    """In the order in which they must be made: GoCD's upstream pipelines first."""
    details: Callable[[], Details] = field(default=Details, repr=False, compare=False)
    """Makes `files` and `needs`, which take longer than all the rest; called once at most. May raise PlanError."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What else the target knows and the server asks for, such as GoCD's `material` or Jenkins' `layout`."""

    @property
    def files(self) -> Mapping[str, str]:
        """`Details.files`."""
        return self._details.files

    @property
    def needs(self) -> tuple[Need, ...]:
        """`Details.needs`."""
        return self._details.needs

    @cached_property
    def _details(self) -> Details:
        return self.details()

    def of(self, workflow: str | None) -> tuple[Definition, ...]:
        """The definitions that run a workflow, in order; None means the only workflow there is.

        Raises:
            PlanError: there is no such workflow here, or none was named and there are several.
        """
        known = list(dict.fromkeys(name for d in self.definitions for name in d.workflows))
        if workflow is None and len(known) == 1:
            workflow = known[0]
        if workflow is None:
            raise PlanError(f"which workflow? There are {', '.join(known) or 'none on this server'}")
        if workflow not in known:
            raise PlanError(
                f"there is no workflow {workflow!r} on this server; it has {', '.join(known) or 'none'}"
            )
        return tuple(d for d in self.definitions if workflow in d.workflows)


def takes(definition: Definition, branch: str) -> bool:
    """Whether a definition with one job for each branch has one for this branch."""
    return any(fnmatchcase(branch, pattern) for pattern in definition.branches)
