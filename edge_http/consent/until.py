"""Until when something is allowed, by the person's own clock: the end of today, of Sunday, or of a date."""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from schemas.errors import Code, Refusal

TODAY, SUNDAY, DATE = "today", "sunday", "date"

_SUNDAY: Final = 6


class Until(NamedTuple):
    """What a person has chosen."""

    kind: str = ""
    """`today`, `sunday` or `date`; empty: for as long as they want."""
    date: str = ""
    """Of kind `date`, as browsers write it: `2031-05-04`."""


def end_of(until: Until, now: float, zone: str, field: str) -> float | None:
    """Give when it ends (seconds since 1970), at midnight; None: it does not. Raises `bad_field` naming the field."""
    if not until.kind:
        return None
    from bus.time_zones import zone_named

    clock = zone_named(zone)
    today = datetime.fromtimestamp(now, clock).date()
    day = _day_of(until, today, field)
    if day < today:
        raise Refusal(Code.BAD_FIELD, "this day is over", field, "choose today or a later day")
    try:
        after = day + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=clock).timestamp()
    except (OverflowError, ValueError) as error:
        raise Refusal(Code.BAD_FIELD, "no calendar goes so far", field, "choose an earlier day") from error


def _day_of(until: Until, today: date, field: str) -> date:
    if until.kind == TODAY:
        return today
    if until.kind == SUNDAY:
        return today + timedelta(days=_SUNDAY - today.weekday())
    try:
        return date.fromisoformat(until.date if until.kind == DATE else "")
    except ValueError as error:
        raise Refusal(Code.BAD_FIELD, "that is no date", field, "write it as 2031-05-04") from error
