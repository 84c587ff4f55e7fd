"""A schedule fires at the same times on GoCD as in cron, or is refused."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipegen.description.cron import FIELDS, Field, Schedule
from pipegen.targets.gocd.quartz import to_quartz
from tests.targets.gocd.clocks import Cron, Quartz

DAYS = [datetime(2027, 1, 1) + timedelta(days=n) for n in range(366 + 365)]


@pytest.mark.parametrize(
    ("cron", "quartz"),
    [
        ("0 6 * * 1-5", "0 0 6 ? * MON-FRI"),
        ("0 6 * * *", "0 0 6 * * ?"),
        ("*/15 * * * *", "0 0/15 * * * ?"),
        ("5-59/20 8-18 * * *", "0 5/20 8-18 * * ?"),
        ("0 0 1 1,7 *", "0 0 0 1 1,7 ?"),
        ("0 0 * * 0", "0 0 0 ? * SUN"),
        ("0 0 * * 7", "0 0 0 ? * SUN"),
        ("0 0 * * 5-7", "0 0 0 ? * SUN,FRI,SAT"),
        ("0 0 * * 0-7", "0 0 0 ? * *"),
        ("0 0 * * */2", "0 0 0 ? * SUN,TUE,THU,SAT"),
        ("0 0 */2 * *", "0 0 0 1/2 * ?"),
        ("0 0 1-9/4 * *", "0 0 0 1,5,9 * ?"),
    ],
)
def test_looks_like_what_a_person_would_write(cron: str, quartz: str) -> None:
    assert to_quartz(cron, "p") == quartz


@pytest.mark.parametrize("cron", ["0 0 1 * 1", "0 0 */2 * 1-5", "0 0 1-31 * 1", "0 0 H * 1", "0 0 1 * 0-7"])
def test_both_days_are_refused(cron: str) -> None:
    with pytest.raises(ValueError, match="only one of them"):
        to_quartz(cron, "p")


def test_hash_belongs_to_the_name() -> None:
    assert to_quartz("H H * * *", "a") == to_quartz("H H * * *", "a")
    assert len({to_quartz("H H * * *", f"p{n}") for n in range(20)}) > 10


def _part(field: Field) -> st.SearchStrategy[str]:
    number = st.integers(field.low, field.high)
    span = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
    step = st.integers(1, field.high)
    stepped = st.tuples(st.one_of(span, st.just("*"), st.just("H")), step).map(
        lambda two: f"{two[0]}/{two[1]}"
    )
    return st.one_of(st.just("*"), st.just("H"), number.map(str), span, stepped)


def _field(field: Field) -> st.SearchStrategy[str]:
    return st.one_of(st.just("*"), st.lists(_part(field), min_size=1, max_size=3).map(",".join))


@settings(max_examples=300, deadline=None)
@given(st.tuples(*(_field(field) for field in FIELDS)).map(" ".join), st.text(max_size=5))
def test_never_a_different_time(cron: str, name: str) -> None:
    try:
        quartz = Quartz(to_quartz(cron, name))
    except ValueError as error:
        assume("only one of them" not in str(error))
        raise
    settled = Cron(str(Schedule.parse(cron).settled(name)))
    moments = [
        day.replace(hour=next(iter(quartz.sets[2])), minute=next(iter(quartz.sets[1]))) for day in DAYS
    ]
    moments += [
        datetime(2027, 1, 1, hour, minute) for hour in range(24) for minute in (0, 1, 2, 7, 29, 30, 58, 59)
    ]
    for moment in moments:
        assert quartz.fires(moment) == settled.fires(moment), moment
    day = next(
        (
            day
            for day in DAYS
            if quartz.fires(day.replace(hour=min(quartz.sets[2]), minute=min(quartz.sets[1])))
        ),
        None,
    )
    if day:  # every minute of a day on which it fires
        for moment in (day + timedelta(minutes=n) for n in range(1440)):
            assert quartz.fires(moment) == settled.fires(moment), moment
