"""Counts by day, and where the bars of the chart are."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from log_llum.logbook import Logged

DAYS: Final = 28
"""Four weeks."""

WIDTH, HEIGHT, FOOT = 672, 180, 24
"""The chart's units: four weeks of 24 each, and a line of dates below."""


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
    label: str
    """The date below it, empty for most."""


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
    step, room = WIDTH / len(days), HEIGHT - FOOT
    most = max((day.total for day in days), default=0) or 1
    return [_bar(number, day, step, room, most, len(days)) for number, day in enumerate(days)]


def _bar(number: int, day: Day, step: float, room: float, most: int, days: int) -> Bar:
    height = room * day.total / most
    says = f"{written(day.date)}: {day.total}"
    label = written(day.date) if (days - 1 - number) % 7 == 0 else ""
    return Bar(round(number * step + 3, 1), round(room - height, 1), round(step - 6, 1), round(height, 1), says, label)


def written(day: date) -> str:
    """Write a date shortly: 3 Nov."""
    return f"{day.day} {day:%b}"
