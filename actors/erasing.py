"""What a worker does at a forget, beside applying it: no copy of the partition may bring back what went.

It is recorded that everything as of an earlier command is of no use. From then on no shard, snapshot or restored copy
that is older is used by anyone. Then the snapshots that are older are deleted, with what an interrupted upload has
left. All of that is done before the outcome is said: whoever has it knows that no snapshot holds the person any more.

Every worker that applies a forget does this. The second one finds it done.

Where the log was cut, the partition could be made from nothing without its snapshots (`bus/log_cuts.py`). Then a new
one is made first, by the primary, and read back; the others wait for it. While this worker catches up it makes none:
what is to be erased is then erased once it serves the partition.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from actors.absences import Absences, Doubt
from actors.known_cuts import KnownCuts
from actors.partition import Partition
from actors.same_log import OtherLogError
from actors.settling import Settled
from bus import erasures, failpoints
from bus.aside import remove_aside, remove_shard
from bus.connection import Bus
from bus.log_places import message_at
from bus.logger import get_logger
from bus.objects import ObjectDamaged
from bus.retrying import Interrupted, Sleep, retrying
from bus.shard_snapshots import SnapshotMade, is_of, list_snapshots, store_of
from bus.snapshot_files import SnapshotUnusable
from bus.snapshot_reading import read_back
from model.commands import STAND_ALONE
from schemas.errors import Code, Transient
from schemas.parts import Restate
from schemas.replies import Accepted

log = get_logger(__name__)

CHECK_EVERY_S: Final = 10.0
"""Seconds between looks whether an erasure has passed this worker by, as when it was stopped for a while."""

CAUGHT_UP_WITHIN_S: Final = 5.0
"""Seconds that an ask waits after an absence for an erasure that is still to be applied: as long as for a `min_seq`."""

POLL_S: Final = 0.02
"""Seconds between looks whether it is."""

LOOK_EVERY_S: Final = 0.25
"""Seconds between looks whether the primary has made the snapshot that is waited for."""

UNFINISHED: Final = (".copy", ".restored")
"""What the files of a partition end in that are of use only to whoever is just writing them."""


async def erase_snapshots(bus: Bus, partition: int, seq: int) -> int:
    """Record an erasure, and delete the snapshots that are older. Gives how many there were. Raises `Transient`."""
    erased = await erasures.record(bus, partition, seq)
    failpoints.reached("erasure_recorded")
    store = store_of(bus)
    outdated = [
        one.object.name
        for one in await list_snapshots(bus, partition)
        if one.manifest is None or one.manifest.erased_seq < erased.seq
    ]
    for name in outdated:
        await store.delete(name)
    swept = await store.sweep(is_of(partition))
    return len(outdated) + len(swept)


def remove_outdated(path: Path) -> None:
    """Delete the closed file of a shard that may hold what was forgotten, and what was set aside. Raises `OSError`."""
    remove_shard(path)
    remove_aside(path)


def remove_unfinished(path: Path) -> None:
    """Delete what an earlier process has left half written beside the file of a shard. Raises `OSError`."""
    for suffix in UNFINISHED:
        path.with_suffix(suffix).unlink(missing_ok=True)


def _is_erasure(settled: Settled) -> bool:
    """Tell whether what is older than a command may not be used any more.

    With the last chunk that says a person anew the log loses all that was said before: what is older is not of it.
    """
    command = settled.incoming.command
    is_one = type(command) in STAND_ALONE and not (isinstance(command, Restate) and command.last is None)
    return is_one and isinstance(settled.outcome, Accepted)


class OutdatedError(Transient):
    """A partition that may hold what was forgotten while this worker was away."""

    def __init__(self, partition: int, seq: int, erased_seq: int) -> None:
        hint = "nothing is lost; try again in a while"
        super().__init__(Code.UNAVAILABLE, f"partition {partition} is being made anew", hint)
        self.what = f"it is as of {seq}, and somebody was forgotten at {erased_seq} while this worker was away"


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(CAUGHT_UP_WITHIN_S):
            yield
    except TimeoutError:
        raise Transient(Code.UNAVAILABLE, "somebody is to be forgotten here, which takes longer than usual") from None


async def known_from_nothing(bus: Bus, partition: int, stream: str) -> int:
    """Give the last erasure that is in what is made from the log from now on, as far as that is known now.

    Of a person who is forgotten the log loses the forget last. If it is not there, nothing else of the person is; if it
    is, it will be applied. 0: it is still there, or there was none. Raises `Transient`.
    """
    erased = await erasures.read(bus, partition)
    return 0 if erased.seq and await message_at(bus, stream, erased.seq) is not None else erased.seq


class Erasing:
    """Sees that one partition, as this worker holds it, takes part in every erasure."""

    def __init__(self, bus: Bus, partition: Partition, stream: str, cuts: KnownCuts, sleep: Sleep) -> None:
        self._bus = bus
        self._cuts = cuts
        self._partition = partition
        self._stream = stream
        self._known_seq = partition.shard.erased_seq
        """The last erasure that is in what is held."""
        self._sleep = sleep
        self.make_snapshot: Callable[[], Awaitable[SnapshotMade]] | None = None
        """Makes a snapshot, as the primary does; None: another worker is it."""
        self.is_served = False
        """Whether the partition has caught up, so that snapshots can be made of it."""
        self._pending_seq = 0
        """An erasure that waits for that."""
        self.on_outdated: Callable[[OutdatedError], None] = lambda _: None
        """Called when an erasure has passed this worker by."""
        self.on_erased: Callable[[], None] = lambda: None
        """Called when snapshots have been deleted for an erasure."""

    async def look_at(self, settled: Settled) -> None:
        """If a command that is committed was an erasure, do what belongs to it, however long that takes.

        From then on there is no `doubt` about it: what is in memory of the person must be gone before. Raises
        `Interrupted` when the partition leaves.
        """
        seq = settled.incoming.message.seq
        if _is_erasure(settled) and seq > self._known_seq:
            self._known_seq = seq
            await self._erase_and_tell(seq)

    async def _erase_and_tell(self, seq: int) -> None:
        if await self._erase(seq):
            self.on_erased()

    async def _erase(self, seq: int) -> int:
        number = self._partition.number

        async def erase() -> int:
            # First of all the shard says so, or it would be taken for one that was away.
            await self._partition.shard.note_erasure(seq)
            await self._cuts.look()
            if self._cuts.need(number):
                if not self.is_served:
                    self._pending_seq = seq
                    return 0
                await self._until_in_a_snapshot(seq)
            return await erase_snapshots(self._bus, number, seq)

        return await retrying(erase, "erasure_waits", on=(Exception,), sleep=self._sleep, partition=number)

    async def _until_in_a_snapshot(self, seq: int) -> None:
        """Have a snapshot that is as of the erasure or later, and can be read.

        Raises what making one raises, `SnapshotUnusable`, `ObjectDamaged`, `Transient`.
        """
        while not await self._is_in_a_snapshot(seq):
            if self.make_snapshot is None:
                await self._sleep(LOOK_EVERY_S)
            else:
                await self.make_snapshot()

    async def _is_in_a_snapshot(self, seq: int) -> bool:
        for one in await list_snapshots(self._bus, self._partition.number):
            if one.manifest is not None and one.manifest.erased_seq >= seq:
                try:
                    await read_back(self._bus, one)
                except (SnapshotUnusable, ObjectDamaged) as error:
                    log.error("snapshot_damaged", partition=self._partition.number, error=str(error))
                    await store_of(self._bus).delete(one.object.name)
                else:
                    return True
        return False

    async def missed(self) -> OutdatedError | None:
        """Give what is wrong if an erasure has passed this worker by. Raises `Transient`."""
        erased = await erasures.read(self._bus, self._partition.number)
        applied_seq = self._partition.applied_seq
        if erased.seq <= self._known_seq:
            return None
        is_gone = applied_seq >= erased.seq or await message_at(self._bus, self._stream, erased.seq) is None
        # It may have been applied while that was asked.
        if not is_gone or erased.seq <= self._known_seq:
            return None
        return OutdatedError(self._partition.number, applied_seq, erased.seq)

    async def instead_of(self, error: OtherLogError) -> OtherLogError | OutdatedError:
        """Give what is wrong where the log lacks what has been applied: perhaps its person was forgotten meanwhile.

        Raises `Transient` as long as somebody is just being forgotten: then nobody can tell.
        """
        erased = await erasures.read(self._bus, self._partition.number)
        if erased.seq <= self._known_seq:
            return error
        missed = await self.missed()
        if missed is None:
            raise Transient(Code.UNAVAILABLE, f"somebody is being forgotten in partition {self._partition.number}")
        return missed

    async def lacks_none(self) -> bool:
        """Tell whether all erasures that are recorded by now are in what is held. Raises `Transient`."""
        return (await erasures.read(self._bus, self._partition.number)).seq <= self._known_seq

    def doubt(self, absences: Absences) -> Doubt:
        """Say when an ask must wait until it is known that no erasure was missed."""
        return Doubt(absences, self.until_none_is_missed)

    async def until_none_is_missed(self) -> None:
        """Wait until all erasures that are recorded by now are in what is held.

        Calls `on_outdated` and raises the same if one has passed by. Raises `Transient`.
        """
        erased = await erasures.read(self._bus, self._partition.number)
        async with _in_time():
            while erased.seq > self._known_seq:
                missed = await self.missed()
                if missed is not None:
                    self.on_outdated(missed)
                    raise missed
                await asyncio.sleep(POLL_S)

    async def check(self) -> None:
        """Call `on_outdated` if an erasure has passed by. Raises `Interrupted` when the partition leaves."""
        missed = await retrying(self.missed, "erasure_not_checked", sleep=self._sleep, partition=self._partition.number)
        if missed is not None:
            self.on_outdated(missed)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Check again and again, as long as the block lasts."""
        task = asyncio.create_task(self._check_again_and_again())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _check_again_and_again(self) -> None:
        with suppress(Interrupted):
            while True:
                await self._sleep(CHECK_EVERY_S)
                seq, self._pending_seq = self._pending_seq, 0
                if seq:
                    await self._erase_and_tell(seq)
                await self.check()
