"""What handing jobs out costs in each layout: the estimate of `pipegen plan` beside runs on the servers' doubles.

    python benchmarks/dispatch.py                    # five graphs, every layout of both servers
    python benchmarks/dispatch.py --graph uneven --gocd-jobs 2 4

The doubles of `tests/doubles` run the generated files themselves, with a stand-in for pipegen that sleeps as long as a
stage takes and the pauses of real servers, drawn anew for each job from what was measured. They run in less than real
time: a second of GoCD's lasts a tenth of a second here, one of Jenkins' a quarter. What a double itself needs for
checkout and shells is in the figure, as it would be on a server.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pipegen.description.dumper import dump
from pipegen.project import Project
from pipegen.views.overview import Part, overview
from tests.doubles import stand_in
from tests.doubles.gocd.agent import Agent as GoCDAgent
from tests.doubles.gocd.runs import JobRun
from tests.doubles.gocd.server import GoCDDouble
from tests.doubles.jenkins.agents import Agent as JenkinsAgent
from tests.doubles.jenkins.double import JenkinsDouble
from tests.doubles.jenkins.jvm import Jvm
from tests.support.descriptions import request

URL = "https://git.example.com/bench.git"
SCALE = {"gocd": 0.1, "jenkins": 0.25}
AGENTS = 8
OFF = 0.2
"""How far the estimate may be off, as a share."""
SEED = 7

Graph = Mapping[str, tuple[float, tuple[str, ...]]]
"""For each stage its seconds and what it needs."""

GRAPHS: dict[str, Graph] = {
    "chain": {f"s{n}": (15, (f"s{n - 1}",) if n else ()) for n in range(6)},
    "diamond": {"a": (10, ()), "b": (40, ("a",)), "c": (10, ("a",)), "d": (5, ("b", "c"))},
    "wide": {
        "a": (5, ()),
        **{f"b{n}": (30, ("a",)) for n in range(8)},
        "c": (5, tuple(f"b{n}" for n in range(8))),
    },
    "uneven": {
        "a": (10, ()),
        "b1": (60, ("a",)),
        "b2": (5, ("a",)),
        "c1": (5, ("b1",)),
        "c2": (60, ("b2",)),
        "d": (5, ("c1", "c2")),
    },
    "training": {
        "ingest": (6, ()),
        "validate": (4, ("ingest",)),
        "split": (4, ("validate",)),
        "features": (4, ("split",)),
        "lasso": (10, ("features",)),
        "forest": (45, ("features",)),
        "boosting": (70, ("features",)),
        **{f"judge-{kind}": (10, (kind, "split")) for kind in ("lasso", "forest", "boosting")},
        "select": (8, ("judge-lasso", "judge-forest", "judge-boosting")),
        "report": (6, ("select",)),
    },
}
"""`uneven`: the long half of one branch stands beside the short half of the other, each on an agent of its own.
`training`: the shape of examples/house-prices."""
APART = {"b1", "b2", "c1", "c2"}
"""Stages that share no agent with others, though they form chains."""


@dataclass(frozen=True)
class Pauses:
    """Seconds from the end of one job to the start of one that waited for it, on real servers, least and most."""

    gocd_jobs: tuple[float, float] = (10, 16)
    """Within a pipeline (facts of the recorded GoCD 26.1 server with two agents)."""
    gocd_pipelines: tuple[float, float] = (8, 30)
    """From one pipeline to the next."""
    jenkins: tuple[float, float] = (0.2, 1.0)
    """Well under a second."""

    def drawer(self, server: str, seed: int) -> Callable[[JobRun | None], float]:
        """Draws the pause of each job, in scaled seconds; the first job of all has none to be counted."""
        draw = random.Random(seed)

        def one(job: JobRun | None = None) -> float:
            if server == "jenkins":
                return draw.uniform(*self.jenkins) * SCALE[server]
            assert job
            first = job.stage.run.definition.index(job.stage.name) == 0
            return draw.uniform(*(self.gocd_pipelines if first else self.gocd_jobs)) * SCALE[server]

        return one


@dataclass(frozen=True)
class Case:
    """A graph in one layout of one server."""

    graph: str
    server: str
    layout: str
    estimate: float


def description(graph: str, server: str, layout: str) -> dict[str, Any]:
    """Its description."""
    stages = {
        name: {
            "cmd": name,
            "deps": [f"{need}.txt" for need in needs],
            "outs": [f"{name}.txt"],
            **({"ci": {"group": f"own-{name}"}} if name in APART else {}),
        }
        for name, (_, needs) in GRAPHS[graph].items()
    }
    return {
        "pipegen": 1,
        "name": "bench",
        "repository": URL,
        "targets": {server: {"layout": layout}},
        "stages": stages,
        "workflows": {"push": {"on": {"push": {"branches": ["main"]}}}},
    }


def part(graph: str, server: str, layout: str) -> Part:
    """What `pipegen plan` says of it where its stages were timed before."""
    seconds = {name: taken for name, (taken, _) in GRAPHS[graph].items()}
    (found,) = overview(request(description(graph, server, layout)), seconds).parts
    return found


def cases(graphs: list[str]) -> Iterator[Case]:
    """All layouts of both servers."""
    for graph in graphs:
        for server in SCALE:
            for cost in part(graph, server, "levels").costs:
                yield Case(graph, server, cost.layout, cost.seconds)


def run(case: Case, pauses: Pauses, folder: Path, jvm: Jvm) -> float:
    """Seconds from the start of the first command to the end of the last, at the server's pace."""
    scale, data = SCALE[case.server], description(case.graph, case.server, case.layout)
    origin, times = folder / "origin", folder / "times"
    origin.mkdir(parents=True)
    (origin / "pipegen.yaml").write_text(dump(data))
    for change in Project.open(origin).generate([case.server]).changes:
        (origin / change.path).write_text(change.new or "")
    (origin / "behaviour").mkdir()
    for name, (seconds, _) in GRAPHS[case.graph].items():
        (origin / "behaviour" / name).write_text(f"sleep {seconds * scale}\n")
    git = (
        "git init -q -b main && git add -A && git -c user.name=a -c user.email=a@example.com commit -qm start"
    )
    subprocess.run(["sh", "-c", git], cwd=origin, check=True)
    machine = stand_in.install(folder / "bin")
    clock = f"date +%s.%N >> {times}\ntrap 'date +%s.%N >> {times}' EXIT\n"
    program = folder / "bin" / "pipegen"
    program.write_text(program.read_text().replace("\n", "\n" + clock, 1))
    draw = pauses.drawer(case.server, SEED)
    if case.server == "gocd":
        _run_gocd(folder, origin, machine, draw)
    else:
        _run_jenkins(folder, origin, machine, draw, jvm)
    marks = [float(line) for line in times.read_text().split()]
    return (max(marks) - min(marks)) / scale


