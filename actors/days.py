"""The days of a time zone: from midnight to midnight by the clocks there."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from bus.time_zones import zone_named
from model.resolvers.registry import Day, Days
from schemas import time_zones
from schemas.errors import Code, Refusal

MAX_DAYS: Final = 3660
"""Days of one answer: ten years."""

_DAY: Final = timedelta(days=1)


def days_of(time_zone: str = time_zones.UTC) -> Days:
    """Make what gives days. `time_zone` is that of people who have set none."""

    def days(zone: str | None, since: float, until: float) -> list[Day]:
        return [*_days(zone_named(zone or time_zone, "resolver_arguments.time_zone"), since, until)]

    return days


def _days(zone: tzinfo, since: float, until: float) -> Iterator[Day]:
    if until - since > MAX_DAYS * _DAY.total_seconds():
        message, hint = f"these are more than {MAX_DAYS} days", "give since, or a period"
        raise Refusal(Code.BAD_FIELD, message, "resolver_arguments.since", hint)
    day = datetime.fromtimestamp(since, zone).date()
    begin = midnight(day, zone)
    while begin < until:
        day, end = day + _DAY, midnight(day + _DAY, zone)
        if end > begin:  # where a day was left out, it ends when it begins
            yield Day((day - _DAY).isoformat(), begin, end)
        begin = end


def midnight(day: date, zone: tzinfo) -> float:
    """Give the first moment of a day, seconds since 1970: if clocks were put forward over midnight, it is later."""
    at = datetime.combine(day, time(), zone)
    begin = at.timestamp()
    if datetime.fromtimestamp(begin, UTC).astimezone(zone).replace(tzinfo=None) == at.replace(tzinfo=None):
        return begin
    before, after = int(at.replace(fold=1).timestamp()), int(begin)
    while before < after:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).date() < day:
            before = middle + 1
        else:
            after = middle
    return float(after)
