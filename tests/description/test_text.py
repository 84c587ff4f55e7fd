"""The kinds of text, and the one cron."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipegen.description import text
from pipegen.description.cron import FIELDS, Schedule


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (text.Name, ["a", "a.b-c_D1", "-a", "a" * 100], ["", ".a", "a b", "a/b", "ä", "a" * 101, "a\n"]),
        (
            text.StageName,
            ["train", "a b", "größe", "🚀"],
            ["", "a.b", "a@b", "a:b", "a/b", "a" * 201, "a\x00"],
        ),
        (text.ArtifactName, ["house-price", "a/b", "m1"], ["House", "-a", "a-", "a_b", ""]),
        (text.EnvName, ["A", "_a1"], ["1A", "A-B", "A B", "", "É"]),
        (
            text.Duration,
            ["90s", "30m", "1d2h3m4s", "30d"],
            ["", "30", "m", "1m1h", "0s", "31d", "1.5h", "-1h"],
        ),
        (text.Percent, ["2%", "0.5%", "100%"], ["2", "%", "-2%", "2 %", ".5%"]),
        (text.Metric, ["m.json:r2", "a/b.yaml:*.rmse"], ["m.json", ":r2", "m.json:", " m:r"]),
        (text.Against, ["production", "last", "branch:feature/x"], ["branch:", "prod", "branch:a b"]),
        (
            text.GitUrl,
            ["https://a/b", "git@a:b/c.git", "ssh://a", "/srv/a.git", "file:///a"],
            ["a/b", "ftp://a", "https://a b"],
        ),
        (text.MailAddress, ["a@b.c"], ["a", "a@", "a b@c", "A <a@b.c>"]),
        (text.Branch, ["main", "feature/*", "v1.0"], ["", "-a", "a b", "a..~", "a:b", "a?"]),
        (text.TimeZone, ["UTC", "Europe/Paris"], ["Paris", "", "../etc/passwd", "Europe"]),
        (text.Path, ["a", "a/b c", "./a", "*/dvc.yaml"], ["", " ", "/a", "a\nb", "a\x00"]),
        (text.Parameter, ["a.b", "conf/a.yaml:b"], ["", "a:", ":a", "a b", "a:b:c"]),
        (text.MailServer, ["smtp://a", "smtps://a:465"], ["a:25", "http://a", "smtp://u:p@a"]),
        (text.WebUrl, ["http://a", "https://a:1/b"], ["a", "ftp://a", "https://", "https://a b"]),
    ],
)
def test_forms(kind: type[text.Text], good: list[str], bad: list[str]) -> None:
    for one in good:
        kind.check(one)
    for one in bad:
        with pytest.raises(ValueError, match=r"^'|^\""):
            kind.check(one)


def test_long_text_leaves_the_form_readable() -> None:
    with pytest.raises(ValueError, match=r"^'a{30}… \(5000 characters\)' is not a name \(letters"):
        text.Name.check("a" * 5000)


@given(st.integers(0, 29), st.integers(0, 23), st.integers(0, 59), st.integers(1, 59))
def test_durations_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    duration = text.Duration(f"{days}d{hours}h{minutes}m{seconds}s")
    text.Duration.check(duration)
    assert duration.seconds == ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    assert duration.minutes * 60 >= duration.seconds > (duration.minutes - 1) * 60


def test_parts_of_a_metric_and_of_a_parameter() -> None:
    metric = text.Metric("metrics/best.json:a.b")
    assert (metric.file, metric.path) == ("metrics/best.json", "a.b")
    parameters = [text.Parameter("train.alpha"), text.Parameter("conf/a.yaml:b.c")]
    assert [(p.file, p.key) for p in parameters] == [("params.yaml", "train.alpha"), ("conf/a.yaml", "b.c")]
    assert text.Percent("2.5%").fraction == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("0 6 * *", "has 4 fields"),
        ("0 6 * * * *", "has 6 fields"),
        ("@daily", "is a short form"),
        ("60 6 * * *", "60 is no minute: it goes from 0 to 59"),
        ("0 24 * * *", "24 is no hour"),
        ("0 6 0 * *", "0 is no day of month: it goes from 1 to 31"),
        ("0 6 * 13 *", "13 is no month"),
        ("0 6 * * 8", "8 is no day of week: it goes from 0 to 7"),
        ("0 6 * * MON", "'MON' is no day of week"),
        ("0 6 5-1 * *", "the day of month range '5-1' runs backwards"),
        ("5/2 * * * *", "a step goes after"),
        ("*/0 * * * *", "the step in '*/0' goes from 1 to 59"),
        ("H(3-99) * * * *", "99 is no minute"),
        ("1,,2 * * * *", "'' is no minute"),
        ("? * * * *", "'?' is no minute"),
    ],
)
def test_wrong_schedules(schedule: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Schedule.parse(schedule)


@pytest.mark.parametrize("schedule", ["0 6 * * 1-5", "*/15 0-5,22-23 1,15 */2 0,7", "0   6 * *\t*"])
def test_a_schedule_without_h_is_settled(schedule: str) -> None:
    parsed = Schedule.parse(schedule)
    assert str(parsed.settled("any")) == str(parsed) == " ".join(schedule.split())


@given(
    st.text(max_size=20),
    st.sampled_from(["H H H H H", "H(0-29) H(1-7) * * *", "H/15 H/6 H/10 * *", "1,H H * * H(1-5)"]),
)
def test_h_becomes_one_time_in_its_range(name: str, schedule: str) -> None:
    parsed = Schedule.parse(schedule)
    settled = parsed.settled(name)
    assert settled == parsed.settled(name)
    assert "H" not in str(settled)
    Schedule.parse(str(settled))
    bounds = {"H(0-29)": (0, 29), "H(1-7)": (1, 7), "H(1-5)": (1, 5)}
    for before, after, field in zip(parsed.fields, settled.fields, FIELDS, strict=True):
        low, high = bounds.get(before, (field.low, field.hash_high))
        if before.startswith("H") and "/" not in before:
            assert low <= int(after) <= high


def test_h_spreads_names_over_the_hour() -> None:
    minutes = {Schedule.parse("H 6 * * *").settled(f"pipeline-{n}").fields[0] for n in range(500)}
    assert len(minutes) == 60


def test_h_with_a_step_keeps_the_distance() -> None:
    fields = {Schedule.parse("H/15 * * * *").settled(f"pipeline-{n}").fields[0] for n in range(200)}
    assert fields == {f"{start}-59/15" for start in range(15)}
