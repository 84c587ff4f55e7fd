"""GoCD, through its JSON API. Every call and answer is one that a real server was seen to take and give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipegen.errors import AccessRefused
from pipegen.plan.deployment import Deployment
from pipegen.servers import Server
from pipegen.servers.connection import Connection
from pipegen.servers.model import About, Change, Finding, LogChunk, Place, Question, Run, RunRef

if TYPE_CHECKING:
    from pipegen.servers.gocd.form import JSON


class GoCD(Server):
    """GoCD 23.1 and later."""

    name = "gocd"
    title = "GoCD"

    def __init__(self, connection: Connection) -> None:
        from pipegen.servers.gocd.api import Api
        from pipegen.servers.gocd.known import Known
        from pipegen.servers.gocd.logs import Logs
        from pipegen.servers.gocd.pipelines import ByApi
        from pipegen.servers.gocd.repository import ByRepository
        from pipegen.servers.gocd.runs import Runs
        from pipegen.servers.gocd.steering import Steering

        super().__init__(connection)
        self._api = Api(connection)
        self._known = Known(self._api)
        self._runs = Runs(self._api, self._known)
        self._logs = Logs(self._api, self._runs)
        self._steering = Steering(self._api, self._runs, self._known.user)
        self._pipelines = ByApi(self._api, self._known)
        self._repository = ByRepository(self._api, self._known, self._pipelines)

    def about(self) -> About:
        """Its version, and who we are there."""
        from pipegen.servers.gocd.api import LATEST

        version: JSON = self._api.get("/api/version", LATEST)
        return About(
            version=str(version["version"]),
            user=self._known.user() or "anonymous",
            closed="it is in maintenance mode" if self._is_in_maintenance() else "",
        )

    def _is_in_maintenance(self) -> bool:
        try:
            return bool(self._api.get("/api/admin/maintenance_mode/info", 1)["is_maintenance_mode"])
        except AccessRefused:
            return False  # only administrators may ask

    def check(self, deployment: Deployment) -> Sequence[Finding]:
        """Agents, environment, profiles and secrets; for a config repository also the server's own check of the file,
        which for other pipelines would stumble over their names."""
        from pipegen.servers.gocd.findings import findings

        found = list(findings(deployment, self._known))
        if self._is_by_repository(deployment):
            found += self._repository.findings(deployment)
        return found

    def compare(self, deployment: Deployment, *, prune: bool = False) -> Sequence[Change]:
        """What would have to be done."""
        if self._is_by_repository(deployment):
            return self._repository.compare(deployment)
        return self._pipelines.compare(deployment, prune=prune)

    def apply(self, change: Change, *, force: bool = False) -> None:
        """Make one change."""
        from pipegen.servers.gocd.repository import Reading

        if isinstance(change.seen, Reading):
            self._repository.apply(change)
        else:
            self._pipelines.apply(change, force=force)

    @staticmethod
    def _is_by_repository(deployment: Deployment) -> bool:
        return deployment.options.get("material") == "configrepo"

    def trigger(self, place: Place, inputs: Mapping[str, str]) -> RunRef:
        """Start a run."""
        return self._steering.trigger(place, inputs)

    def run(self, ref: RunRef) -> Run:
        """The run as it is now."""
        return self._runs.run(ref)

    def runs(self, place: Place, most: int) -> Sequence[Run]:
        """The last runs."""
        return self._runs.runs(place, most)

    def logs(self, run: Run) -> Sequence[str]:
        """The console log of each job."""
        return self._logs.names(run)

    def log(self, ref: RunRef, name: str, position: str = "") -> LogChunk:
        """The next piece of a console log."""
        return self._logs.read(ref, name, position)

    def approve(self, ref: RunRef, question: Question, *, accept: bool = True) -> None:
        """Start the stage that waits for a person."""
        self._steering.approve(ref, question, accept=accept)

    def cancel(self, ref: RunRef) -> None:
        """Cancel the stages that work."""
        self._steering.cancel(ref)

    def resume(self, run: Run) -> RunRef:
        """Run the jobs that did not pass again."""
        return self._steering.resume(run)

    def unlock(self, place: Place) -> None:
        """Free the pipelines' locks."""
        self._steering.unlock(place)
