"""Cron specifications: what cronsim reads, what llum puts in front, and where a mistake is."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.rules.schedules import CronError, Schedule, missed_of, parse_cron


@pytest.mark.parametrize(
    ("text", "fields", "times"),
    [
        ("* * * * *", "* * * * *", 1),
        ("*/15 9-17 * jan,dec mon-fri", "*/15 9-17 * jan,dec mon-fri", 1),
        ("0 0 31 DEC ?", "0 0 31 DEC *", 1),
        ("0 0 29 feb *", "0 0 29 feb *", 1),
        ("0 0 * * 7", "0 0 * * 7", 1),
        ("0 0 * * 5-7", "0 0 * * 5-7", 1),
        ("0 0 31 2 1", "0 0 31 2 1", 1),
        ("  5,1-3/2  0 1 1 0 ", "5,1-3/2 0 1 1 0", 1),
        ("0 0 L * *", "0 0 L * *", 1),
        ("0 9 * * MON#1", "0 9 * * MON#1", 1),
        ("*/20 * * * * *", "*/20 * * * * *", 3),
        ("* * * * * *", "* * * * * *", 60),
        ("30 0 9 * * *", "30 0 9 * * *", 1),
        ("0 0 9 * * *", "0 9 * * *", 1),
        ("@daily", "0 0 * * *", 1),
        ("@HOURLY", "0 * * * *", 1),
        ("@yearly", "0 0 1 1 *", 1),
    ],
)
def test_a_specification_becomes_the_fields_of_cronsim(text: str, fields: str, times: int) -> None:
    """`@daily` and the like are spelt out, a `?` is a star, and six fields that begin with 0 are the other five."""
    assert parse_cron(text) == Schedule(fields, times_a_minute=times)


def test_settings_stand_in_front() -> None:
    """A time zone, and what becomes of a firing that comes too late. Without a zone it goes by the person's."""
    assert parse_cron("TZ=Australia/Sydney 0 9 * * *") == Schedule("0 9 * * *", "Australia/Sydney")
    assert parse_cron("CRON_TZ=Etc/GMT+5 0 9 * * *").time_zone == "Etc/GMT+5"
    assert parse_cron("MISSED=once @daily") == Schedule("0 0 * * *", None, "once")
    assert parse_cron("MISSED=once TZ=UTC 0 9 * * *") == parse_cron("TZ=UTC MISSED=once 0 9 * * *")
    assert parse_cron("0 9 * * *").time_zone is None
    assert parse_cron("0 9 * * *").missed == parse_cron("MISSED=skip 0 9 * * *").missed == "skip"


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
        ("0 5-2 * * *", 2, "an hour from 0 to 23"),
        ("*/0 * * * *", 0, "a minute from 0 to 59"),
        ("0 ,5 * * *", 2, "an hour from 0 to 23"),
        ("0 5,,6 * * *", 4, "an hour from 0 to 23"),
        ("61 0 0 * * *", 0, "a second from 0 to 59"),
        ("0 0 30 feb *", 4, "no such day"),
        ("0 0 31 apr,jun *", 4, "no such day"),
        ("0 ５ * * *", 2, "an hour from 0 to 23"),
        ("0 0 * * ſun", 8, "a day of week"),
        ("@often", 0, "expected one of @yearly"),
        ("TZ=../../etc/passwd 0 0 * * *", 3, "time zone"),
        ("MISSED=always 0 0 * * *", 7, "MISSED=once"),
        ("TZ=UTC", 0, "five fields"),
    ],
)
def test_what_never_comes_or_cannot_be_read_is_refused(text: str, offset: int, message: str) -> None:
    """The error says at which character and what was expected."""
    with pytest.raises(CronError) as caught:
        parse_cron(text)
    assert message in caught.value.message
    assert caught.value.offset == offset


@given(st.one_of(st.text(max_size=40), st.text("0123456789*/-, ?#LWmonjanTZ=", max_size=60)))
def test_the_parser_raises_nothing_but_its_error(text: str) -> None:
    """Whatever the text; and whoever only wants to know what is missed gets an answer."""
    with suppress(CronError):
        assert isinstance(parse_cron(text), Schedule)
    assert missed_of(text) in ("skip", "once")
