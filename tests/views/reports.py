"""A report with something in every part, for tests of its views."""

from __future__ import annotations

from pipegen.records import Counts, GateCheck, GateResult, GateRun, StageView
from pipegen.records.report import (
    Change,
    Changes,
    Chart,
    Commit,
    Group,
    Groups,
    Measure,
    Plot,
    Report,
    Series,
    TestsOf,
)

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00"
    b"\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)


def report(text: str = "", *, metrics: int = 0, plots: int = 0) -> Report:
    """A red nightly run of houses.

    Args:
        text: stands wherever users can put text.
        metrics: so many more metrics.
        plots: so many more plots of lines.
    """
    checks = (
        GateCheck(rule="min", state="met", value="0.81", limit="at least 0.75", message="fine"),
        GateCheck(
            rule="max_increase",
            state="missed",
            value="32548" + text,
            limit="at most 2% above production",
            message="rmse is 32548, 19% above 27312" + text,
        ),
    )
    gates = GateRun(
        at="2026-11-23T06:12:00+00:00",
        passed=False,
        gates=(
            GateResult(gate="good_enough" + text, verdict="passed", metric="best.json:r2", checks=checks[:1]),
            GateResult(gate="no_worse", verdict="failed", metric="best.json:rmse", checks=checks[1:]),
            GateResult(
                gate="overfit",
                verdict="waived",
                metric="best.json:r2",
                checks=checks[1:],
                waiver="waived by Ann until 2026-12-31: few sales" + text,
            ),
        ),
    )
    lines = Series(name="loss" + text, points=((0.0, 3.0), (1.0, 2.0), (2.0, 1.5)))
    chart = Chart(shape="line", x="step" + text, y="", series=(lines,))
    return Report(
        pipeline="house-prices" + text,
        workflow="nightly",
        at="2026-11-23T06:12:03+00:00",
        commit="0e2728e3ceaa0000000000000000000000000000",
        branch="main" + text,
        subject="Build the lock file" + text,
        server="jenkins",
        number="12",
        url="https://ci.example.com/job/houses/12/",
        run="0123456789ab",
        owner="pricing@example.com",
        mood="bad",
        headline="the gate no_worse failed" + text,
        next_step="Look at the gate no_worse: improve the model." + text,
        changes=Changes(
            since="the last report (2026-11-22 06:12 UTC, e7caaf4584)",
            commits=(Commit(id="b705549d82" + "0" * 30, author="Ben Ali" + text, subject="Newest quarter" + text),),
            more_commits=2,
            data=(Change(name="data/raw.csv" + text, before="1.2 MB", now="1.3 MB"),),
            params=(Change(name="params.yaml:drift", before="0.0", now="1.0" + text),),
            commands=(Change(name="train" + text, before="python a.py", now="python b.py"),),
        ),
        base="production (house-price v1.0.0, 1696d0ec6d)" + text,
        last="2026-11-22T06:12:00+00:00",
        measures=(
            Measure(
                name="best.json:r2" + text,
                value=0.75,
                base=0.8,
                last=0.75,
                before=(0.78, 0.8, 0.75),
                better="up",
                is_gated=True,
            ),
            Measure(name="best.json:rmse", value=110.0, base=100.0, last=120.0, better="down", is_gated=True),
            Measure(name="best.json:count", value=float("nan"), base=1.0, before=(1.0, 2.0), is_gated=True),
            *(
                Measure(name=f"m.json:k{n}" + text, value=n / 7, base=n / 8, before=(1.0, 2.0, n / 3))
                for n in range(metrics)
            ),
        ),
        groups=(
            Groups(
                gate="fair",
                metric="by_zip.json:*.rmse",
                groups=(Group(name="13347" + text, value=46939.0, base=27500.0), Group(name="14193", value=24883.0)),
                order="highest first",
            ),
        ),
        gates=gates,
        reds={"no_worse": "red since 2026-11-21 (0e2728e3ce)"},
        stages=(
            StageView(
                name="train@lasso" + text, state="passed", outcome="ran", seconds=23.0, tests=Counts(4, 0, 1)
            ),
            StageView(name="select", state="failed", seconds=2.0, message="exit code 1" + text, tests=Counts(3, 1)),
        ),
        seconds=25.0,
        tests=(
            TestsOf(stage="train@lasso", total=4, skipped=1),
            TestsOf(stage="select" + text, total=3, failed=1, names=("test_best" + text,)),
        ),
        plots=(
            Plot(title="Loss" + text, path="loss.csv", chart=chart),

            Plot(title="By zip", path="zip.png" + text, picture=PNG, kind="png"),
            Plot(title="Vector", path="v.svg", picture=b"<svg xmlns='http://www.w3.org/2000/svg'/>", kind="svg+xml"),
            Plot(
                title="Bars",
                path="bars.csv",
                chart=Chart(
                    shape="bar",
                    x="",
                    y="",
                    series=(Series(name="n", points=((3.0, 0.0), (5.0, 1.0))),),
                    labels=("one" + text, "two"),
                ),
            ),
            Plot(title="Other", path="x.bin", says="It is no kind of plot that a report can show." + text),
            *(Plot(title=f"Plot {n}", path=f"p{n}.csv", chart=_long(n)) for n in range(plots)),
        ),
        notes=("Something is missing." + text,),
    )  # fmt: skip


def _long(number: int) -> Chart:
    points = tuple((float(x), (x * number) % 17 / 3) for x in range(300))
    return Chart(shape="line", x="step", y="loss", series=(Series(name="loss", points=points),))
