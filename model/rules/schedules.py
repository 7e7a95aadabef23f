"""Cron specifications, read and turned into the schedules of nats-server (six fields, seconds first).

    minute hour day-of-month month day-of-week      with lists, ranges, steps and names: `*/15 9-17 * jan,dec mon-fri`

An addition of llum: six fields start with seconds. In front there may be a time zone, `TZ=Australia/Sydney 0 9 * * *`;
without one the times are UTC. Where day of month and day of week are both restricted, either will do. Sunday is 0 or 7.
"""

import re
from typing import Final, NamedTuple

import msgspec

DEFAULT_TIME_ZONE: Final = "UTC"

_SHORTCUTS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ZONE: Final = re.compile(r"(?:CRON_)?TZ=(?P<zone>\S*)")
_ZONE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")
_WORD: Final = re.compile(r"\S+")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LAST_DAY: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Schedule(msgspec.Struct, frozen=True):
    """When something fires, in the words of nats-server."""

    pattern: str
    """Six fields: second, minute, hour, day of month, month, day of week; numbers only."""
    time_zone: str = DEFAULT_TIME_ZONE


class CronError(Exception):
    """What is wrong with a specification, and at which character of it, counted from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    names: dict[str, int]


_FIELDS: Final = (
    _Field("second", 0, 59, {}),
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field("day of week", 0, 7, {name: number for number, name in enumerate(_DAYS)}),
)


class _Word(NamedTuple):
    text: str
    offset: int


def parse_cron(text: str) -> Schedule:
    """Read a specification in time linear in its length, or raise `CronError`."""
    words = [_Word(match.group(), match.start()) for match in _WORD.finditer(text)]
    zone = DEFAULT_TIME_ZONE
    if words and (match := _ZONE.fullmatch(words[0].text)):
        zone = _checked_zone(match["zone"], words.pop(0))
    if len(words) == 1 and words[0].text.lower() in _SHORTCUTS:
        at = words[0].offset
        words = [_Word(field, at) for field in _SHORTCUTS[words[0].text.lower()].split()]
    if len(words) not in (5, 6):
        message = "expected five fields: minute, hour, day of month, month, day of week (or six, seconds first)"
        raise CronError(f"{message}; there are {len(words)}", words[-1].offset if words else 0)
    fields = [_read_field(field, word) for field, word in zip(_FIELDS[-len(words) :], words, strict=True)]
    seconds = ["0"] if len(fields) == 5 else []
    _check_that_it_comes(fields[-3:], words[-3])
    return Schedule(" ".join(seconds + [_written(values) for values in fields]), zone)


def _checked_zone(zone: str, word: _Word) -> str:
    if not _ZONE_NAME.fullmatch(zone):
        raise CronError("expected the name of a time zone such as Europe/Vienna", word.offset)
    return zone


def _read_field(field: _Field, word: _Word) -> frozenset[int] | None:
    """Give the values of a field; None: every one."""
    if word.text in ("*", "?"):
        return None
    values: set[int] = set()
    offset = word.offset
    for part in word.text.split(","):
        values.update(_read_part(field, _Word(part, offset)))
        offset += len(part) + 1
    if field.last == 7 and 7 in values:
        values = (values - {7}) | {0}
    return frozenset(values)


def _read_part(field: _Field, part: _Word) -> range:
    """Read `*`, a value or a range, each but the value with an optional step."""
    span, slash, step = part.text.partition("/")
    first, dash, last = span.partition("-")
    if span == "*":
        low, high = field.first, min(field.last, 6) if field.last == 7 else field.last
    else:
        low = _number(field, _Word(first, part.offset))
        high = _number(field, _Word(last, part.offset + len(first) + 1)) if dash else low
    if low > high:
        raise CronError(f"the range {span[:40]} of the {field.name} ends before it begins", part.offset)
    if not slash:
        return range(low, high + 1)
    if not dash and span != "*":
        raise CronError(f"a step needs * or a range in front of it, as in {field.first}-{field.last}/2", part.offset)
    return range(low, high + 1, _step(field, _Word(step, part.offset + len(span) + 1)))


def _number(field: _Field, word: _Word) -> int:
    number = field.names.get(word.text.lower())
    if number is None and word.text.isascii() and word.text.isdigit() and len(word.text) <= 4:
        number = int(word.text)
    if number is None or not field.first <= number <= field.last:
        names = f" or {min(field.names)}, …" if field.names else ""
        raise CronError(
            f"expected a {field.name} from {field.first} to {field.last}{names}, not {word.text[:40]!r}", word.offset
        )
    return number


def _step(field: _Field, word: _Word) -> int:
    if not (word.text.isascii() and word.text.isdigit() and len(word.text) <= 4 and int(word.text)):
        raise CronError(f"expected a step of the {field.name}, a number from 1, not {word.text[:40]!r}", word.offset)
    return int(word.text)


def _check_that_it_comes(fields: list[frozenset[int] | None], word: _Word) -> None:
    """Refuse days that no month has, such as the 31st of February: nats-server would refuse them."""
    days, months, weekdays = fields
    if days is None or weekdays is not None:
        return
    if all(min(days) > _LAST_DAY[month - 1] for month in months or range(1, 13)):
        raise CronError("there is no such day in these months", word.offset)


def _written(values: frozenset[int] | None) -> str:
    return "*" if values is None else ",".join(map(str, sorted(values)))
