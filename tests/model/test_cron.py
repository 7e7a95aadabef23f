"""Cron specifications become schedules of nats-server: numbers only, seconds first, a time zone beside."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.rules.schedules import CronError, Schedule, parse_cron


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("* * * * *", "0 * * * * *"),
        ("*/15 9-17 * jan,dec mon-fri", "0 0,15,30,45 9,10,11,12,13,14,15,16,17 * 1,12 1,2,3,4,5"),
        ("0 0 31 12 *", "0 0 0 31 12 *"),
        ("0 0 31 DEC ?", "0 0 0 31 12 *"),
        ("0 0 29 feb *", "0 0 0 29 2 *"),
        ("0 0 * * 7", "0 0 0 * * 0"),
        ("0 0 * * 5-7", "0 0 0 * * 0,5,6"),
        ("0 0 * * */2", "0 0 0 * * 0,2,4,6"),
        ("0 0 31 2 1", "0 0 0 31 2 1"),
        ("  5,1-3/2  0 1 1 0 ", "0 1,3,5 0 1 1 0"),
        ("*/20 * * * * *", "0,20,40 * * * * *"),
        ("@daily", "0 0 0 * * *"),
    ],
)
def test_the_whole_language_is_translated(text: str, pattern: str) -> None:
    """Lists, ranges, steps, names, Sunday as 7, December and the 31st, and six fields with seconds."""
    assert parse_cron(text) == Schedule(pattern)


def test_a_time_zone_stands_in_front() -> None:
    """Without one the times are UTC."""
    assert parse_cron("TZ=Australia/Sydney 0 9 * * *") == Schedule("0 0 9 * * *", "Australia/Sydney")
    assert parse_cron("CRON_TZ=Etc/GMT+5 0 9 * * *").time_zone == "Etc/GMT+5"
    assert parse_cron("0 9 * * *").time_zone == "UTC"


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "five fields"),
        ("* * * *", 6, "there are 4"),
        ("* * * * * * *", 12, "there are 7"),
        ("60 * * * *", 0, "a minute from 0 to 59"),
        ("0 0 0 * *", 4, "a day of month from 1 to 31"),
        ("0 0 1 dez *", 6, "a month from 1 to 12"),
        ("0 0 * * 1,8", 10, "a day of week from 0 to 7"),
        ("0 5-2 * * *", 2, "ends before it begins"),
        ("*/0 * * * *", 2, "a step"),
        ("5/10 * * * *", 0, "needs * or a range"),
        ("0 0 30 feb *", 4, "no such day"),
        ("0 0 31 apr,jun *", 4, "no such day"),
        ("TZ=../../etc/passwd 0 0 * * *", 0, "time zone"),
    ],
)
def test_what_never_comes_or_cannot_be_read_is_refused(text: str, offset: int, message: str) -> None:
    """The error says at which character and what was expected."""
    with pytest.raises(CronError) as caught:
        parse_cron(text)
    assert caught.value.offset == offset
    assert message in caught.value.message


@given(st.one_of(st.text(max_size=40), st.text("0123456789*/-, ?LWmonjan", max_size=60)))
def test_the_parser_raises_nothing_but_its_error(text: str) -> None:
    """Whatever the text."""
    with suppress(CronError):
        assert isinstance(parse_cron(text), Schedule)
