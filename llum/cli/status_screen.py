"""How llum stands, as text for people: one screen, whatever its width."""

import textwrap
from collections.abc import Iterator
from typing import Final

from bus.aside import Aside, AsideReason
from llum.cli.render import moment
from llum.status.standing import Log, Shards, Standing, WorkerStanding
from schemas.levels import NEWEST

SOON_DAYS: Final = 30.0
"""Days until the disk is full from which on that is a warning."""

_WHY_ASIDE: Final[dict[AsideReason, str]] = {
    "damaged": "was damaged",
    "other_log": "was of another log",
    "differs": "was not as others are",
    "behind": "lacked what had been cut off the log",
}

_GAP: Final = "  "
_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")

_KEEPS_ALL: Final = "The log keeps every command unless llum cuts it (`llum admin log cut`): delete nothing of it."
_WAS_CUT: Final = "What was cut off the log is in snapshots alone: `llum admin snapshots --verify` reads them all."
_MAKE_ROOM: Final = "Make room on this disk, or move the data folder to a larger one while llum is stopped."


def screen(standing: Standing, width: int) -> str:
    """Lay it out for lines of so many characters. Words are not broken."""
    rows = list(_rows(standing))
    indent = max(len(label) for label, _ in rows) + len(_GAP)
    lines = [line for label, text in rows for line in wrapped(text, width, label.ljust(indent), " " * indent)]
    warning = standing.days_left is not None and standing.days_left < SOON_DAYS
    notes = [_KEEPS_ALL if standing.log.cut is None else _WAS_CUT, *([_MAKE_ROOM] if warning else [])]
    return "\n".join([*lines, "", *(line for note in notes for line in wrapped(note, width))])


def _rows(standing: Standing) -> Iterator[tuple[str, str]]:
    yield "llum", "ready" if standing.ready else "not ready" if standing.running or standing.nats else "not running"
    yield from (("why", reason) for reason in standing.reasons)
    yield from (("lost", what) for what in standing.lost)
    yield from (("differs", what) for what in standing.differs)
    if standing.http:
        yield "http", standing.http
    if standing.nats:
        yield "nats", standing.nats
    yield from ((process.name, f"pid {process.pid}, {size(process.memory_bytes)}") for process in standing.processes)
    if standing.levels:
        yield "level", _level(standing.levels)
    if len(standing.workers) > 1 or any(worker.draining or worker.stopped for worker in standing.workers):
        yield from (("worker", _worker(worker)) for worker in standing.workers)
    if standing.people is not None:
        yield "people", f"{standing.people:,}"
    if standing.safes:
        yield "safes", f"{standing.safes:,}"
    yield "folder", standing.data_dir or "none on this machine"
    yield "log", _log(standing.log, standing.log_bytes_per_million)
    if standing.log.oldest is not None:
        yield "since", moment(standing.log.oldest)
    if standing.log.cut is not None:
        yield "cut", f"at {moment(standing.log.cut)}: shards are made anew from snapshots, and not from the log alone"
    if standing.free_bytes is not None:
        yield "shards", _shards(standing.shards, standing.shard_bytes_per_million)
        yield from (("set aside", aside_in_words(one)) for one in standing.shards.aside)
        yield "disk", f"{size(standing.free_bytes)} free"
        yield "growth", _growth(standing)


def _worker(worker: WorkerStanding) -> str:
    served = "1 partition" if worker.partitions == 1 else f"{worker.partitions} partitions"
    state = ", draining" if worker.draining else ""
    if worker.stopped:
        state += (
            f", knows levels up to {worker.newest_level} and has stopped {worker.stopped}: start a later llum there"
        )
    return f"{worker.id} on {worker.host}, {served}{state}"


def _level(levels: dict[int, int]) -> str:
    """Say which level the partitions have, and what is to be done about it."""
    if len(levels) > 1:
        each = ", ".join(f"{level} in {count} partitions" for level, count in levels.items())
        return f"{each}: `llum admin upgrade` raises all"
    (level,) = levels
    return f"{level}: `llum admin upgrade` raises it to {NEWEST}" if level < NEWEST else f"{level}"


def _log(log: Log, per_million: int | None) -> str:
    parts = [size(log.bytes)]
    if log.messages is not None:
        parts.append(f"{log.messages:,} commands")
    if log.elsewhere:
        parts.append("on the machine of its nats-server")
    return ", ".join(parts + _each(per_million))


def _shards(shards: Shards, per_million: int | None) -> str:
    files = "1 file" if shards.files == 1 else f"{shards.files} files"
    return ", ".join([size(shards.bytes), files, *_each(per_million)])


def aside_in_words(one: Aside) -> str:
    """Say what was set aside, and when it goes."""
    why = _WHY_ASIDE[one.reason]
    until = moment(one.until)
    return f"shard {one.partition} {why}, {size(one.bytes)}, since {moment(one.since)}; deleted at {until}: {one.path}"


def _each(per_million: int | None) -> list[str]:
    return [] if per_million is None else [f"{size(per_million)} per million"]


def _growth(standing: Standing) -> str:
    if standing.bytes_per_day is None:
        return "not known yet: the log must cover an hour"
    days = "" if standing.days_left is None else f", full in about {_days(standing.days_left)}"
    return f"{size(round(standing.bytes_per_day))} a day{days}"


def _days(days: float) -> str:
    if days >= 3650:
        return "more than ten years"
    return "less than a day" if days < 1 else f"{days:,.0f} days"


def size(count: float) -> str:
    """Write bytes in the largest unit that leaves a number above 1, with three digits."""
    unit = 0
    while count >= 999.5 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    digits = 0 if unit == 0 or count >= 99.5 else 1
    return f"{count:.{digits}f} {_UNITS[unit]}"


def wrapped(text: str, width: int | None, first: str = "", rest: str = "") -> list[str]:
    """Break a text into lines of so many characters, but no word. None: one line."""
    if width is None:
        return [first + text]
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
