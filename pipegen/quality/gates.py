"""From judged conditions to verdicts, and what servers are told of them."""

from __future__ import annotations

import datetime
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping

from pipegen.description.model import Gate
from pipegen.description.text import Metric
from pipegen.quality import junit
from pipegen.quality.metrics import File, Unusable, exact, select
from pipegen.quality.rules import Baseline, judge
from pipegen.quality.waivers import Waiver
from pipegen.records import GateResult, GateRun, Verdict

_LONGEST_KEY = 300
"""Characters; nobody names a metric at greater length."""


def files_of(gates: Iterable[Gate]) -> list[str]:
    """The metrics files that gates name."""
    metrics = [metric for gate in gates for metric in (gate.metric, gate.compare) if metric]
    return list(dict.fromkeys(Metric(metric).file for metric in metrics))


def decide(
    name: str,
    gate: Gate,
    files: Mapping[str, File],
    baseline: Baseline | None,
    waiver: Waiver | None,
    today: datetime.date,
) -> GateResult:
    """Judge one gate.

    Args:
        name: its name.
        gate: its conditions.
        files: the metrics files that it names, by path.
        baseline: what `against` means.
        waiver: somebody's answer for it; one that has expired changes nothing.
        today: by UTC.
    """
    checks = judge(gate, files, baseline).checks
    states = {check.state for check in checks}
    verdict: Verdict = "passed"
    if states & {"missed", "unknown"}:
        verdict = "waived" if waiver and waiver.holds(today) else "warned" if gate.warn else "failed"
    elif "new" in states:
        verdict = "new"
    return GateResult(
        gate=name,
        verdict=verdict,
        metric=str(gate.metric),
        checks=checks,
        baseline=baseline.name if baseline else "",
        waiver=waiver.told(today) if waiver and verdict != "passed" else "",
    )


def known_values(gates: Iterable[Gate], files: Mapping[str, File]) -> dict[str, float]:
    """Every number that these gates name, by `FILE:PATH` without `*`; what is none is left out."""
    found: dict[str, float] = {}
    for gate in gates:
        for metric in (Metric(metric) for metric in (gate.metric, gate.compare) if metric):
            file = files.get(metric.file)
            if file is None or file.problem:
                continue
            try:
                values = select(file.content, metric.path)
            except Unusable:
                continue
            for key, value in values.items():
                if len(key) > _LONGEST_KEY:
                    continue
                try:
                    found[f"{metric.file}:{key}"] = float(exact(value))
                except Unusable:
                    continue
    return found


def is_passed(results: Iterable[GateResult]) -> bool:
    """Whether a run may go on: no hard gate failed without a waiver."""
    return all(result.verdict != "failed" for result in results)


# ------------------------------------------------------------------------------------------------- for servers


def suite(run: GateRun) -> ET.Element:
    """The gates of a run as a JUnit suite. A soft gate's failure is one here: it makes Jenkins unstable."""
    return junit.suite(_suite_name(run.workflow), (_case(result, run.workflow) for result in run.gates))


def broken_suite(gates: Iterable[str], workflow: str, message: str) -> ET.Element:
    """The same gates where none could be judged."""
    name = _suite_name(workflow)
    cases = (junit.Case(gate, name, bad="error", message=f"not judged: {message}") for gate in gates)
    return junit.suite(name, cases)


def _suite_name(workflow: str) -> str:
    return f"gates.{workflow}" if workflow else "gates"


def _case(result: GateResult, workflow: str) -> junit.Case:
    lines = "\n".join(f"{check.rule}: {check.message}" for check in result.checks)
    bad: junit.Bad | None = None
    message = result.message
    if result.verdict in ("waived", "new"):
        bad = "skipped"
    elif result.verdict in ("failed", "warned"):
        bad = "failure" if any(check.state == "missed" for check in result.checks) else "error"
    if result.verdict == "warned":
        message = f"a warning only: {message}"
    if result.waiver:
        message = f"{result.waiver}; {message}"
    return junit.Case(result.gate, _suite_name(workflow), bad=bad, message=message, detail=lines)
