"""Counts by day, and where the bars of the chart are."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from log_llum.logbook import Logged

DAYS: Final = 28
"""Four weeks."""

WIDTH, HEIGHT = 672, 160
"""The chart's units: each of its days is 24 wide."""


class Day(NamedTuple):
    """What was logged on one day."""

    date: date
    counts: Counter[str]

    @property
    def total(self) -> int:
        return self.counts.total()


class Bar(NamedTuple):
    """A day's bar in the chart."""

    x: float
    y: float
    width: float
    height: float
    says: str


def first_moment(now: float) -> float:
    """Give when the first day of the chart begins, by this machine's clock."""
    day = datetime.fromtimestamp(now).astimezone() - timedelta(days=DAYS - 1)
    return day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def by_day(pieces: Sequence[Logged], now: float) -> list[Day]:
    """Count what was logged on each of the last days, by this machine's clock; the last is today."""
    today = datetime.fromtimestamp(now).astimezone().date()
    days = {day: Day(day, Counter()) for day in (today - timedelta(days=ago) for ago in reversed(range(DAYS)))}
    for piece in pieces:
        day = datetime.fromtimestamp(piece.time).astimezone().date()
        if day in days:
            days[day].counts[piece.item] += 1
    return list(days.values())


def in_all(days: Sequence[Day]) -> Counter[str]:
    """Count what was logged on all the days together."""
    return sum((day.counts for day in days), Counter())


def bars(days: Sequence[Day]) -> list[Bar]:
    """Place a bar for each day; the highest fills the chart."""
    most = max((day.total for day in days), default=0) or 1
    return [_bar(number, day, WIDTH / len(days), most) for number, day in enumerate(days)]


def _bar(number: int, day: Day, step: float, most: int) -> Bar:
    height = round(HEIGHT * day.total / most, 1)
    says = f"{written(day.date)}: {day.total}"
    return Bar(round(number * step + 3, 1), HEIGHT - height, round(step - 6, 1), height, says)


def weeks(days: Sequence[Day]) -> list[str]:
    """Give the dates that stand below the chart: the last of each week."""
    return [written(day.date) for day in days[6::7]]


def clock(now: float) -> str:
    """Name the clock by which days are counted."""
    return datetime.fromtimestamp(now).astimezone().tzname() or "of this machine"


def written(day: date) -> str:
    """Write a date shortly: 3 Nov."""
    return f"{day.day} {day:%b}"
