"""What the partitions of a worker share."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from actors.absences import Absences
from actors.announce import MayAnswer
from actors.asks import SlowAsks
from actors.beside import Beside
from actors.effects.relaying import Relaying
from actors.figures import Counters
from actors.known_cuts import KnownCuts
from actors.levels import LevelsHere
from actors.listeners import Listeners
from actors.live import ActiveModels
from actors.log_examiner import LogExaminer
from actors.mailbox import Mailroom
from actors.snapshotting import USUAL_POLICY, SnapshotPolicy
from actors.store.digests import Digests
from actors.store.gathering import LargeReads
from actors.uncommitted import Bound
from bus.as_app import new_id
from bus.connection import Bus
from bus.readers import LogReaders
from model.resolvers.registry import Resolvers

PARALLEL_OPENS = 8
"""Shards opened at a time: opening is one thread each, and machines have few cores."""

TRUSTED_S = 24 * 3600.0
"""Seconds after a shard was made anew for a doubt in which the next one is not the disk's: it is not done for ever."""

MAX_WRITING = 1
"""Batches written at a time: threads that write side by side fight for Python's lock, with an eighth more CPU time for
catching up. What waits meanwhile joins a batch. Forgets, which rewrite files, are not among them."""


@dataclass
class Ground:
    """What the partitions of a worker share."""

    bus: Bus
    shard_dir: Path
    log_streams: int
    resolvers: Resolvers
    actives: ActiveModels
    readers: LogReaders
    mailroom: Mailroom
    relaying: Relaying
    digests: Digests
    may_answer: MayAnswer
    listeners: Listeners
    """Those who are told of changes in the partitions whose primary this worker is."""
    counters: Counters
    absences: Absences
    slow_asks: SlowAsks = field(default_factory=set)
    recording: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the partition that writes who asked."""
    large_reads: LargeReads = field(default_factory=LargeReads)
    opening: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PARALLEL_OPENS))
    writing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_WRITING))
    bound: Bound = field(default_factory=Bound)
    beside: Beside = field(default_factory=Beside)
    """Has filters of repeats loaded when nobody waits for partitions."""
    scrubbing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the partition whose shard is read for an operator."""
    snapshots: SnapshotPolicy = USUAL_POLICY
    log_days: int = 0
    """Days of the log that are kept; 0: all of it."""
    snapshotting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the partition that makes a snapshot."""
    log_examiner: LogExaminer = field(default_factory=LogExaminer)
    doubted: dict[int, float] = field(default_factory=dict)
    """When shards were made anew because of a doubt, by partition, on the clock of this machine."""

    levels: LevelsHere = field(default_factory=LevelsHere)

    holder: str = field(default_factory=new_id)
    """Tells workers apart."""
    from_log: set[int] = field(default_factory=set)
    """Partitions that are to be made anew from the log alone: the copy here was damaged, or not as others are."""

    cuts: KnownCuts = field(init=False)
    """Where the log was cut."""

    def __post_init__(self) -> None:
        self.cuts = KnownCuts(self.bus)

    def trusts(self, number: int) -> bool:
        """Tell whether a doubt would be a fault of ours: the shard was made anew for one lately."""
        at = self.doubted.get(number)
        return at is not None and time.monotonic() - at < TRUSTED_S

    def shard_of(self, number: int) -> Path:
        """Name the file of a partition's shard."""
        return self.shard_dir / f"{number}.db"
