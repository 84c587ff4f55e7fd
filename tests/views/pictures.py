"""Pictures of runs, made up."""

from __future__ import annotations

from typing import get_args

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
