"""Reading a snapshot as whoever begins with it does, and keeping nothing: whether it is good."""

import asyncio
import os
from pathlib import Path

from bus.connection import Bus
from bus.shard_snapshots import Snapshot, store_of
from bus.snapshot_files import SnapshotUnusable, Unpacking

UNREADABLE = "what is said of it cannot be read"


async def read_back(bus: Bus, snapshot: Snapshot) -> None:
    """Read and unpack all of a snapshot. Raises `SnapshotUnusable`, `ObjectDamaged`, `Transient`."""
    if snapshot.manifest is None:
        raise SnapshotUnusable(UNREADABLE)
    unpacking = Unpacking(Path(os.devnull), snapshot.manifest)
    try:
        async for chunk in store_of(bus).read(snapshot.object):
            await asyncio.to_thread(unpacking.take, chunk)
        await asyncio.to_thread(unpacking.check)
    finally:
        unpacking.close()
