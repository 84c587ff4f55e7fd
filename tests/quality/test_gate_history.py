"""Gates over their runs, and what is kept of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pipegen.dvc.stores import Folder
from pipegen.records import GateResult, GateRun, Verdict
from pipegen.runner.agent.masking import Masker
from pipegen.runner.gates.keeping import MOST_LOCAL, KeptGates, masked
from pipegen.runner.gates.trends import Red, gate_trends
from pipegen.views.gate_table import trend_table
from tests.support.cli import pipegen


def sha(hour: int) -> str:
    """A commit's."""
    return f"{hour:010d}".ljust(40, "e")


def run(hour: int, verdict: Verdict, workflow: str = "nightly", commit: str = "") -> GateRun:
    result = GateResult(gate="good", verdict=verdict, metric="m.json:x")
    at = f"2026-11-{1 + hour // 24:02d}T{hour % 24:02d}:00:00.000+00:00"
    return GateRun(
        at=at, passed=verdict != "failed", gates=(result,), workflow=workflow, commit=commit or sha(hour)
    )


@pytest.mark.parametrize(
    ("verdicts", "red"),
    [
        (["passed", "passed"], None),
        (["new", "passed"], None),
        (["passed", "failed"], Red("1", "1", 1, None)),
        (["passed", "failed", "warned", "waived"], Red("1", "1", 3, None)),
        (["failed", "failed", "passed", "passed"], Red("0", "0", 2, 2 * 3600)),
        (["failed", "passed", "failed", "new", "failed", "passed"], Red("2", "2", 2, 3 * 3600)),
        (["failed", "new"], Red("0", "0", 1, None)),
    ],
)
def test_the_first_red_commit_and_the_time_to_green(verdicts: list[Verdict], red: Red | None) -> None:
    runs = [run(hour, verdict) for hour, verdict in enumerate(verdicts)]
    (trend,) = gate_trends(reversed(runs))
    assert trend.verdicts == tuple(verdicts)
    if red is not None:
        first = int(red.commit)
        red = dataclasses.replace(red, commit=sha(first), since=runs[first].at)
    assert trend.red == red


def test_one_line_for_each_gate_of_each_workflow() -> None:
    runs = [
        run(0, "passed"),
        run(1, "failed"),
        run(60, "passed"),
        run(5, "failed", "push"),
        run(6, "new", ""),
    ]
    assert trend_table(gate_trends(runs)).splitlines() == [
        "gate  workflow  runs  now           last red",
        "good  push         1  failed        since 0000000005, 2026-11-01 05:00: 1 run",
        "good  here         1  not compared",
        "good  nightly      3  passed        0000000001, 2026-11-01 01:00; green after 2.46 days",
    ]


def test_kept_and_found_again(tmp_path: Path) -> None:
    remote = Folder(tmp_path / "remote", "the remote", lambda _: None)
    one = KeptGates("a", tmp_path / "one", remote)
    other = KeptGates("a", tmp_path / "other", remote)
    one.add(run(1, "passed"), push=True)
    path = one.add(run(2, "failed"), push=True)
    one.add(run(3, "passed"), push=False)
    assert [found.at[11:13] for found in other.newest_first("nightly")] == ["02", "01"]
    assert [found.at[11:13] for found in KeptGates("a", tmp_path / "other", remote).all()] == ["02", "01"]
    assert list(KeptGates("b", tmp_path / "other", remote).all()) == [], "one remote serves several pipelines"
    here = KeptGates("a", tmp_path / "one", None)
    assert [found.at[11:13] for found in here.newest_first("nightly", passed_only=True)] == ["03", "01"]
    assert [found.at[11:13] for found in here.of_commit("nightly", sha(2))] == ["02"]
    assert list(here.of_commit("nightly", sha(2)[:12])) == []

    path.write_text(path.read_text().replace("failed", "passed"))
    changed = KeptGates("a", tmp_path / "one", None)
    assert [found.at[11:13] for found in changed.newest_first("nightly")] == ["03", "01"], (
        "it was tampered with"
    )


def test_the_folder_does_not_grow_without_end(tmp_path: Path) -> None:
    kept = KeptGates("a", tmp_path, None)
    for hour in range(MOST_LOCAL + 5):
        kept.add(run(hour, "passed"), push=False)
    found = list(KeptGates("a", tmp_path, None).newest_first("nightly"))
    assert len(found) == MOST_LOCAL
    assert found[0].at == run(MOST_LOCAL + 4, "passed").at


def test_secrets_are_masked() -> None:
    result = GateResult(gate="good", verdict="failed", metric="m.json:x", waiver="the text 'hunter22'")
    told = masked(
        GateRun(at="", passed=False, gates=(result,), values={"m.json:hunter22": 1.0}), Masker(["hunter22"])
    )
    assert told.gates[0].waiver == "the text '****'"
    assert told.values == {"m.json:****": 1.0}


def test_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "pipegen.yaml").write_text(
        'name: a\nstages: {a: {cmd: "true"}}\ngates: {good: {metric: "m.json:x", min: 1}}\n'
    )
    assert pipegen("history", "--gates", cwd=tmp_path).out == "no gate was judged yet\n"
    (tmp_path / "m.json").write_text('{"x": 0}')
    assert pipegen("gate", cwd=tmp_path).code == 1
    assert "since no commit, 20" in pipegen("history", "--gates", "go*", cwd=tmp_path).out
    assert '"verdicts": [' in pipegen("history", "--gates", "--json", cwd=tmp_path).out
    assert pipegen("history", "--gates", "bad", cwd=tmp_path).out == "no such gate was judged yet\n"
