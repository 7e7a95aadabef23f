"""Opening the shard of a partition: the file that is here, else the newest snapshot that is good, else an empty one.

The file that is here is used however old it is: what it lacks is read from the log. It is not used when it is older
than the last erasure (`actors/erasing.py`), or lacks what was cut off the log. A snapshot that is damaged, of another
version or of another log is passed over, with a line in the log, and the one before is tried.

Where the log was cut, a partition needs a snapshot (`bus/log_cuts.py`). If there is none, it is refused: models must
not be made from the rest of a log as if that were all. A shard that was damaged begins with the oldest snapshot then,
as that most likely is from before the damage, and is read through before it is believed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from actors.erasing import OutdatedError, known_from_nothing, remove_outdated, remove_unfinished
from actors.ground import Ground
from actors.same_log import OtherLogError, check_same_key
from actors.store.connection import ShardError
from actors.store.damage import ShardDamaged
from actors.store.shard import Shard
from actors.store.snapshots import check_readable, put_in_place
from bus import erasures
from bus.aside import remove_shard, set_aside
from bus.logger import get_logger
from bus.objects import ObjectDamaged
from bus.shard_snapshots import Snapshot, SnapshotManifest, list_snapshots, store_of
from bus.snapshot_files import SnapshotUnusable, Unpacking, check_current
from bus.subjects import log_stream_of

log = get_logger(__name__)

CheckShard = Callable[[Shard], Awaitable[None]]
"""Raises what is wrong with a shard, as `OtherLogError` unless it is of the log that is there."""

_PASSED_OVER: Final = (SnapshotUnusable, ObjectDamaged, ShardDamaged, OtherLogError)


class Restoring:
    """Opens the shard of one partition."""

    def __init__(self, ground: Ground, number: int, check_log: CheckShard) -> None:
        self._ground = ground
        self._number = number
        self._path = ground.shard_of(number)
        self._check_log = check_log
        self._may_restore = number not in ground.from_log
        """Whether snapshots may be used: not where the shard turned out to be damaged, as they are copies of it."""
        self._is_replaced = False
        """Whether a snapshot has taken the place of the file that was here."""
        self._need = 0
        """What was cut off the log ends here; 0: nothing of the partition was."""

    async def open(self) -> Shard:
        """Open it. Raises what opening a shard raises, `OtherLogError`, and `Transient`."""
        await self._ground.cuts.look()
        self._need = self._ground.cuts.need(self._number)
        erased = await erasures.read(self._ground.bus, self._number)
        await self._on_disk(remove_unfinished, self._path)
        shard = await self._opened()
        if shard.committed_seq and shard.erased_seq < erased.seq:
            await shard.close()
            error = OutdatedError(self._number, shard.committed_seq, erased.seq)
            log.error("shard_outdated", partition=self._number, why=error.what, what_now="it is made anew")
            await self._on_disk(remove_outdated, self._path)
            shard = await self._opened()
        if shard.committed_seq < self._need or (self._may_restore and not shard.committed_seq):
            await shard.close()
            shard = await self._restored(erased.seq) or await self._opened_empty()
        elif shard.committed_seq:
            await self._closed_unless(self._check_log, shard)
        if not shard.committed_seq:
            await self._closed_unless(self._note_erasures, shard)
        return shard

    async def _note_erasures(self, shard: Shard) -> None:
        """Have a shard that begins with nothing say which erasures are in what it will read from the log."""
        ground = self._ground
        known_seq = await known_from_nothing(ground.bus, self._number, log_stream_of(self._number, ground.log_streams))
        if known_seq > shard.erased_seq:
            await shard.note_erasure(known_seq)

    async def _opened_empty(self) -> Shard:
        """Begin with nothing, if the log has everything. Raises `OtherLogError`."""
        if self._need:
            raise OtherLogError(
                self._number,
                f"the log was cut, and what there was up to {self._need} is in no snapshot that can be used",
            )
        return await self._opened()

    async def _restored(self, erased_seq: int) -> Shard | None:
        """Open the newest snapshot that is good; None: there is none."""
        found = await list_snapshots(self._ground.bus, self._number)
        for snapshot in found if self._may_restore else reversed(found):
            self._is_replaced = False
            try:
                return await self._opened_snapshot(snapshot, erased_seq)
            except _PASSED_OVER as error:
                why = error.why if isinstance(error, OtherLogError) else str(error)
                log.error("snapshot_passed_over", partition=self._number, name=snapshot.object.name, why=why)
                if self._is_replaced:
                    await self._on_disk(remove_shard, self._path)
        return None

    async def _opened_snapshot(self, snapshot: Snapshot, erased_seq: int) -> Shard:
        manifest = snapshot.manifest
        if manifest is None:
            raise SnapshotUnusable("what is said of it cannot be read")
        check_current(manifest, erased_seq, is_needed=bool(self._need))
        check_readable(manifest, self._ground.digests.fingerprint)
        if manifest.committed_seq < self._need:
            raise SnapshotUnusable(f"the log was cut, and it lacks what there was up to {self._need}")
        await self._fetch(snapshot, manifest)
        shard = await self._opened()
        if shard.committed_seq != manifest.committed_seq:
            await shard.close()
            raise SnapshotUnusable(f"it ends at {shard.committed_seq}, not at {manifest.committed_seq}")
        await self._closed_unless(self._check_log, shard)
        if not self._may_restore:
            await self._closed_unless(self._read_through, shard)
        log.info("snapshot_restored", partition=self._number, seq=manifest.committed_seq, bytes=manifest.bytes)
        return shard

    async def _read_through(self, shard: Shard) -> None:
        """Raise `SnapshotUnusable` if what was wrong with the shard before is wrong here, too."""
        found = await shard.scrub(lambda: asyncio.sleep(0))
        if found is not None:
            raise SnapshotUnusable(found)

    async def _closed_unless(self, succeeds: CheckShard, shard: Shard) -> None:
        try:
            await succeeds(shard)
        except BaseException:
            await shard.close()
            raise

    async def _fetch(self, snapshot: Snapshot, manifest: SnapshotManifest) -> None:
        """Have the file of a snapshot in its place, whole."""
        unfinished = self._path.with_suffix(".restored")
        unpacking = await self._on_disk(Unpacking, unfinished, manifest)
        try:
            async for chunk in store_of(self._ground.bus).read(snapshot.object):
                await self._on_disk(unpacking.take, chunk)
            await self._on_disk(unpacking.end)
            # What is left beside an earlier file would be taken for a part of this one.
            await self._on_disk(self._clear)
            self._is_replaced = True
            await self._on_disk(put_in_place, unfinished, self._path)
        finally:
            unpacking.close()
            await self._on_disk(remove_unfinished, self._path)

    def _clear(self) -> None:
        """Take away a file that is here: it is empty, or lacks what was cut off the log."""
        if self._need and self._path.exists():
            aside = set_aside(self._path, "behind", time.time())
            log.warning("shard_set_aside", partition=self._number, why="the log was cut since", aside=str(aside))
        else:
            remove_shard(self._path)

    async def _opened(self) -> Shard:
        ground, number = self._ground, self._number
        async with ground.opening:
            shard = await Shard.open(
                self._path,
                ground.large_reads,
                ground.digests,
                trusted=ground.trusts(number),
                is_needed=bool(self._need),
                turn=ground.beside.turn,
            )
        try:
            check_same_key(number, shard.digest_key, ground.digests)
        except BaseException:
            await shard.close()
            raise
        return shard

    async def _on_disk(self, work: Callable[..., Any], *values: object) -> Any:
        try:
            return await asyncio.to_thread(work, *values)
        except OSError as error:
            raise ShardError(self._path, error) from error
