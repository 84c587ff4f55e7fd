"""Pictures of runs, made up."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from pipegen.records import (
    Approval,
    Counts,
    Link,
    Metric,
    Outcome,
    RunView,
    StageView,
    State,
)

TEXT = st.text(max_size=12) | st.sampled_from(
    [
        "</script><script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "&amp;",
        "{{ 7*7 }}",
        "\x1b[31m",
    ]
)
_numbers = st.none() | st.floats(0, 1e6) | st.integers(0, 10**6)
_links = st.lists(st.builds(Link, TEXT, TEXT | st.just("javascript:alert(1)")), max_size=2).map(tuple)
_values = st.none() | st.booleans() | TEXT | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False)


@st.composite
def runs(draw: st.DrawFn, most: int = 6) -> RunView:
    """Any run: names and texts of all kinds, needs of earlier stages and of some that aren't there."""
    names = draw(st.lists(TEXT, max_size=most, unique=True))
    stages = []
    for index, name in enumerate(names):
        earlier = st.sampled_from([*names[:index], "elsewhere"])
        stages.append(
            StageView(
                name=name,
                state=draw(st.sampled_from(get_args(State))),
                needs=tuple(draw(st.lists(earlier, max_size=3, unique=True))),
                group=draw(st.sampled_from(["", "g", "<b>"])),
                job=draw(TEXT),
                outcome=draw(st.none() | st.sampled_from(get_args(Outcome))),
                seconds=draw(_numbers),
                expected=draw(_numbers),
                agent=draw(TEXT),
                message=draw(TEXT),
                reasons=tuple(draw(st.lists(TEXT, max_size=2))),
                tests=draw(st.none() | st.builds(Counts, st.integers(0, 9), st.integers(0, 9))),
                metrics=tuple(draw(st.lists(st.builds(Metric, TEXT, _values), max_size=2))),
                links=draw(_links),
                tail=tuple(draw(st.lists(TEXT, max_size=2))),
            )
        )
    return RunView(
        pipeline=draw(TEXT),
        workflow=draw(TEXT),
        server=draw(st.sampled_from(["", "local", "jenkins", "gocd", "<i>"])),
        number=draw(TEXT),
        url=draw(TEXT),
        state=draw(st.sampled_from(get_args(State))),
        seconds=draw(_numbers),
        expected=draw(_numbers),
        commit=draw(TEXT),
        branch=draw(TEXT),
        cause=draw(TEXT),
        message=draw(TEXT),
        approval=draw(st.none() | st.builds(Approval, TEXT, TEXT, TEXT)),
        stages=tuple(stages),
        links=draw(_links),
    )


def house_prices() -> RunView:
    """The run of a small pipeline in which something failed while something else goes on."""
    log = (Link("log", ".pipegen/logs/train@forest.log"),)
    passed: dict[str, Any] = {"state": "passed", "agent": "linux-1"}
    return RunView(
        pipeline="house-prices",
        workflow="nightly",
        server="jenkins",
        number="12",
        url="https://ci.example.com/job/house-prices/12/",
        state="running",
        taken="2026-11-23T08:00:00Z",
        started="2026-11-23T07:56:48Z",
        seconds=192,
        expected=480,
        commit="4f2c1e09aa31b2d1",
        branch="main",
        cause="started by timer",
        stages=(
            StageView(
                name="ingest",
                outcome="ran",
                seconds=12.3,
                started="2026-11-23T07:56:49Z",
                tests=Counts(12),
                **passed,
            ),
            StageView(
                name="clean",
                needs=("ingest",),
                outcome="restored",
                seconds=4,
                started="2026-11-23T07:57:02Z",
                tests=Counts(5, 0, 1),
                **passed,
            ),
            StageView(name="features", needs=("clean",), outcome="unchanged", **passed),
            StageView(
                name="train@lasso",
                group="train",
                needs=("features",),
                outcome="ran",
                seconds=23,
                started="2026-11-23T07:58:00Z",
                metrics=(Metric("r2", 0.81123), Metric("rmse", 23456.7)),
                **passed,
            ),
            StageView(
                name="train@forest",
                group="train",
                needs=("features",),
                state="failed",
                outcome="failed",
                seconds=44,
                started="2026-11-23T07:58:00Z",
                message="its command ended with exit code 1",
                reasons=("houses/train.py changed",),
                attempts=2,
                links=log,
                tail=("Traceback (most recent call last):", "ValueError: <b>n_estimators</b> must be > 0"),
            ),
            StageView(
                name="train@boosting",
                group="train",
                needs=("features",),
                state="running",
                seconds=100,
                started="2026-11-23T07:58:20Z",
                expected=180,
                agent="gpu-1",
            ),
            StageView(name="select", needs=("train@lasso", "train@forest", "train@boosting")),
            StageView(name="evaluate", needs=("select", "features")),
            StageView(name="report", needs=("evaluate",)),
        ),
    )


def forecasts(regions: int = 60) -> RunView:
    """Five stages for each of many regions, in every state, and what stands before and after them."""
    states: list[State] = ["passed", "passed", "passed", "passed", "running", "waiting", "skipped"]
    stages = [StageView(name="split", state="passed", outcome="ran", seconds=3)]
    ways = (
        ("features", ""),
        ("train", "features"),
        ("evaluate", "train"),
        ("explain", "train"),
        ("publish", "evaluate"),
    )
    for number, (group, before) in enumerate(ways):
        for region in range(regions):
            state = "failed" if (number, region) == (1, 6) else states[(region * 5 + number) % len(states)]
            stages.append(
                StageView(
                    name=f"{group}@region-{region:02}",
                    group=group,
                    needs=(f"{before}@region-{region:02}" if before else "split",),
                    state=state,
                    outcome="ran" if state == "passed" else None,
                    seconds=region * 1.5 if state in ("passed", "running") else None,
                    agent=f"linux-{region % 9}" if state != "waiting" else "",
                    message="its command ended with exit code 1" if state == "failed" else "",
                )
            )
    ends = tuple(stage.name for stage in stages if stage.group in ("explain", "publish"))
    stages.append(StageView(name="summary", needs=ends))
    return RunView(
        pipeline="forecasts",
        workflow="nightly",
        server="gocd",
        number="7/1",
        state="running",
        seconds=900,
        stages=tuple(stages),
    )
