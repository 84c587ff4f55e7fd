"""Console logs: found by the names of jobs, read on from where one left off."""

from __future__ import annotations

from collections.abc import Sequence

from pipegen.errors import NotOnServer
from pipegen.servers.gocd import instances
from pipegen.servers.gocd.api import Api, path
from pipegen.servers.gocd.console import Console, Line
from pipegen.servers.gocd.runs import Runs, attempt_of
from pipegen.servers.model import LogChunk, Run, RunRef

END = "ex"
"""The tag of the line that the agent writes last."""
GONE = "GoCD has no console log of this job: it never began, or the log was deleted"


class Logs:
    """Reads logs.

    Args:
        api: the server.
        runs: finds jobs.
    """

    def __init__(self, api: Api, runs: Runs) -> None:
        self._api, self._runs = api, runs

    def names(self, run: Run) -> Sequence[str]:
        """The log of each job that an agent has or had."""
        return [part.id for part in run.parts if part.state not in ("queued", "approval")]

    def read(self, ref: RunRef, name: str, position: str) -> LogChunk:
        """The next piece of a job's log.

        Args:
            ref: the run, numbered.
            name: a part's id, or its name (`stage/job`).
            position: the job's id and the number of lines that were read.
        """
        job, _, lines = position.rpartition(" ")
        job, console = job or self._find(ref, name), Console(int(lines or 0))
        found = console.feed(self._text(job, console) or "")
        more = not any(line.tag == END for line in found)
        if more and not found and self._is_over(job):
            # what was written between the two questions; a job that is cancelled has no last line
            text = self._text(job, console)
            found = [*console.feed(text or ""), *console.end()]
            found += [Line(GONE)] if text is None else []
            more = False
        return LogChunk(
            text="".join(f"{line.text}\n" for line in found), position=f"{job} {console.lines}", more=more
        )

    def _text(self, job: str, console: Console) -> str | None:
        """The log from the first line that was not read; None where there is none (yet)."""
        answer = self._api.text(
            f"/files{path(*job.split('/'))}/cruise-output/console.log", startLineNumber=str(console.lines)
        )
        if answer.status_code != 404:
            answer.encoding = "utf-8"
            return answer.text
        if "not found" in answer.text:
            raise NotOnServer(answer.text.strip())
        return None

    def _is_over(self, job: str) -> bool:
        return bool(self._api.get(f"/api/jobs{path(*job.split('/'))}", 1)["state"] == "Completed")

    def _find(self, ref: RunRef, name: str) -> str:
        """The job that a name means, in the last attempt of its stage."""
        if name.count("/") == 4:
            return name
        wanted = name.lower()
        for _, instance in self._runs.instances(ref.place, ref.number or 0):
            for stage in instance["stages"] if instance else ():
                for job in stage["jobs"] if instance and instances.has_begun(stage) else ():
                    if f"{stage['name']}/{job['name']}".lower() == wanted:
                        assert instance is not None
                        return "/".join(map(str, (*attempt_of(instance, stage), job["name"])))
        raise NotOnServer(f"{name} has not begun in this run, so it has no log")
