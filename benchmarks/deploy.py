"""500 pipelines deployed to a Jenkins, by pipegen and by jenkins-job-builder, with as many requests at a time.

    .venv/bin/python benchmarks/deploy.py [RUNS]

The Jenkins is the replay server of the tests, as a process of its own, new for each measurement; its answers are shaped
by recordings of a real one, which must lie in ../shared/contracts. Ours, `pipegen deploy --all`, starts from 500
`pipegen.yaml`; theirs, `jenkins-jobs update`, from one YAML file of 500 pipeline jobs that hold the Jenkinsfiles ours
made. Then both do the same again with nothing changed. pipegen keeps nothing on disk and asks the server for each job.
jenkins-jobs compares with notes of its own, if they are still there, and then asks the server nothing; on an agent that
is new for each run it has none. Both are measured; the second, which looks at the server as ours does, is the limit.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from descriptions import description, fan, write
from measure import BIN, ROOT, Cost, bytecode, cost, tool, verdict
from render import job

PIPELINES = 500
RECORDINGS = ROOT.parent / "shared" / "contracts" / "jenkins"
AT_ONCE = 8
SHARED = 5
"""Requests that are no pipeline's: who we are, what the server is."""
WHEN = ("first", "unchanged, with notes", "unchanged")
SERVE = "serve"


def main(runs: int) -> int:
    """Measure, print, and return 1 if a limit is passed."""
    if not RECORDINGS.is_dir():
        print(
            "      deploy: not measured, the recordings of a real Jenkins (../shared/contracts) are not here"
        )
        return 0
    jenkins_jobs = tool("jenkins-jobs", "jenkins-job-builder", "setuptools<80")  # it needs pkg_resources
    with tempfile.TemporaryDirectory() as name, bytecode() as env:
        folder = Path(name)
        ours, theirs = folder / "pipegen", folder / "jobs.yaml"
        for number in range(PIPELINES):
            write(ours / f"p{number:03}", description(f"p{number:03}", fan(4)))
        cost([str(BIN / "pipegen"), "generate", "--all", "-t", "jenkins", str(ours)], env=env)
        theirs.write_text("".join(job(path) for path in sorted(ours.glob("*/Jenkinsfile"))))
        sides: dict[str, Callable[[str], tuple[list[str], Mapping[str, str]]]] = {
            "pipegen": lambda url: pipegen(url, ours, env),
            "jenkins-jobs": lambda url: update(url, jenkins_jobs, theirs, folder, env),
        }
        measured: dict[tuple[str, str], list[Cost]] = {}
        for run in range(runs + 1):
            for side, command in sides.items():
                for when, spent in deployed(command).items():
                    if run:  # the first one fills the caches of byte code and disk
                        measured.setdefault((side, when), []).append(spent)
    held = True
    for when in ("first", "unchanged"):
        wall = {side: statistics.median(c.wall for c in measured[side, when]) for side in sides}
        what = f"{PIPELINES} pipelines deployed, {when}, {AT_ONCE} at a time on {os.cpu_count()} cores, by the clock"
        held &= verdict(what, wall["pipegen"], wall["jenkins-jobs"] / 2, "half of jenkins-jobs update")
    return 0 if held else 1


def deployed(command: Callable[[str], tuple[list[str], Mapping[str, str]]]) -> dict[str, Cost]:
    """One side's cost on an empty server, on the full one, and there once more without its notes; each is printed."""
    found = {}
    with serving() as (url, asked):
        for when in WHEN:
            words, env = command(url)
            if when == "unchanged":
                shutil.rmtree(env.get("XDG_CACHE_HOME", ""), ignore_errors=True)
            found[when] = cost(words, env=env)
            counted = asked()
            print(
                f"      {Path(words[0]).name}, {when}: {found[when].wall:.2f} s by the clock, "
                f"{found[when].cpu:.2f} s CPU, {counted} requests"
            )
            if words[0] == str(BIN / "pipegen") and when != "first" and counted > PIPELINES + SHARED:
                sys.exit(f"{counted} requests for {PIPELINES} unchanged pipelines")
    return found


def pipegen(url: str, folder: Path, env: Mapping[str, str]) -> tuple[list[str], Mapping[str, str]]:
    """Ours."""
    who = {
        "PIPEGEN_JENKINS_URL": f"{url}/jenkins",
        "PIPEGEN_JENKINS_USER": "admin",
        "PIPEGEN_JENKINS_TOKEN": "password",
        "PIPEGEN_JENKINS_AT_ONCE": str(AT_ONCE),
    }
    return [str(BIN / "pipegen"), "deploy", "jenkins", "--all", str(folder), "--yes"], {**env, **who}


def update(
    url: str, program: Path, jobs: Path, folder: Path, env: Mapping[str, str]
) -> tuple[list[str], Mapping[str, str]]:
    """Theirs. Their notes lie in a folder for this server alone, as they would on a machine that deployed to it."""
    configuration = folder / "jenkins_jobs.ini"
    configuration.write_text(
        f"[jenkins]\nurl={url}/jenkins\nuser=admin\npassword=password\nquery_plugins_info=False\n"
    )
    notes = folder / url.rpartition(":")[2]
    return (
        [str(program), "--conf", str(configuration), "update", "--workers", str(AT_ONCE), str(jobs)],
        {**env, "XDG_CACHE_HOME": str(notes)},
    )


@contextmanager
def serving() -> Iterator[tuple[str, Callable[[], int]]]:
    """An empty server in a process of its own: its address, and how many requests it had since it was last asked."""
    process = subprocess.Popen(
        [sys.executable, __file__, SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout
    try:
        url = process.stdout.readline().strip()

        def asked() -> int:
            assert process.stdin and process.stdout
            print("count", file=process.stdin, flush=True)
            return int(process.stdout.readline())

        yield url, asked
    finally:
        process.stdin.close()
        process.wait()


def serve() -> None:
    """The server: says its address, then for each line that comes how many requests it had since."""
    sys.path.insert(0, str(ROOT))
    from tests.servers.exchanges import Answer, Received, jenkins
    from tests.servers.jenkins_model import JenkinsModel
    from tests.servers.replay import ReplayServer

    crumb = jenkins("01").answer

    class Controller(JenkinsModel):
        """With the crumb that python-jenkins fetches, and the type of content that it sends [17b]."""

        def answer(self, got: Received) -> Answer:
            if got.path == "/jenkins/crumbIssuer/api/json":
                return crumb
            if got.headers.get("Content-Type") == "text/xml; charset=utf-8":
                got = replace(got, headers={**got.headers, "Content-Type": "application/xml"})
            return super().answer(got)

    model = Controller()
    server = ReplayServer(model)
    server.start()
    print(server.url, flush=True)
    for _ in sys.stdin:
        unknown = model.failures()
        if unknown:
            sys.exit(f"not in the recordings: {unknown[:3]}")
        print(len(server.received), flush=True)
        server.received.clear()
    server.stop()


if __name__ == "__main__":
    if sys.argv[1:] == [SERVE]:
        serve()
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
