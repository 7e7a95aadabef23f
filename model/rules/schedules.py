"""Cron specifications: read by cronsim, with what llum puts in front of them and where in them a mistake is.

    minute hour day-of-month month day-of-week      with lists, ranges, steps and names: `*/15 9-17 * jan,dec mon-fri`

Six fields start with seconds. In front there may be a time zone and what becomes of a firing that comes too late:
`TZ=Australia/Sydney MISSED=once 0 9 * * *`. When it fires next is computed elsewhere (`actors.effects.firing_times`):
data on time zones change, and what folds the log must mean the same for ever. So does its version of cronsim.
"""

import re
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec
from cronsim import CronSim, CronSimError

from schemas.time_zones import is_zone_name

Missed = Literal["skip", "once"]
"""What becomes of firings that come too late: nothing, or all that were missed fire once."""

LATE_S: Final = 60
"""Seconds after its instant from which a firing has been missed."""

_SHORTCUTS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_SETTING: Final = re.compile(r"(?P<name>(?:CRON_)?TZ|MISSED)=(?P<value>\S*)")
_WORD: Final = re.compile(r"\S+")
_BEGIN: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""cronsim reads nothing without a time to begin with."""

_FIELDS: Final = (
    "a second from 0 to 59",
    "a minute from 0 to 59",
    "an hour from 0 to 23",
    "a day of month from 1 to 31, L for the last or LW for the last weekday",
    "a month from 1 to 12 or jan to dec",
    "a day of week from 0 to 7 or sun to sat, MON#1 for the first Monday of the month or 5L for the last Friday",
)
_DAY_OF_MONTH: Final = -3


class Schedule(msgspec.Struct, frozen=True):
    """When something fires."""

    fields: str
    """As cronsim reads them: five, or six if seconds other than 0 are named."""
    time_zone: str | None = None
    """None: it goes by the person's."""
    missed: Missed = "skip"
    times_a_minute: int = 1
    """How often it fires in the minutes in which it fires."""


class CronError(Exception):
    """What is wrong with a specification, and at which character of it, counted from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class _Word(NamedTuple):
    text: str
    offset: int


def parse_cron(text: str) -> Schedule:
    """Read a specification in time linear in its length, or raise `CronError`."""
    words = [_Word(match.group(), match.start()) for match in _WORD.finditer(text)]
    settings: dict[str, Any] = {}
    while words and (match := _SETTING.fullmatch(words[0].text)):
        settings |= _setting(match, words.pop(0))
    words = _spelt_out(words)
    seconds = _read(words).seconds
    if len(words) == 6 and seconds == {0}:
        words = words[1:]
    fields = " ".join(word.text for word in words)
    return Schedule(fields, times_a_minute=len(seconds) if len(words) == 6 else 1, **settings)


def missed_of(text: str) -> Missed:
    """Give what becomes of firings that come too late; of a specification that cannot be read nothing is left."""
    try:
        return parse_cron(text).missed
    except CronError:
        return "skip"


def _setting(match: re.Match[str], word: _Word) -> dict[str, Any]:
    name, value = match["name"], match["value"]
    at = word.offset + len(name) + 1
    if name == "MISSED":
        if value not in ("skip", "once"):
            raise CronError(f"expected MISSED=skip or MISSED=once, not {value[:40]!r}", at)
        return {"missed": value}
    if not is_zone_name(value):
        raise CronError("expected the name of a time zone such as Europe/Vienna", at)
    return {"time_zone": value}


def _spelt_out(words: list[_Word]) -> list[_Word]:
    """Give the five or six fields, in the characters of cronsim."""
    if len(words) == 1 and words[0].text.startswith("@"):
        shortcut = _SHORTCUTS.get(words[0].text.lower())
        if shortcut is None:
            raise CronError(f"expected one of {', '.join(_SHORTCUTS)}", words[0].offset)
        return [_Word(field, words[0].offset) for field in shortcut.split()]
    if len(words) not in (5, 6):
        message = "expected five fields: minute, hour, day of month, month, day of week (or six, seconds first)"
        raise CronError(f"{message}; there are {len(words)}", words[-1].offset if words else 0)
    return [_Word("*" if word.text == "?" else word.text, word.offset) for word in words]


def _read(words: list[_Word]) -> CronSim:
    try:
        if not all(word.text.isascii() for word in words):
            raise CronSimError
        return CronSim(" ".join(word.text for word in words), _BEGIN)
    except CronSimError as error:
        raise _located(words) from error


def _located(words: list[_Word]) -> CronError:
    """Find the part at fault: alone among stars it is refused, too."""
    for number, (word, expected) in enumerate(zip(words, _FIELDS[-len(words) :], strict=True)):
        offset = word.offset
        for part in word.text.split(","):
            if not _is_read(part, number, len(words)):
                return CronError(f"expected {expected}, not {part[:40]!r}", offset)
            offset += len(part) + 1
    return CronError("there is no such day in these months", words[_DAY_OF_MONTH].offset)


def _is_read(part: str, number: int, count: int) -> bool:
    fields = ["*"] * count
    fields[number] = part
    try:
        CronSim(" ".join(fields), _BEGIN)
    except CronSimError:
        return False
    return part.isascii()
