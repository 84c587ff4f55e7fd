"""Jenkins: folders, multibranch and plain jobs, their builds and logs, over its REST API.

Everything sent and expected here was recorded from a real controller (Jenkins 2.579), or is in its manuals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pipegen.errors import NotOnServer, ServerError
from pipegen.plan.deployment import Deployment
from pipegen.servers import Server
from pipegen.servers.connection import Connection
from pipegen.servers.model import About, Change, Finding, LogChunk, Place, Question, Run, RunRef

if TYPE_CHECKING:
    from pipegen.servers.jenkins.builds import Builds
    from pipegen.servers.jenkins.checks import Checks
    from pipegen.servers.jenkins.deploying import Deploying
    from pipegen.servers.jenkins.logs import Logs
    from pipegen.servers.jenkins.rest import Rest
    from pipegen.servers.jenkins.steering import Steering


class Jenkins(Server):
    """One Jenkins controller."""

    name = "jenkins"
    title = "Jenkins"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)

    @cached_property
    def _rest(self) -> Rest:
        from pipegen.servers.jenkins.rest import Rest

        return Rest(self.connection)

    def about(self) -> About:
        """Its version, and who we are there."""
        try:
            answer = self._rest.send("GET", "/api/json?tree=mode,nodeDescription,quietingDown,useCrumbs")
        except NotOnServer:
            raise NotOnServer(
                f"there is no Jenkins at {self.connection.url}: "
                "does its address have a path, as in https://ci.example.com/jenkins?"
            ) from None
        root = self._rest.http.decoded(answer)
        version = answer.headers.get("X-Jenkins", "")
        if not version:
            raise ServerError(f"what answers at {self.connection.url} is no Jenkins: check the address")
        who = self._rest.get("/whoAmI/api/json")
        return About(
            version=version,
            user=who.get("name") or "anonymous",
            closed="it is about to shut down and starts no builds" if root.get("quietingDown") else "",
        )

    # ------------------------------------------------------------------------------------------ deploying

    @cached_property
    def _checks(self) -> Checks:
        from pipegen.servers.jenkins.checks import Checks

        return Checks(self._rest)

    @cached_property
    def _deploying(self) -> Deploying:
        from pipegen.servers.jenkins.deploying import Deploying

        return Deploying(self._rest)

    def check(self, deployment: Deployment) -> Sequence[Finding]:
        """Plugins, labels and credentials, and what Jenkins' linter says of declarative files."""
        return list(self._checks.findings(deployment))

    def compare(self, deployment: Deployment, *, prune: bool = False) -> Sequence[Change]:
        """One request for each job that is there."""
        return list(self._deploying.compare(deployment, prune=prune))

    def apply(self, change: Change, *, force: bool = False) -> None:
        """Make, change or delete one job or folder."""
        self._deploying.apply(change, force=force)

    # ------------------------------------------------------------------------------------------ running

    @cached_property
    def _builds(self) -> Builds:
        from pipegen.servers.jenkins.builds import Builds

        return Builds(self._rest)

    @cached_property
    def _logs(self) -> Logs:
        from pipegen.servers.jenkins.logs import Logs

        return Logs(self._builds)

    @cached_property
    def _steering(self) -> Steering:
        from pipegen.servers.jenkins.steering import Steering

        return Steering(self._builds)

    def trigger(self, place: Place, inputs: Mapping[str, str]) -> RunRef:
        """Start a build; for a branch that Jenkins has not seen yet, have it look for it."""
        return self._builds.trigger(place, inputs)

    def run(self, ref: RunRef) -> Run:
        """A build with its stages, or the queue item that becomes one."""
        return self._builds.run(ref)

    def runs(self, place: Place, most: int) -> Sequence[Run]:
        """What waits in the queue, then the last builds."""
        return self._builds.runs(place, most)

    def logs(self, run: Run) -> Sequence[str]:
        """A build has one log for all its stages."""
        return [""] if run.ref.number is not None else []

    def log(self, ref: RunRef, name: str, position: str = "") -> LogChunk:
        """The next piece of a build's log, or of one stage's."""
        return self._logs.log(ref, name, position)

    # ------------------------------------------------------------------------------------------ steering

    def approve(self, ref: RunRef, question: Question, *, accept: bool = True) -> None:
        """Answer an `input`."""
        self._steering.answer(ref, question, accept=accept)

    def cancel(self, ref: RunRef) -> None:
        """Stop a build, or take it out of the queue."""
        self._steering.cancel(ref)

    def resume(self, run: Run) -> RunRef:
        """Restart from the stage that failed, or a new build with the same inputs."""
        return self._steering.resume(run)
