"""Times that are typed about a person go by the clocks where that person is."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click
import pytest

from llum.cli.person_times import TypedTime

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1560000000.5", 1_560_000_000.5),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=TOKYO).timestamp()),
        ("2026-11-24 10:00", datetime(2026, 11, 24, 10, tzinfo=TOKYO).timestamp()),
        ("2026-11-24T10:00Z", datetime(2026, 11, 24, 19, tzinfo=TOKYO).timestamp()),
    ],
)
def test_forms(text: str, moment: float) -> None:
    """Seconds, and ISO 8601: without a zone in the person's."""
    assert TypedTime(text).by_clock_of(TOKYO) == moment


def midnights() -> set[float]:
    """The last two midnights of the person; one more, should it strike meanwhile."""
    today = datetime.now(TOKYO).replace(hour=0, minute=0, second=0, microsecond=0)
    return {(today + timedelta(days=days)).timestamp() for days in (-2, -1, 0)}


@pytest.mark.parametrize("text", ["today", "yesterday", "yesterday 00:00"])
def test_a_day_without_a_time_is_its_midnight(text: str) -> None:
    """So that a day is from its name to that of the next."""
    assert TypedTime(text).by_clock_of(TOKYO) in midnights()


def test_words_with_a_time_keep_it() -> None:
    """Both of the day and of a while ago."""
    ten = datetime.fromtimestamp(TypedTime("yesterday 10:00").by_clock_of(TOKYO), TOKYO)
    assert (ten.hour, ten.minute) == (10, 0)
    before = datetime.now(TOKYO).timestamp()
    ago = TypedTime("5 minutes ago").by_clock_of(TOKYO)
    assert before - 300 - 1 <= ago <= datetime.now(TOKYO).timestamp() - 300 + 1


def test_what_is_no_time_is_said() -> None:
    """With the forms that are."""
    with pytest.raises(click.UsageError, match="such as 2031-05-04T10:00"):
        TypedTime("tomorow").by_clock_of(TOKYO)
