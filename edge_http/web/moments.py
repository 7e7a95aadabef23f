"""Times as a person reads them, in the person's own time zone."""

from datetime import UTC, datetime, tzinfo
from typing import Final

from schemas.errors import Refusal

_FORM: Final = "%-d %b %Y, %H:%M"


def moment(seconds: float, zone: str | None = None) -> str:
    """Write a time (seconds since 1970), such as `26 Nov 2026, 09:41`. One in UTC, as it is without a zone, says so."""
    try:
        at = datetime.fromtimestamp(seconds, _zone(zone))
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g}"
    return at.strftime(_FORM) + (" UTC" if zone in (None, "UTC") else "")


def iso(seconds: float) -> str:
    """Write a time for `<time datetime>`; empty: no calendar has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return ""


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    # It brings the time zones of the machine, which an edge without pages never needs.
    from bus.time_zones import zone_named

    try:
        return zone_named(name)
    except Refusal:
        return UTC
