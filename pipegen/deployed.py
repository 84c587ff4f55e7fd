"""A project on a CI server: what of it is there, its runs, and all that can be done with them.

Composes the targets, which say what there should be, and the servers, which bring it there. The commands are thin over
this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pipegen.errors import NotOnServer, PlanError, ServerError
from pipegen.project import Project
from pipegen.servers import Server, load_server, server_names
from pipegen.servers.connection import silent
from pipegen.servers.model import Place, Run, RunRef
from pipegen.servers.settings import Settings, choose, settings

if TYPE_CHECKING:
    from pipegen.plan.deployment import Deployment
    from pipegen.plan.model import Plan
    from pipegen.servers.following import Follower


def settings_of(project: Project) -> Settings:
    """What is known of servers for a project. Raises ServerError where a `pipegen.toml` is wrong."""
    return settings(project.folder, project.repository_root, server_names())


def connect(known: Settings, name: str, say: Callable[[str], None] = silent) -> Server:
    """The client for a server. Nothing is sent yet. Raises ServerError where it isn't configured.

    Args:
        known: what files and environment say.
        name: the server.
        say: told why something takes longer.
    """
    if name not in server_names():
        raise ServerError(f"there is no server {name!r}; there are {', '.join(server_names())}")
    return load_server(known.connection(name, say))


class Deployed:
    """A project on one server.

    Args:
        project: the description and its folder.
        server: the client.
    """

    def __init__(self, project: Project, server: Server) -> None:
        self.project, self.server = project, server

    @classmethod
    def of(cls, project: Project, name: str | None = None, say: Callable[[str], None] = silent) -> Deployed:
        """On the server of that name, or on the only one that is configured.

        Raises:
            ServerError: none is configured, or several and none was named.
        """
        known = settings_of(project)
        used = tuple(target for target in project.pipeline.targets if target in server_names())
        return cls(project, connect(known, choose(known.names, used, name), say))

    @cached_property
    def deployment(self) -> Deployment:
        """What the server is to have.

        Raises:
            DescriptionError: the description is wrong, or not for this server.
        """
        name = self.server.name
        if name not in self.project.targets:
            used = ", ".join(target for target in self.project.targets if target != "dvc")
            raise PlanError(
                f"the description is generated for {used or 'no server'}; name {name} under `targets`"
            )
        return self.project.deployment(name)

    @property
    def workflows(self) -> tuple[str, ...]:
        """The workflows that run on this server."""
        return tuple(dict.fromkeys(w for d in self.deployment.definitions for w in d.workflows))

    # ------------------------------------------------------------------------------------------ places

    def place(self, workflow: str | None = None, branch: str | None = None) -> Place:
        """Where a workflow runs.

        Args:
            workflow: its name; None where there is only one.
            branch: for a workflow with one job for each branch; None for its first branch.

        Raises:
            PlanError: there is no such workflow, none was named, or it has no such branch.
        """
        definitions = self.deployment.of(workflow)
        name = workflow or next(iter(definitions[0].workflows))
        if definitions[0].branches or self._is_for_pull_requests(name):
            branch = branch or self._first_branch(name)
        elif branch is not None:
            raise PlanError(
                f"workflow {name!r} runs on one branch on {self.server.title}, the one in its description; "
                "--branch is for workflows on push"
            )
        return Place(definitions=definitions, workflow=name, folder=self.deployment.folder, branch=branch)

    def _is_for_pull_requests(self, workflow: str) -> bool:
        return self.server.name == "jenkins" and self.plan(workflow).triggers[workflow].kind == "pull_request"

    def _first_branch(self, workflow: str) -> str:
        """The first branch that is no pattern."""
        patterns = self.plan(workflow).triggers[workflow].branches
        plain = [branch for branch in patterns if not any(sign in branch for sign in "*?[")]
        if not plain:
            what = f"those like {', '.join(patterns)}" if patterns else "pull requests, as PR-12"
            raise PlanError(f"which branch? workflow {workflow!r} runs on {what}: say --branch")
        return plain[0]

    def plan(self, workflow: str) -> Plan:
        """The plan of a workflow."""
        return self.project.plan(workflow)

    # ------------------------------------------------------------------------------------------ runs

    def trigger(self, place: Place, inputs: Mapping[str, str]) -> RunRef:
        """Start a run.

        Raises:
            PlanError: the workflow has no such input, or the input no such choice.
            ServerError: the server refuses.
        """
        self._check_inputs(place.workflow, inputs)
        return self.server.trigger(place, inputs)

    def _check_inputs(self, workflow: str, inputs: Mapping[str, str]) -> None:
        from pipegen.description.reading import nearest

        known = {given.name: given for given in self.plan(workflow).inputs}
        for name, value in inputs.items():
            if name not in known:
                hint = nearest(name, known) or "it has none"
                raise PlanError(f"workflow {workflow!r} has no input {name!r}; {hint}")
            choices = known[name].choices
            if choices and value not in choices:
                raise PlanError(f"{value!r} is no choice for the input {name!r}; {nearest(value, choices)}")

    def follow(self, ref: RunRef) -> Follower:
        """Looks at a run until it is over."""
        from pipegen.servers.following import Follower

        return Follower(self.server, ref, self.plan(ref.place.workflow))

    def log_names(self, run: Run, stage: str | None) -> Sequence[str]:
        """The logs to read for a stage of the plan, or for a thing that the server shows; all of them for None."""
        if stage is None:
            return self.server.logs(run)
        shown = [part.name for part in run.parts]
        mapped = [
            name for d in run.ref.place.definitions for name, steps in d.parts.items() if stage in steps
        ]
        found = [name for name in shown if name in mapped] or [name for name in shown if name == stage]
        if not found:
            known = ", ".join(dict.fromkeys(shown)) or "none yet"
            raise NotOnServer(f"there is no stage {stage!r} in {run.label or 'this run'}; it has {known}")
        return found

    def history(self, workflow: str | None, branch: str | None, most: int) -> list[tuple[str, Run]]:
        """The last runs of a workflow, or of each, by workflow and newest first."""
        found: list[tuple[str, Run]] = []
        for name in [workflow] if workflow else self.workflows:
            try:
                runs = self.server.runs(self.place(name, branch if workflow else None), most)
            except (NotOnServer, PlanError):
                if workflow:
                    raise
                continue
            found += [(name, run) for run in runs]
        return found

    def last_runs(self) -> Sequence[tuple[str, Run | None]]:
        """The newest run of each workflow, None where it never ran or is not deployed."""
        found: list[tuple[str, Run | None]] = []
        for workflow in self.workflows:
            try:
                runs = self.server.runs(self.place(workflow), 1)
            except (NotOnServer, PlanError):
                runs = ()
            found.append((workflow, next(iter(runs), None)))
        return found
