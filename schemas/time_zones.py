"""Names of time zones, as they look. Whether there is such a zone is looked up by `bus.time_zones`.

What folds the log knows the form alone: zones come and go, and a log must mean the same for ever.
"""

import re
from typing import Final

from schemas.errors import Code, Refusal

UTC: Final = "UTC"
"""The zone of whoever has set none, in an installation that has set none."""

ZONE_HINT: Final = "write it like Europe/Amsterdam"

ZONE_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}$"

_NAME: Final = re.compile(ZONE_PATTERN)


def is_zone_name(text: str) -> bool:
    """Tell whether the text has the form of a zone's name; so it is no path that leads elsewhere, either."""
    return _NAME.fullmatch(text) is not None


def check_zone_name(text: str, field: str) -> None:
    """Raise `bad_field` unless the text has the form of a zone's name."""
    if not is_zone_name(text):
        raise Refusal(Code.BAD_FIELD, f"{text[:80]!r} cannot be a time zone", field, ZONE_HINT)
