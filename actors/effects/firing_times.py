"""When a schedule fires next, by a clock of people: those are put forward and back.

A schedule for certain times of the day (its minute and hour do not begin with `*`) fires once for each of them: a time
that does not exist counts at the end of the gap, and one that comes twice counts the first time. So does Debian's cron,
whose rules cronsim has. Any other schedule, and one with seconds, fires at each instant at which the clock shows one of
its times. There cronsim may miss some where a clock is put forward or back by less than an hour, so it is asked about
the time between two such changes, in which a clock is like any other.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from cronsim import CronSim

from model.rules.schedules import Schedule

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)

_STRIDE: Final = timedelta(days=1)
"""No clock is put forward and back within a day."""


def next_firing(schedule: Schedule, after_s: int, zone: tzinfo) -> int | None:
    """Give the first instant after `after_s`, both in seconds since 1970; None: there is none within 50 years.

    `zone` is the person's, or the schedule's own.
    """
    after = _EPOCH + timedelta(seconds=after_s)
    clock = CronSim(schedule.fields, after.astimezone(zone))
    instants = _of_the_day(clock) if clock.fixup_tz is not None else _of_the_clock(schedule.fields, after, zone)
    for instant in instants:
        # While the clock shows an hour for the second time, cronsim gives times of the first.
        if instant > after:
            return round((instant - _EPOCH).total_seconds())
    return None


def _of_the_day(clock: CronSim) -> Iterator[datetime]:
    return (at.astimezone(UTC) for at in clock)


def _of_the_clock(fields: str, after: datetime, zone: tzinfo) -> Iterator[datetime]:
    begin: datetime | None = after + _SECOND
    while begin is not None:
        offset = _offset(begin, zone)
        found = next(CronSim(fields, (begin + offset - _SECOND).replace(tzinfo=None)), None)
        if found is None:
            return
        instant = found.replace(tzinfo=UTC) - offset
        begin = _change(begin, instant, zone)
        if begin is None:
            yield instant


def _change(begin: datetime, end: datetime, zone: tzinfo) -> datetime | None:
    """Give the first second up to `end` at which the clock is put forward or back; None: it is not."""
    while begin < end:
        until = min(begin + _STRIDE, end)
        if _offset(until, zone) != _offset(begin, zone):
            return _bisected(begin, until, zone)
        begin = until
    return None


def _bisected(begin: datetime, end: datetime, zone: tzinfo) -> datetime:
    offset = _offset(begin, zone)
    while end - begin > _SECOND:
        middle = begin + timedelta(seconds=(end - begin) // _SECOND // 2)
        if _offset(middle, zone) == offset:
            begin = middle
        else:
            end = middle
    return end


def _offset(at: datetime, zone: tzinfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()
