"""What the primary of a partition does beside relaying: snapshots, the log of people said anew, cutting the log."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from actors.cutting import LogCutting
from actors.erasing import Erasing
from actors.ground import Ground
from actors.partition import Partition
from actors.rewriting import LogRewriting
from actors.settling import Settled
from actors.snapshotting import Snapshotting
from actors.summing import Summing
from bus.retrying import Sleep


class PrimaryWork:
    """That of one partition, as this worker serves it."""

    def __init__(
        self, ground: Ground, partition: Partition, stream: str, summing: Summing, erasing: Erasing, sleep: Sleep
    ) -> None:
        doubt = erasing.doubt(ground.absences)
        self._rewriting = LogRewriting(ground.bus, partition, stream, summing, sleep, doubt)
        self._snapshotting = Snapshotting(
            ground.bus, partition, ground.shard_dir, ground.snapshots, ground.snapshotting, sleep, ground.counters
        )
        self._cutting = LogCutting(ground, partition.number, stream, sleep)
        self._erasing = erasing
        erasing.on_erased = self._snapshotting.note_erasure

    @property
    def holds_back(self) -> bool:
        """Whether outcomes are to be held back for a moment."""
        return self._rewriting.holds_back

    async def before_speaking(self, settled: Settled) -> None:
        """Look at a command that has been applied, before its outcome is said."""
        await self._rewriting.before_speaking(settled)

    async def become(self, primary: bool) -> None:
        """Do it from now on, or no longer. Returns when nothing is under way that should not be."""
        self._erasing.make_snapshot = self._snapshotting.make if primary else None
        for one in (self._rewriting, self._snapshotting, self._cutting):
            await one.leading.become(primary)

    @asynccontextmanager
    async def going_on(self, primary: bool) -> AsyncIterator[None]:
        """Do it as the primary, as long as the block lasts."""
        async with AsyncExitStack() as exits:
            exits.push_async_callback(self.become, False)
            await self.become(primary)
            self._erasing.is_served = True
            yield