def _run_gocd(
    folder: Path, origin: Path, machine: Mapping[str, str], draw: Callable[[JobRun | None], float]
) -> None:
    agents = [GoCDAgent(f"agent{number}", {"linux"}, env=machine) for number in range(AGENTS)]
    with GoCDDouble(folder / "gocd", agents, {URL: origin}, dispatch=draw) as server:
        server.load(origin / "bench.gocd.yaml")
        if not all(run.passed for run in server.poll()):
            sys.exit("a run on GoCD's double failed")


def _run_jenkins(
    folder: Path, origin: Path, machine: Mapping[str, str], draw: Callable[[JobRun | None], float], jvm: Jvm
) -> None:
    agents = [JenkinsAgent(f"agent{number}", env=machine) for number in range(AGENTS)]
    double = JenkinsDouble(jvm, folder / "jenkins", agents, origin, limit=300, dispatch=lambda: draw(None))
    build = double.build(origin / "Jenkinsfile")
    if build.result != "SUCCESS":
        sys.exit("a build on Jenkins' double failed:\n" + "\n".join(build.log[-20:]))


def compare(found: Mapping[Case, float], graph: str, server: str) -> bool:
    """Print one server's layouts for a graph, and what `pipegen plan` would advise; whether both are right."""
    mine = {case: seconds for case, seconds in found.items() if (case.graph, case.server) == (graph, server)}
    kept = True
    for case, seconds in mine.items():
        off = case.estimate / seconds - 1
        kept &= abs(off) <= OFF
        mark = "ok  " if abs(off) <= OFF else "MISS"
        print(
            f"{mark}  {graph:9} {server:8} {case.layout:10} "
            f"estimated {case.estimate:5.0f} s, double {seconds:5.0f} s: {off:+.0%}"
        )
    for chosen in mine:
        for advice in part(graph, server, chosen.layout).advice:
            advised = next(case for case in mine if case.layout == advice.layout)
            won = mine[chosen] - mine[advised]
            kept &= won > 0
            print(
                f"{'ok  ' if won > 0 else 'MISS'}  {graph:9} {server:8} {advised.layout} is advised instead of "
                f"{chosen.layout}: {advice.sooner:.0f} s sooner, on the double {won:.0f} s"
            )
    return kept


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--graph", choices=GRAPHS, action="append")
    for name, (least, most) in dataclasses.asdict(Pauses()).items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            nargs=2,
            type=float,
            default=(least, most),
            metavar=("LEAST", "MOST"),
        )
    options = vars(parser.parse_args())
    graphs = options.pop("graph") or list(GRAPHS)
    pauses = Pauses(**{name: tuple(value) for name, value in options.items()})
    todo, jvm = list(cases(graphs)), Jvm()
    print(f"      {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
        one = lambda number: run(todo[number], pauses, Path(folder) / str(number), jvm)  # noqa: E731
        found = dict(zip(todo, pool.map(one, range(len(todo))), strict=True))
    jvm.close()
    results = [compare(found, graph, server) for graph in graphs for server in SCALE]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
