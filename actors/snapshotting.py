"""Snapshots of one partition: its primary makes them now and then, and deletes those that are of no use any more.

A snapshot is the shard's file as of one moment, compressed, in the object store. Whoever has no file of the partition
begins with it, and reads only the rest from the log (`actors/restoring.py`).

It is made when there are many new commands since the one before, or when that is old, and a while after somebody was
forgotten, because that has deleted them all (`actors/erasing.py`). Nothing waits for it: the shard goes on.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from actors.figures import Counters
from actors.leading import Leading
from actors.partition import Partition
from actors.store.copying import CopyFailed
from actors.store.digests import made_by
from actors.store.snapshots import CopyContents, contents
from actors.store.sql import SCHEMA_VERSION
from bus import erasures
from bus.connection import Bus
from bus.log_format import LOG_FORMAT
from bus.logger import get_logger
from bus.retrying import Interrupted, Sleep, retrying
from bus.shard_snapshots import (
    Snapshot,
    SnapshotMade,
    SnapshotManifest,
    SnapshotRequests,
    is_of,
    list_snapshots,
    metadata,
    new_name,
    store_of,
)
from bus.snapshot_files import Packing
from schemas.codec import encode
from schemas.errors import LlumError
from schemas.names import UNICODE_VERSION

log = get_logger(__name__)

FIRST_LOOK_S: Final = 5.0
"""Seconds until the first look at what is stored: a worker that starts has more urgent things to ask for."""

LOOK_EVERY_S: Final = 30.0
"""Seconds between looks whether a snapshot is due: short beside the time in which that many commands come."""

AFTER_ERASURE_S: Final = 60.0
"""Seconds after the last erasure: whoever forgets many people one after the other has one snapshot made, not many."""

TRACES_WITHIN_S: Final = 10.0
"""Seconds to wait for what is relayed at a forget: it leaves in milliseconds unless JetStream is away."""

TRACES_POLL_S: Final = 0.05
"""Seconds between looks whether it has left."""

KEPT: Final = 2
"""Snapshots of a partition: the newest, and the one before, should that be damaged."""


class SnapshotPolicy(NamedTuple):
    """When a snapshot is made, if there is anything new."""

    commands: int = 100_000
    """At so many new commands."""
    hours: float = 24.0
    """So many hours after the one before, or after the first command."""


USUAL_POLICY: Final = SnapshotPolicy()


class Unsnapped(Exception):  # noqa: N818 - says what has come of it
    """No snapshot can be made now. The text says why."""


class Snapshotting:
    """Makes the snapshots of one partition."""

    def __init__(
        self,
        bus: Bus,
        partition: Partition,
        shard_dir: Path,
        policy: SnapshotPolicy,
        making: asyncio.Lock,
        sleep: Sleep,
        counters: Counters,
    ) -> None:
        self._bus = bus
        self._counters = counters
        self._number = partition.number
        self._partition = partition
        self._shard = partition.shard
        self._copy = copy_of(shard_dir, partition.number)
        self._policy = policy
        self._making = making
        """Held by the partition of this worker that makes one."""
        self._sleep = sleep
        self._requests = SnapshotRequests(bus, partition.number, self._on_request)
        self._inboxes: list[str] = []
        """Of those who have asked for a snapshot and wait."""
        self._asked = asyncio.Event()
        self._again = False
        """Whether one of them wants one even if nothing is new."""
        self.leading = Leading(self._look_again_and_again, self._obey, ended=self._end)
        self._newest: SnapshotManifest | None = None
        self._counts_from = 0
        """So many commands there were when the newest was made."""
        self._erased_at: float | None = None
        """When snapshots were deleted for an erasure, on the clock of this machine; None: they were not, since."""

    def note_erasure(self) -> None:
        """Note that the snapshots have just been deleted."""
        self._newest, self._erased_at = None, time.monotonic()

    async def _end(self) -> None:
        await self._requests.close()
        await self._answer_all(SnapshotMade(self._number, failure="the partition has another primary now; try again"))

    async def make(self, *, again: bool = False) -> SnapshotMade:
        """Make a snapshot now, unless the newest has everything; `again`: even then.

        Raises `Unsnapped`, `CopyFailed`, `Transient`, `OSError`.
        """
        async with self._making:
            await self._partition.flush()
            await self._clear()
            if not self._has_news() and not (again and self._newest is not None):
                return SnapshotMade(self._number, self._newest)
            try:
                manifest = await self._made()
            finally:
                await asyncio.to_thread(self._copy.unlink, missing_ok=True)
            await self._clear()
            if self._newest != manifest:
                raise Unsnapped("somebody was forgotten meanwhile; try again in a while")
        self._counters.snapshots_made += 1
        log.info("snapshot_made", partition=self._number, seq=manifest.committed_seq, bytes=manifest.bytes)
        return SnapshotMade(self._number, manifest, new=True)

    async def _look_again_and_again(self) -> None:
        with suppress(Interrupted):
            await self._sleep(FIRST_LOOK_S)
            await retrying(self._clear, "snapshots_wait", sleep=self._sleep, partition=self._number)
            while True:
                await self._sleep(LOOK_EVERY_S)
                try:
                    if await self._is_due():
                        await self.make()
                except (Unsnapped, CopyFailed, LlumError, OSError) as error:
                    self._counters.snapshots_failed += 1
                    log.warning("snapshot_not_made", partition=self._number, error=str(error))

    async def _obey(self) -> None:
        """Make one whenever an operator asks for it, and answer."""
        with suppress(Interrupted):
            await retrying(self._requests.open, "snapshots_wait", sleep=self._sleep, partition=self._number)
            while True:
                await self._asked.wait()
                self._asked.clear()
                await self._answer_all(await self._made_or_why_not())

    async def _answer_all(self, answer: SnapshotMade) -> None:
        inboxes, self._inboxes = self._inboxes, []
        for inbox in inboxes:
            with suppress(LlumError):
                await self._bus.publish(inbox, encode(answer))

    async def _made_or_why_not(self) -> SnapshotMade:
        again, self._again = self._again, False
        try:
            return await self.make(again=again)
        except (Unsnapped, CopyFailed, LlumError, OSError) as error:
            self._counters.snapshots_failed += 1
            return SnapshotMade(self._number, failure=str(error))

    def _on_request(self, inbox: str, again: bool) -> None:
        self._again = self._again or again
        self._inboxes.append(inbox)
        self._asked.set()

    def _has_news(self) -> bool:
        before = 0 if self._newest is None else self._newest.committed_seq
        return self._shard.committed_seq > before

    async def _is_due(self) -> bool:
        if not self._has_news():
            return False
        if self._erased_at is not None:
            return time.monotonic() - self._erased_at >= AFTER_ERASURE_S
        if self._shard.command_count - self._counts_from >= self._policy.commands:
            return True
        begun = await self._shard.first_time() / 1e6 if self._newest is None else self._newest.made_at
        return bool(begun) and time.time() - begun >= self._policy.hours * 3600

    async def _until_traces_have_left(self) -> None:
        """Wait for what names somebody who was forgotten, to end their schedules. The relay takes it away.

        Where the file could not be written anew at the forget, as on a full disk, nothing else would try that again.
        """
        await self._shard.remove_traces_if_nothing_keeps_them()
        try:
            async with asyncio.timeout(TRACES_WITHIN_S):
                while self._shard.traces_seq:
                    await self._sleep(TRACES_POLL_S)
        except TimeoutError:
            raise Unsnapped("what ends the schedules of somebody who was forgotten has not left") from None

    async def _made(self) -> SnapshotManifest:
        await self._until_traces_have_left()
        await asyncio.to_thread(self._copy.unlink, missing_ok=True)
        await self._shard.copier.copy(self._copy)
        found = await asyncio.to_thread(contents, self._copy)
        if found.traces:
            raise Unsnapped("somebody has just been forgotten; try again in a while")
        packing, manifests = Packing(self._copy), list[SnapshotManifest]()

        def about() -> dict[str, str]:
            manifests.append(self._manifest(found, packing))
            return metadata(manifests[0])

        name = new_name(self._number, found.last.seq)
        await store_of(self._bus).write(name, _chunks(packing), about)
        return manifests[0]

    def _manifest(self, found: CopyContents, packed: Packing) -> SnapshotManifest:
        return SnapshotManifest(
            partition=self._number,
            committed_seq=found.last.seq,
            erased_seq=found.erased_seq,
            schema=SCHEMA_VERSION,
            unicode=UNICODE_VERSION,
            log_format=LOG_FORMAT,
            last_time_us=found.last.time_us,
            last_digest=found.last.digest.hex(),
            log_sum=f"{found.log_sum:032x}",
            state_sum=f"{found.state_sum & (2**64 - 1):016x}",
            made_by=made_by(),
            digest_key=found.digest_key,
            commands=found.commands,
            bytes=packed.bytes,
            sha256=packed.sha256,
            compression="zlib",
            made_at=time.time(),
        )

    async def _clear(self) -> None:
        """Delete what is of no use: what is older than an erasure, what was interrupted, all but the newest two."""
        erased = await erasures.read(self._bus, self._number)
        store = store_of(self._bus)
        await store.sweep(is_of(self._number))
        good = list[Snapshot]()
        for one in await list_snapshots(self._bus, self._number):
            if one.manifest is None or one.manifest.erased_seq < erased.seq or len(good) == KEPT:
                await store.delete(one.object.name)
            else:
                good.append(one)
        self._remember([one.manifest for one in good if one.manifest is not None])

    def _remember(self, manifests: list[SnapshotManifest]) -> None:
        # One that is ahead of us is of another log.
        newest = next((one for one in manifests if one.committed_seq <= self._shard.committed_seq), None)
        if newest is not None and newest != self._newest:
            # A shard that was made anew from the log has written fewer commands than the one before.
            self._counts_from = min(newest.commands, self._shard.command_count)
            self._erased_at = None
        self._newest = newest


async def _chunks(packing: Packing) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(packing.next):
        yield chunk


def copy_of(shard_dir: Path, partition: int) -> Path:
    """Name the copy of a shard that is being made."""
    return shard_dir / f"{partition}.copy"
