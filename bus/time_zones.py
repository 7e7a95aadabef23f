"""Which time zones there are, for whoever sends a zone's name to the bus, and for what computes with zones.

The operating system's data come first, as they are newest; the package `tzdata` has them where the system has none.
"""

import zoneinfo
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from schemas.errors import Code, Refusal
from schemas.time_zones import UTC, ZONE_HINT, check_zone_name

MAX_ZONES: Final = 1024
"""Zones kept; there are about 600."""

_SIMILAR: Final = 0.6
"""How alike names are that may have been meant: 1 is the same."""


@lru_cache(maxsize=MAX_ZONES)
def zone_named(name: str, field: str = "time_zone") -> ZoneInfo:
    """Find a zone by its exact name. Raises `bad_field`, with the name that was perhaps meant."""
    check_zone_name(name, field)
    # UTC is everywhere, and looking for all others takes a tenth of a start.
    if name != UTC and name not in _names():
        raise Refusal(Code.BAD_FIELD, f"there is no time zone {name}", field, _hint(name))
    return ZoneInfo(name)


@cache
def _names() -> frozenset[str]:
    """Give the names of all zones. A file that happens to lie there (`posixrules`) is none."""
    return frozenset(zoneinfo.available_timezones())


def _hint(name: str) -> str:
    import difflib  # here: hardly anybody needs it

    by_last = {zone.rpartition("/")[2].lower(): zone for zone in sorted(_names(), reverse=True)}
    lower = {zone.lower(): zone for zone in _names()} | by_last
    near = difflib.get_close_matches(name.lower().replace(" ", "_"), lower, 1, _SIMILAR)
    return f"did you mean {lower[near[0]]}?" if near else ZONE_HINT
