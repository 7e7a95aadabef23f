"""Times as they are typed about a person: by the clocks where that person is."""

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

if TYPE_CHECKING:
    from llum.client import Client
    from llum.settings import Settings

_FORMS: Final = 'seconds since 1970, a form such as 2031-05-04T10:00, or words such as "yesterday 10:00"'


class TypedTime(NamedTuple):
    """A time as it was typed, of which it is not yet known by which clock."""

    text: str

    def by_clock_of(self, zone: tzinfo) -> float:
        """Give seconds since 1970. A day without a time is its midnight. Raises `UsageError`."""
        try:
            return float(self.text)
        except ValueError:
            moment = _from_iso(self.text) or _from_words(self.text, zone)
        if moment is None:
            raise click.UsageError(f"{self.text!r} is no time; give {_FORMS}")
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


async def by_clock_of(client: "Client", user: str, settings: "Settings", typed: "dict[str, TypedTime | None]") -> Any:
    """Give the times that are typed, seconds since 1970; the zone is looked up if there are any."""
    given = {name: one for name, one in typed.items() if one is not None}
    if not given:
        return {}
    zone = await _zone_of(client, user, settings)
    return {name: one.by_clock_of(zone) for name, one in given.items()}


async def _zone_of(client: "Client", user: str, settings: "Settings") -> tzinfo:
    from bus.time_zones import zone_named
    from schemas.errors import Code, Refusal

    try:
        own = (await client.get_context(user)).time_zone
    except Refusal as refusal:
        if refusal.code is not Code.PERMISSION_DENIED:
            raise
        own = None  # an app that may not look at the root
    return zone_named(own or settings.time_zone)


def _from_iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _from_words(text: str, zone: tzinfo) -> datetime | None:
    # It takes long to import, and few write times so.
    from dateparser.date import DateDataParser

    settings = {
        "PARSERS": ["relative-time", "absolute-time", "custom-formats"],
        "REQUIRE_PARTS": [],
        "PREFER_DATES_FROM": "past",
        "RETURN_TIME_AS_PERIOD": True,
        "RELATIVE_BASE": datetime.now(zone).replace(tzinfo=None),
    }
    found = DateDataParser(languages=["en"], settings=settings).get_date_data(text)
    moment: datetime | None = found.date_obj
    if moment is not None and found.period != "time":
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment
