"""What a server says of a run and what exec said in its logs, put together."""

from __future__ import annotations

from pipegen.plan.deployment import Definition
from pipegen.plan.model import Job, Plan, Step, Trigger
from pipegen.records import Counts, Metric, RunView, StageView
from pipegen.records.said import PREFIX, Said, event, events
from pipegen.servers.model import Part, Place, Question, Run, RunRef
from pipegen.servers.picture import picture


def step(name: str, *, stage: bool = True, always: bool = False) -> Step:
    return Step(name=name, command=("true",), stage=name if stage else None, always=always)


def job(name: str, *steps: Step, needs: tuple[str, ...] = ()) -> Job:
    return Job(
        name=name, agent=None, needs=needs, reads=(), writes=(), steps=steps, artifacts=(), env={}, secrets=(),
        timeout=60, retry=0, mutexes=(),
    )  # fmt: skip


PLAN = Plan(
    pipeline="toy",
    workflows=("push",),
    triggers={"push": Trigger(kind="push", branches=("main",))},
    folder=".",
    install=None,
    inputs=(),
    timeout=60,
    jobs=(
        job("prepare-to-train", step("prepare"), step("train@lasso")),
        job("report", step("report"), needs=("prepare-to-train",)),
        job("gates", step("gates", stage=False), step("report", stage=False, always=True), needs=("report",)),
    ),
)


def drawn(*parts: Part, state: str = "running", said: str = "", **words: object) -> RunView:
    """The picture of a run with these parts, whose definition has a part for each job."""
    steps = {"1/prepare-to-train": ("prepare", "train@lasso"), "2/report": ("report",), "3/gates": ("gates",)}
    definition = Definition(name="toy", text="", workflows=("push",), parts=steps)
    ref = RunRef(place=Place(definitions=(definition,), workflow="push", branch="main"), number=7)
    heard = Said()
    heard.feed(said)
    return picture("gocd", Run(ref=ref, state=state, parts=parts, **words), PLAN, heard)  # type: ignore[arg-type]


def states(view: RunView) -> dict[str, str]:
    return {stage.name: stage.state for stage in view.stages}


def of(view: RunView, name: str) -> StageView:
    return next(stage for stage in view.stages if stage.name == name)


def line(kind: str, stage: str, **more: object) -> str:
    import json

    return f"&1|12:00:00.000 {PREFIX}{json.dumps({'event': kind, 'stage': stage, **more})}\n"


def test_steps_stand_in_the_plans_order_with_what_they_need_and_names_of_their_own() -> None:
    view = drawn()
    assert {stage.name: stage.needs for stage in view.stages} == {
        "prepare": (),
        "train@lasso": ("prepare",),
        "report": ("train@lasso",),
        "gates": ("report",),
        "report (gates)": ("gates",),
    }
    assert of(view, "train@lasso").group == "train" and set(states(view).values()) == {"waiting"}
    assert set(states(drawn(state="failed")).values()) == {"skipped"}


def test_one_part_that_does_several_steps_is_told_apart_by_what_exec_said() -> None:
    part = Part(name="1/prepare-to-train", state="running", agent="ag1", url="https://x", seconds=9.0)
    said = line("stage_started", "prepare") + line("stage_finished", "prepare", outcome="restored", seconds=2)
    view = drawn(part, said=said + line("stage_started", "train@lasso"))
    assert list(states(view).values())[:3] == ["passed", "running", "waiting"]
    assert (of(view, "prepare").outcome, of(view, "prepare").seconds) == ("restored", 2.0)
    assert of(view, "train@lasso").agent == "ag1" and of(view, "train@lasso").links[0].url == "https://x"
    over = Part(name="1/prepare-to-train", state="failed")
    broken = said + line("stage_finished", "train@lasso", outcome="failed", seconds=1, message="exit code 3")
    view = drawn(over, state="failed", said=broken)
    assert list(states(view).values()) == ["passed", "failed", "skipped", "skipped", "skipped"]
    assert of(view, "train@lasso").message == "exit code 3"
    queued = drawn(Part(name="1/prepare-to-train", state="queued", reason="no agent"))
    assert states(queued)["prepare"] == "queued" and of(queued, "prepare").message == "no agent"


def test_tests_and_metrics_come_from_what_exec_said() -> None:
    said = line("tested", "report", tests=5, failures=1, errors=1, skipped=1)
    said += line("stage_finished", "report", outcome="ran", seconds=3, metrics={"r2": 0.9})
    view = drawn(Part(name="2/report", state="warned"), said=said)
    found = of(view, "report")
    assert (found.state, found.tests, found.metrics) == ("warned", Counts(5, 2, 1), (Metric("r2", 0.9),))
    assert of(view, "report (gates)").tests is None


def test_a_stage_that_an_ended_run_left_begun_was_cancelled() -> None:
    said = line("stage_started", "report")
    part = Part(name="2/report", state="cancelled")
    assert states(drawn(part, state="cancelled", said=said))["report"] == "cancelled"
    again = said + line("stage_finished", "report", outcome="failed", seconds=1) + said
    assert states(drawn(Part(name="2/report", state="running"), said=again))["report"] == "running"


def test_a_failure_of_the_servers_own_is_shown_and_what_a_run_waits_for() -> None:
    checkout = Part(name="Declarative: Checkout SCM", state="failed", reason="no such branch")
    question = Question(id="1", part="gates", message="Go on?", url="https://x/input")
    view = drawn(
        checkout, state="failed", questions=(question,), reason="it failed", cause="by me", label="#7"
    )
    assert of(view, "Declarative: Checkout SCM").message == "no such branch"
    assert view.approval and (view.approval.message, view.approval.url) == ("Go on?", "https://x/input")
    assert (view.number, view.message, view.cause, view.branch) == ("7", "it failed", "by me", "main")


def test_events_are_found_in_any_line_and_given_once_when_the_line_is_whole() -> None:
    whole = line("stage_started", "a")
    heard = Said()
    assert heard.feed(whole[:30], "x") == [] and heard.feed(whole, "y") != []
    assert [each["stage"] for each in heard.feed(whole[30:], "x")] == ["a"]
    assert heard.feed(whole.rstrip(), "x") == []
    assert len(heard.feed("", "x", last=True)) == 1
    for bad in ("##pipegen {", "##pipegen []", '##pipegen {"event": 1}', "##pipegen", "echo ##pipegen {x}"):
        assert event(bad) is None
    assert list(events("nothing\nhere")) == []
