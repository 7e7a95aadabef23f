"""When schedules fire, by clocks of people that are put forward and back. Dates and instants alone: no clock runs.

What is expected is what the clock on the wall shows; for schedules that fire at each instant it is looked up minute by
minute.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from actors.effects.firing_times import next_firing
from actors.effects.schedules import planned_firing
from actors.store.shard import Scheduled
from model.rules.schedules import parse_cron
from schemas.errors import Code, Refusal

AMSTERDAM, SAO_PAULO, LORD_HOWE = "Europe/Amsterdam", "America/Sao_Paulo", "Australia/Lord_Howe"


def seconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp())


def firings(cron: str, zone: str, begin: str, end: str) -> list[str]:
    """Give the firings after `begin` and up to `end`, as the clock on the wall shows them, with its distance to UTC."""
    clock, at, found = ZoneInfo(zone), seconds(begin), []
    while (following := next_firing(parse_cron(cron), at, clock)) is not None and following <= seconds(end):
        assert following > at
        at = following
        found.append(datetime.fromtimestamp(at, clock).isoformat(timespec="minutes"))
    return found


def minutes(zone: str, begin: str, end: str) -> Iterator[datetime]:
    at = datetime.fromisoformat(begin).astimezone(UTC)
    while (at := at + timedelta(minutes=1)) <= datetime.fromisoformat(end):
        yield at.astimezone(ZoneInfo(zone))


def test_a_time_that_does_not_exist_comes_at_the_end_of_the_gap() -> None:
    """In Amsterdam 02:00 to 03:00 is left out on 28 March 2027. It fires once; the next day as always."""
    found = firings("30 2 * * *", AMSTERDAM, "2027-03-27T12:00Z", "2027-03-29T12:00Z")
    assert found == ["2027-03-28T03:00+02:00", "2027-03-29T02:30+02:00"]


def test_several_times_of_a_gap_come_once() -> None:
    """Also with the time at its end."""
    found = firings("0,15,45 2,3 * * *", AMSTERDAM, "2027-03-28T00:00Z", "2027-03-28T02:00Z")
    assert found == ["2027-03-28T03:00+02:00", "2027-03-28T03:15+02:00", "2027-03-28T03:45+02:00"]


def test_a_time_that_comes_twice_fires_the_first_time() -> None:
    """In Amsterdam 02:00 to 03:00 comes twice on 25 October 2026."""
    found = firings("30 2 * * *", AMSTERDAM, "2026-10-24T12:00Z", "2026-10-26T12:00Z")
    assert found == ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]


def test_a_rule_that_is_made_in_the_second_of_two_hours_fires_the_next_day() -> None:
    """The time has come already, before it was made."""
    found = firings("30 2 * * *", AMSTERDAM, "2026-10-25T01:10Z", "2026-10-26T12:00Z")
    assert found == ["2026-10-26T02:30+01:00"]


def test_every_half_hour_fires_at_each_instant() -> None:
    """Both times in the hour that comes twice, and never in the one that is left out."""
    assert firings("*/30 * * * *", AMSTERDAM, "2026-10-24T23:30Z", "2026-10-25T02:00Z") == [
        "2026-10-25T02:00+02:00",
        "2026-10-25T02:30+02:00",
        "2026-10-25T02:00+01:00",
        "2026-10-25T02:30+01:00",
        "2026-10-25T03:00+01:00",
    ]
    assert firings("*/30 * * * *", AMSTERDAM, "2027-03-28T00:00Z", "2027-03-28T01:30Z") == [
        "2027-03-28T01:30+01:00",
        "2027-03-28T03:00+02:00",
        "2027-03-28T03:30+02:00",
    ]


def test_a_midnight_that_does_not_exist_comes_at_one() -> None:
    """In Sao Paulo 4 November 2018 begins at 01:00."""
    found = firings("@daily", SAO_PAULO, "2018-11-03T12:00Z", "2018-11-05T12:00Z")
    assert found == ["2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"]


def test_a_clock_is_put_forward_by_half_an_hour() -> None:
    """On Lord Howe Island 02:00 to 02:30 is left out on 4 October 2026."""
    found = firings("15 2 * * *", LORD_HOWE, "2026-10-03T12:00Z", "2026-10-05T00:00Z")
    assert found == ["2026-10-04T02:30+11:00", "2026-10-05T02:15+11:00"]
    found = firings("45 * * * *", LORD_HOWE, "2026-10-03T14:30Z", "2026-10-03T17:00Z")
    assert found == ["2026-10-04T01:45+10:30", "2026-10-04T02:45+11:00", "2026-10-04T03:45+11:00"]


def test_a_clock_is_put_back_by_half_an_hour() -> None:
    """On Lord Howe Island 01:30 to 02:00 comes twice on 5 April 2026."""
    found = firings("45 1 * * *", LORD_HOWE, "2026-04-04T12:00Z", "2026-04-06T00:00Z")
    assert found == ["2026-04-05T01:45+11:00", "2026-04-06T01:45+10:30"]
    found = firings("45 * * * *", LORD_HOWE, "2026-04-04T14:00Z", "2026-04-04T16:30Z")
    assert found == ["2026-04-05T01:45+11:00", "2026-04-05T01:45+10:30", "2026-04-05T02:45+10:30"]


@pytest.mark.parametrize(
    ("zone", "begin", "end"),
    [
        (AMSTERDAM, "2027-03-27T20:00Z", "2027-03-29T02:00Z"),
        (AMSTERDAM, "2026-10-24T20:00Z", "2026-10-26T02:00Z"),
        (SAO_PAULO, "2018-11-03T20:00Z", "2018-11-05T05:00Z"),
        (SAO_PAULO, "2018-02-17T20:00Z", "2018-02-19T05:00Z"),
        (LORD_HOWE, "2026-10-03T10:00Z", "2026-10-04T20:00Z"),
        (LORD_HOWE, "2026-04-04T10:00Z", "2026-04-05T20:00Z"),
        ("Pacific/Apia", "2011-12-30T00:00Z", "2011-12-31T00:00Z"),
        ("Asia/Kathmandu", "2026-10-03T10:00Z", "2026-10-04T10:00Z"),
        ("UTC", "2026-10-03T10:00Z", "2026-10-04T10:00Z"),
    ],
)
@pytest.mark.parametrize(
    ("cron", "minute", "hour"),
    [
        ("*/30 * * * *", {0, 30}, set(range(24))),
        ("45 * * * *", {45}, set(range(24))),
        ("*/15 3 * * *", {0, 15, 30, 45}, {3}),
        ("*/15 0 * * *", {0, 15, 30, 45}, {0}),
        ("*/20 1-2 * * *", {0, 20, 40}, {1, 2}),
        ("10 */3 * * *", {10}, set(range(0, 24, 3))),
    ],
)
def test_a_schedule_of_every_so_often_is_what_the_clock_shows(
    zone: str, begin: str, end: str, cron: str, minute: set[int], hour: set[int]
) -> None:
    """Each minute at which the clock on the wall shows one of its times, however the clock is moved."""
    shown = [at for at in minutes(zone, begin, end) if at.minute in minute and at.hour in hour]
    assert firings(cron, zone, begin, end) == [at.isoformat(timespec="minutes") for at in shown]


def test_a_schedule_with_seconds_fires_at_each_instant() -> None:
    """Six fields that begin with 0 are five: those fire once."""
    night = (AMSTERDAM, "2026-10-24T12:00Z", "2026-10-25T12:00Z")
    assert firings("15 30 2 * * *", *night) == ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"]
    assert firings("0 30 2 * * *", *night) == ["2026-10-25T02:30+02:00"]


def test_a_rare_day_is_found_and_one_that_never_comes_is_none() -> None:
    """Across years with many changes of the clock."""
    assert firings("*/30 0 29 2 *", AMSTERDAM, "2026-03-01T00:00Z", "2028-03-01T00:00Z") == [
        "2028-02-29T00:00+01:00",
        "2028-02-29T00:30+01:00",
    ]
    assert next_firing(parse_cron("* * */20 * 1L"), 0, ZoneInfo("UTC")) is None


def planned(cron: str, zone: str, after: str) -> str:
    one = Scheduled("alice", ["c", "a"], "7", cron, None)
    return datetime.fromtimestamp(planned_firing(one, zone, seconds(after), 1).at, UTC).isoformat(timespec="minutes")


def test_the_persons_zone_counts_unless_the_schedule_names_one() -> None:
    """After a change of the zone the next firing is by the new one."""
    assert planned("0 9 * * *", AMSTERDAM, "2026-07-01T00:00Z") == "2026-07-01T07:00+00:00"
    assert planned("0 9 * * *", "Asia/Tokyo", "2026-07-01T07:00Z") == "2026-07-02T00:00+00:00"
    assert planned("TZ=UTC 0 9 * * *", AMSTERDAM, "2026-07-01T00:00Z") == "2026-07-01T09:00+00:00"


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("TZ=Mars/Olympus 0 9 * * *", "Mars/Olympus"),
        ("* * */20 * 1L", "50 years"),
        ("no cron at all anyway", "a minute from"),
    ],
)
def test_what_cannot_be_planned_is_refused(cron: str, message: str) -> None:
    """With the code of a rule that has a mistake."""
    with pytest.raises(Refusal, match=message) as caught:
        planned(cron, "UTC", "2026-07-01T00:00Z")
    assert caught.value.code is Code.BAD_RULE


def test_a_person_whose_zone_is_none_is_told() -> None:
    """Whoever sends commands past the SDK may name any zone."""
    with pytest.raises(Refusal, match="Mars/Olympus"):
        planned("0 9 * * *", "Mars/Olympus", "2026-07-01T00:00Z")
