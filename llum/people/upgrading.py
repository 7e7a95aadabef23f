"""Raising the level of an installation: what each process knows, and a command to each partition.

It may be interrupted at any step and done again: partitions that have the level stay as they are.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from bus.connection import Bus
from bus.installation import find
from bus.micro import EDGE_SERVICE, list_services
from bus.pings import ping
from bus.raising import raise_level
from bus.workers import read_words
from schemas.errors import Code, LlumError, Refusal
from schemas.levels import FIRST_LEVEL, NEWEST
from schemas.replies import Accepted

PING_WITHIN_S: Final = 1.0
"""Seconds for a worker to say which level a partition has."""

APPLIED_WITHIN_S: Final = 30.0
"""Seconds for a partition to apply the raise."""

AT_ONCE: Final = 16
"""Partitions that are asked and raised at the same time."""


class Knower(msgspec.Struct, frozen=True):
    """A process that runs, and what it knows."""

    kind: Literal["worker", "edge"]
    id: str
    host: str
    version: str
    newest_level: int
    """The highest level that it knows."""

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.id} on {self.host}, llum {self.version or '?'}, knows levels up to {self.newest_level}"
        )


class LevelsNow(msgspec.Struct, frozen=True):
    """How an installation stands."""

    levels: list[int | None]
    """Of each partition; null: no worker answers for it."""
    processes: list[Knower]

    @property
    def counts(self) -> dict[int, int]:
        """How many partitions have each level."""
        return counted(level for level in self.levels if level is not None)


class Upgraded(msgspec.Struct, frozen=True):
    """What has come of raising the level."""

    level: int
    raised: list[int]
    """Partitions that have it now, and did not before."""
    waiting: list[int]
    """Partitions in whose log the raise stands, and whose workers have not said that it is applied."""
    failures: list[str]
    """What has kept the log of others from taking it."""


def counted(levels: Iterable[int]) -> dict[int, int]:
    """Count partitions by their level."""
    return dict(sorted(Counter(levels).items()))


async def look_at_levels(bus: Bus) -> LevelsNow:
    """See which levels partitions have, and processes know. Raises `Transient`, and `Refusal` if nothing is there."""
    installation = await find(bus)
    if installation is None:
        raise Refusal(Code.INSTALLATION, "llum is not installed on this nats-server", hint="run `llum admin install`")
    turns = asyncio.Semaphore(AT_ONCE)

    async def level_of(partition: int) -> int | None:
        async with turns:
            reply = await ping(bus, partition, PING_WITHIN_S)
        return None if reply is None else reply.level

    levels = await asyncio.gather(*map(level_of, range(installation.partitions)))
    return LevelsNow(levels, [*await _workers(bus), *await _edges(bus)])


def check_all_know(now: LevelsNow, level: int, *, force: bool = False, newest: int = NEWEST) -> None:
    """Raise `bad_field` if this llum, or a worker that runs, does not know a level. `force`: whatever workers know.

    Edges pass on what they are sent.
    """
    if not FIRST_LEVEL <= level <= newest:
        hint = "install the later llum on this machine first"
        raise Refusal(Code.BAD_FIELD, f"this llum knows levels up to {newest}, not {level}", "to", hint)
    too_old = [one for one in now.processes if one.kind == "worker" and one.newest_level < level]
    if too_old and not force:
        hint = "start a later llum there, or stop them; with --force they stop all that they serve"
        raise Refusal(Code.BAD_FIELD, f"not all workers know level {level}: {'; '.join(map(str, too_old))}", "to", hint)


async def upgrade(bus: Bus, now: LevelsNow, level: int, within_s: float = APPLIED_WITHIN_S) -> Upgraded:
    """Raise all partitions to a level that do not have it, as far as their logs take it now."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def raised(partition: int) -> bool | str:
        async with turns:
            try:
                outcome = await raise_level(bus, partition, level, within_s)
            except LlumError as error:
                return f"partition {partition}: {error.error.message}"
        return isinstance(outcome, Accepted)

    below = [number for number, found in enumerate(now.levels) if found is None or found < level]
    results = await asyncio.gather(*map(raised, below))
    return Upgraded(
        level=level,
        raised=_where(below, results, True),
        waiting=_where(below, results, False),
        failures=[one for one in results if isinstance(one, str)],
    )


def _where(partitions: Sequence[int], results: Sequence[bool | str], wanted: bool) -> list[int]:
    return [number for number, result in zip(partitions, results, strict=True) if result is wanted]


async def _workers(bus: Bus) -> list[Knower]:
    words = await read_words(bus)
    return [Knower("worker", word.id, word.host, word.version, word.newest_level) for word in words]


async def _edges(bus: Bus) -> list[Knower]:
    found = await list_services(bus, EDGE_SERVICE)
    return [
        Knower("edge", one.id, one.metadata.get("host", "?"), one.version, int(one.metadata.get("newest_level", 1)))
        for one in found
    ]
