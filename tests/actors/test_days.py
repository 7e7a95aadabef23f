"""How long something held, day by day, by the clocks of the person."""

import itertools
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.days import MAX_DAYS, days_of
from model.resolvers.summaries import shipped_with
from schemas.commands import SetTimeZone
from schemas.errors import Code
from schemas.evidence import EvidenceFilter
from schemas.queries import Ask
from tests.model.given import Person

HOUR = 3600.0


def at(zone: str, text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("zone", "day", "begin", "hours"),
    [
        ("Europe/Amsterdam", "2027-03-28", "2027-03-28T00:00+01:00", 23),
        ("Europe/Amsterdam", "2026-10-25", "2026-10-25T00:00+02:00", 25),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00-02:00", 23),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-04T00:00+10:30", 23.5),
        ("America/Havana", "2026-11-01", "2026-11-01T00:00-04:00", 25),
        ("Asia/Tokyo", "2026-11-24", "2026-11-24T00:00+09:00", 24),
        ("America/Toronto", "1919-03-31", "1919-03-31T00:30-04:00", 23.5),
    ],
)
def test_a_day_is_from_midnight_to_midnight(zone: str, day: str, begin: str, hours: float) -> None:
    """Clocks that are put forward or back make it shorter or longer; a midnight that is left out moves."""
    noon = at(zone, f"{day}T12:00")
    (found,) = days_of(zone)(None, noon, noon + 1)
    assert (found.name, found.begin) == (day, datetime.fromisoformat(begin).timestamp())
    assert (found.end - found.begin) / HOUR == hours


def test_a_day_that_was_left_out_is_not_there() -> None:
    """Samoa went over the date line."""
    zone = "Pacific/Apia"
    days = days_of(zone)(None, at(zone, "2011-12-29T12:00"), at(zone, "2012-01-01T12:00"))
    assert [day.name for day in days] == ["2011-12-29", "2011-12-31", "2012-01-01"]


ZONES = ["Europe/Amsterdam", "America/Sao_Paulo", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia", "UTC"]


@given(st.sampled_from(ZONES), st.floats(0, 2e9), st.floats(0, 400 * 86_400.0))
def test_days_follow_one_another(zone: str, since: float, length: float) -> None:
    """Each begins when the one before ends, and together they are all of the time."""
    days = days_of(zone)(None, since, since + length)
    assert all(one.end == following.begin for one, following in itertools.pairwise(days))
    if length:
        assert days[0].begin <= since
        assert days[-1].end >= since + length > days[-1].begin


def active(zone: str, *changes: tuple[str, Any]) -> Person:
    """A person in a zone who was told to be active (1) or idle (0) from these times on."""
    person = Person(resolvers=shipped_with(days_of()))
    person.do(SetTimeZone(id="z", time_zone=zone))
    for moment, value in changes:
        person.tell("age", value, time=at(zone, moment))
    return person


def test_a_state_is_split_at_the_persons_midnight() -> None:
    """What began on Monday evening is Tuesday's from midnight on."""
    zone = "Asia/Tokyo"
    person = active(zone, ("2023-11-13T22:00", 1), ("2023-11-14T03:00", 0))
    now = at(zone, "2023-11-14T12:00")
    by_day = person.value("age", resolver="time_in_state", resolver_arguments={"by": "day"}, now=now)
    assert by_day == {"2023-11-13": {"1": 2 * HOUR}, "2023-11-14": {"1": 3 * HOUR, "0": 9 * HOUR}}
    arguments = {"by": "day", "state": 1, "time_zone": "UTC"}
    in_utc = person.value("age", resolver="time_in_state", resolver_arguments=arguments, now=now)
    assert in_utc == {"2023-11-13": 5 * HOUR, "2023-11-14": 0.0}


@pytest.mark.parametrize("reload", [False, True])
def test_a_period_knows_what_held_when_it_began(reload: bool) -> None:
    """Tuesday's activity counts from midnight on, though it was told on Monday, and until midnight."""
    zone = "Europe/Amsterdam"
    person = active(zone, ("2023-11-13T22:00", 1), ("2023-11-14T03:00", 0), ("2023-11-14T23:00", 1))
    if reload:
        person.reload()
    period = EvidenceFilter(
        name="held", held_from=at(zone, "2023-11-14T00:00"), held_until=at(zone, "2023-11-15T00:00")
    )
    now = at(zone, "2023-11-20T12:00")
    answer = person.answer("age", resolver="time_in_state", evidence_filter=period, include_evidence=True, now=now)
    assert answer.value == {"1": 4 * HOUR, "0": 20 * HOUR}
    assert [piece.value for piece in answer.evidence or []] == [0, 1]


def test_a_day_with_25_hours_has_them() -> None:
    """An hour that comes twice counts twice."""
    zone = "Europe/Amsterdam"
    person = active(zone, ("2022-10-29T12:00", 1))
    value = person.value(
        "age", resolver="time_in_state", resolver_arguments={"by": "day"}, now=at(zone, "2022-10-31T00:00")
    )
    assert value == {"2022-10-29": {"1": 12 * HOUR}, "2022-10-30": {"1": 25 * HOUR}}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"by": "week"}, "by"),
        ({"by": "day", "time_zone": "Europe/Amsterdan"}, "time_zone"),
        ({"by": "day", "since": 0}, "since"),
    ],
)
def test_what_cannot_be_split_is_said(arguments: dict[str, Any], field: str) -> None:
    """By what, in which zone, and for how long."""
    person = active("UTC", ("1990-01-01T00:00", 1))
    query = Ask(context=["Personal"], view=["age"], resolver="time_in_state", resolver_arguments=arguments)
    reply = person.ask(query, now=at("UTC", "2023-01-01T00:00"))
    (failure,) = reply.failures
    assert (failure.error.code, failure.error.field) == (Code.BAD_FIELD, f"resolver_arguments.{field}")
    assert at("UTC", "2023-01-01T00:00") - at("UTC", "1990-01-01T00:00") > MAX_DAYS * 86_400
