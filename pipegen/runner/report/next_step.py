"""How a run stands, and the one thing to do now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipegen.description.model import Workflow
from pipegen.records import GateRun, StageView
from pipegen.records.report import Mood, TestsOf


def verdict(
    stages: Iterable[StageView],
    tests: Iterable[TestsOf],
    gates: GateRun | None,
    *,
    gates_are_missing: bool,
    pull: str,
    workflow: Workflow | None,
) -> tuple[Mood, str, str]:
    """The mood, the headline and the next step.

    Args:
        stages: what became of them.
        tests: what became of theirs.
        gates: judged; None where they were not.
        gates_are_missing: whether they were to be judged, and were not.
        pull: the pull request that is built; empty where it is none.
        workflow: the one that ran; None where a person just asks.
    """
    failed = [stage.name for stage in stages if stage.state in ("failed", "cancelled")]
    tested = [each.stage for each in tests if each.failed]
    not_yet = "Don't merge yet: " if pull else ""
    if failed:
        what = "Its log says why" if len(failed) == 1 else "Their logs say why"
        return "bad", f"{_names(failed)} failed", f"{_begun(not_yet, f'look at {_names(failed)}')}. {what}."
    if tested:
        step = f"look at the tests of {_names(tested)}"
        return "bad", f"tests of {_names(tested)} failed", f"{_begun(not_yet, step)}."
    if gates is None and gates_are_missing:
        return (
            "bad",
            "the gates were not judged",
            f"{_begun(not_yet, 'find out why the gates were not judged')}.",
        )
    if gates is None:
        return "good", "done", _after(pull, workflow)
    return _of_gates(gates, not_yet, pull, workflow)


def _of_gates(gates: GateRun, not_yet: str, pull: str, workflow: Workflow | None) -> tuple[Mood, str, str]:
    red = [gate.gate for gate in gates.gates if gate.verdict == "failed"]
    if red:
        which = "the gate" if len(red) == 1 else "the gates"
        says = (
            f"look at {which} {_names(red)}: improve the model, or let somebody answer for it in waivers.yaml"
        )
        return "bad", f"{which} {_names(red)} failed", f"{_begun(not_yet, says)}."
    soft = [gate.gate for gate in gates.gates if gate.verdict in ("warned", "waived")]
    if soft:
        verb = "is red but let through" if len(soft) == 1 else "are red but let through"
        return "look", f"{_names(soft)} {verb}", f"Look at {_names(soft)}; {_lower(_after(pull, workflow))}"
    new = [gate for gate in gates.gates if gate.verdict == "new"]
    if new and len(new) == len(gates.gates):
        return "good", "the gates have nothing to compare with yet", _after(pull, workflow)
    if new:
        return "good", "all gates passed that could be compared", _after(pull, workflow)
    return "good", "all gates passed" if gates.gates else "done", _after(pull, workflow)


def _after(pull: str, workflow: Workflow | None) -> str:
    """What follows where nothing is in the way."""
    if pull:
        return "Review the change and merge it."
    promote = workflow.promote if workflow else None
    if promote is not None:
        asked = f", once {workflow.approve.by} agree" if workflow and workflow.approve else ""
        return f"Nothing to do: {promote.model} goes on to {promote.to}{asked}."
    return "Nothing to do."


def _begun(before: str, sentence: str) -> str:
    return f"{before}{sentence}" if before else sentence[0].upper() + sentence[1:]


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _names(names: Sequence[str]) -> str:
    shown = list(names[:3])
    rest = len(names) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
