"""What is told of an installation. `llum status --json` prints it as it is here."""

from typing import Final

import msgspec

from bus.aside import Aside

PER_MILLION: Final = 1_000_000
DAY_S: Final = 86_400.0

YOUNGEST_S: Final = 3600.0
"""Seconds that a log must cover before it tells how fast it grows."""


FEWEST_COMMANDS: Final = 1000
"""Commands that a log must hold before it tells what a million would take."""


class RunningProcess(msgspec.Struct, frozen=True):
    """A process of a running llum."""

    name: str
    """As `llum` calls it: `supervisor`, `nats-server`, `worker`, `edge`."""
    pid: int
    memory_bytes: int
    """Resident; what processes share counts in each."""


class WorkerStanding(msgspec.Struct, frozen=True):
    """A worker, as it says of itself."""

    id: str
    host: str
    version: str
    partitions: int
    """How many it answers for."""
    draining: bool
    """Whether it serves nothing new, as somebody wants it so, or as it ends."""
    newest_level: int = 1
    """The highest level that it knows."""
    stopped: int = 0
    """How many partitions it has stopped, as it does not know their level."""


class Log(msgspec.Struct, frozen=True):
    """What is told of the log."""

    bytes: int
    """Bytes of its files; of a log on another machine, those that its nats-server counts."""
    messages: int | None = None
    """Commands in it. Null: unknown while nothing runs."""
    oldest: float | None = None
    """When the oldest one was stored, or, while nothing runs, when the log was made. Seconds since 1970."""
    elsewhere: bool = False
    """It is on another machine."""
    made: float | None = None
    """When the log was made. Null: unknown."""
    cut: float | None = None
    """When it was cut last, seconds since 1970: what was before `oldest` is in snapshots alone. Null: it never was."""


class Shards(msgspec.Struct, frozen=True):
    """What is told of the shards, with their write-ahead logs."""

    files: int
    bytes: int
    aside: list[Aside] = []
    """Those that were set aside, the oldest first. Their bytes count too."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How an installation stands."""

    running: bool
    ready: bool
    """A tell and an ask of any person are answered."""
    reasons: list[str] = []
    """Why it is not ready, and what to do."""
    lost: list[str] = []
    """What the log has lost, as far as that is known, and what to do."""
    differs: list[str] = []
    """Copies of partitions that are not as the others are, and what to do."""
    http: str | None = None
    nats: str | None = None
    processes: list[RunningProcess] = []
    workers: list[WorkerStanding] = []
    """Those that are there or have been a few seconds ago, by host."""
    levels: dict[int, int] = {}
    """How many partitions have each level, of those that a worker answers for."""
    people: int | None = None
    """Those who have a model. Null: unknown while nothing runs."""
    safes: int | None = None
    """Safes of preferences that are models of their own."""
    data_dir: str | None
    """Null: there is none on this machine. Then there is nothing of shards and disk, either."""
    log: Log
    log_bytes_per_million: int | None = None
    """Bytes of the log per million commands. Null: too few to tell."""
    shards: Shards
    shard_bytes_per_million: int | None = None
    free_bytes: int | None
    """On the disk of the data folder."""
    bytes_per_day: float | None = None
    """Growth of log and shards on this disk since the oldest command. Null: too young to tell."""
    days_left: float | None = None
    """Until the disk is full at that rate. Null: unknown."""


def with_rates(standing: Standing, now: float) -> Standing:
    """Work out what follows from what was found."""
    log, shards = standing.log, standing.shards
    per_day = _per_day(log, shards, now)
    return msgspec.structs.replace(
        standing,
        log_bytes_per_million=_per_million(log.bytes, log.messages),
        shard_bytes_per_million=_per_million(shards.bytes, log.messages),
        bytes_per_day=per_day,
        days_left=standing.free_bytes / per_day if per_day and standing.free_bytes is not None else None,
    )


def _per_million(size: int, commands: int | None) -> int | None:
    return round(size / commands * PER_MILLION) if commands and commands >= FEWEST_COMMANDS else None


def _per_day(log: Log, shards: Shards, now: float) -> float | None:
    if log.oldest is None or now - log.oldest < YOUNGEST_S:
        return None
    # Of a log that was cut, the shards are older than what is left of it.
    begun = log.oldest if log.cut is None or log.made is None else min(log.made, log.oldest)
    per_s = shards.bytes / (now - begun) + (0 if log.elsewhere else log.bytes / (now - log.oldest))
    return per_s * DAY_S
