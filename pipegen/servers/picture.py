"""From what a server says of a run, and what `pipegen exec` said in its logs, to the picture that people see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from pipegen.plan.model import Job, Plan, Step
from pipegen.records.run_view import OVER, Approval, Counts, Link, Metric, RunView, StageView, State
from pipegen.records.said import Said
from pipegen.records.showing import STATES
from pipegen.servers.model import Part, Place, Run

_FURTHEST: tuple[State, ...] = (
    "failed", "cancelled", "approval", "running", "warned", "passed", "queued", "waiting", "skipped",
)  # fmt: skip
"""Of several parts that may stand for a step (each workflow of a file has its own gates), which one this run took."""


def picture(server: str, run: Run, plan: Plan, said: Said) -> RunView:
    """The picture of a run.

    Args:
        server: its name.
        run: as the server sees it.
        plan: the plan of its workflow: which steps there are and what each needs.
        said: what was read in its logs so far.
    """
    drawn = _Drawn(run, said)
    stages = [drawn.stage(*step) for step in _steps(plan)]
    stages += drawn.own_failures(stages)
    question = next(iter(run.questions), None)
    return RunView(
        pipeline=plan.pipeline,
        workflow=run.ref.place.workflow,
        server=server,
        number=run.label.removeprefix("#") or str(run.ref.number or ""),
        url=run.url,
        state=run.state,
        taken=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        started=_iso(run.started),
        seconds=run.seconds,
        commit=run.revision,
        branch=run.ref.place.branch or "",
        cause=run.cause,
        message=run.reason,
        approval=Approval(message=question.message, url=question.url) if question else None,
        stages=tuple(stages),
    )


def _steps(plan: Plan) -> Iterator[tuple[str, Job, Step, tuple[str, ...]]]:
    """Each step with its job, the name it has in the picture, and what must be through before it, by such names."""
    names = _names(plan)
    last = {job.name: names[job.name, _shown(job)[-1].name] for job in plan.jobs}
    for job in plan.jobs:
        before = tuple(last[name] for name in job.needs)
        for step in _shown(job):
            name = names[job.name, step.name]
            yield name, job, step, before
            before = (name,)


def _shown(job: Job) -> list[Step]:
    """The steps that people are shown: not the one that draws what they look at."""
    return [step for step in job.steps if not step.draws]


def _names(plan: Plan) -> Mapping[tuple[str, str], str]:
    """A name for each step of each job: its own, and with its job's where a stage has that name already."""
    stages = {step.stage for job in plan.jobs for step in job.steps}
    names: dict[tuple[str, str], str] = {}
    for job in plan.jobs:
        for step in _shown(job):
            taken = step.stage is None and (step.name in stages or step.name in names.values())
            names[job.name, step.name] = f"{step.name} ({job.name})" if taken else step.name
    return names


class _Drawn:
    """One run, while it is drawn."""

    def __init__(self, run: Run, said: Said) -> None:
        self.run, self.said = run, said
        self.parts = dict(_parts_by_step(run))
        self.shown: set[str] = {part.id or part.name for part in self.parts.values()}

    def stage(self, name: str, job: Job, step: Step, needs: tuple[str, ...]) -> StageView:
        """One step: what exec said of it comes first, then what the server says of the part that does it."""
        part = self._part(job, step)
        view = StageView(
            name=name,
            state=self._by_part(part, job, step),
            needs=needs,
            group=step.stage.partition("@")[0] if step.stage and "@" in step.stage else "",
            job=part.name if part else job.name,
            started=_iso(part.started) if part else "",
            seconds=part.seconds if part and _alone(job, step) else None,
            agent=part.agent if part else "",
            message=part.reason if part and part.state not in ("passed", "skipped") else "",
            links=(Link("log", part.url),) if part and part.url else (),
        )
        return self._as_said(view, step.stage) if step.stage else view

    def _part(self, job: Job, step: Step) -> Part | None:
        """The part that does a step; what always runs has none of its own and stands in its job's."""
        own = None if step.always else self.parts.get(step.name)
        first = next((each.name for each in job.steps if not each.always), job.name)
        return own or self.parts.get(job.name) or self.parts.get(first)

    def _by_part(self, part: Part | None, job: Job, step: Step) -> State:
        if part is None:
            return "skipped" if self.run.over else "waiting"
        shared = part.name == job.name or part.name.endswith(f"/{job.name}")
        if _alone(job, step) or not (shared or step.always):
            return part.state
        # one part does several steps, one after the other: which of them it is at, only exec says
        if part.state in OVER:
            return "passed" if part.state in ("passed", "warned") or step.always else "skipped"
        return "queued" if part.state == "queued" else "waiting"

    def _as_said(self, view: StageView, stage: str) -> StageView:
        started = self.said.last(stage, "stage_started")
        finished = self.said.last(stage, "stage_finished")
        if started and not finished:
            state: State = "cancelled" if view.state in OVER and self.run.over else "running"
            return replace(view, state=state if view.state != "failed" else "failed", seconds=view.seconds)
        if not finished:
            return view
        outcome: Any = finished.get("outcome")
        if outcome not in STATES:
            return view
        state = STATES[outcome]
        return replace(
            view,
            state="warned" if state == "passed" and view.state == "warned" else state,
            outcome=outcome,
            seconds=float(finished.get("seconds") or 0.0),
            message=str(finished.get("message") or ""),
            tests=_counts(self.said.last(stage, "tested")),
            metrics=tuple(
                Metric(str(name), value) for name, value in (finished.get("metrics") or {}).items()
            ),
        )

    def own_failures(self, stages: Iterable[StageView]) -> Iterator[StageView]:
        """Parts of the server's own that failed, such as a checkout: nothing of the plan stands for them."""
        if any(stage.state == "failed" for stage in stages):
            return
        for part in self.run.parts:
            if part.state == "failed" and (part.id or part.name) not in self.shown:
                yield StageView(
                    name=part.name,
                    state="failed",
                    started=_iso(part.started),
                    seconds=part.seconds,
                    agent=part.agent,
                    message=part.reason,
                    links=(Link("log", part.url),) if part.url else (),
                )


def _alone(job: Job, step: Step) -> bool:
    """Whether a step is all that its job does, but for what always runs."""
    return not step.always and sum(not each.always for each in job.steps) == 1


def _parts_by_step(run: Run) -> Iterator[tuple[str, Part]]:
    """For each step the part of the run that does it; of several the one that went furthest."""
    steps = _step_names(run.ref.place)
    found: dict[str, Part] = {}
    for part in run.parts:
        for step in steps.get((part.definition, part.name)) or steps.get(("", part.name)) or ():
            known = found.get(step)
            if known is None or _FURTHEST.index(part.state) <= _FURTHEST.index(known.state):
                found[step] = part
    yield from found.items()


def _step_names(place: Place) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """The steps that each part does, by the definition's and the part's names; "" for any definition."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for definition in place.definitions:
        for name, steps in definition.parts.items():
            found[definition.name, name] = steps
            found["", name] = steps
    return found


def _counts(tested: Mapping[str, object]) -> Counts | None:
    def number(word: str) -> int:
        value = tested.get(word)
        return value if isinstance(value, int) else 0

    if not tested:
        return None
    return Counts(number("tests"), number("failures") + number("errors"), number("skipped"))


def _iso(seconds: float | None) -> str:
    if not seconds:
        return ""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
