"""Which snapshots there are, and whether a worker could begin with each."""

import msgspec

from bus import erasures
from bus.connection import Bus
from bus.objects import ObjectDamaged
from bus.shard_snapshots import Snapshot, SnapshotManifest, list_snapshots
from bus.snapshot_files import SnapshotUnusable, check_current
from bus.snapshot_reading import UNREADABLE, read_back


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot, and what is wrong with it."""

    name: str
    stored_bytes: int
    manifest: SnapshotManifest | None
    why_not: str | None
    """Why no worker begins with it; None: nothing is known against it."""
    verified: bool
    """Whether all of it was read."""


async def judged_snapshots(bus: Bus, *, verify: bool) -> list[Judged]:
    """List all snapshots by partition, the latest first. `verify` reads each. Raises `Transient`."""
    found = [await _judged(bus, one, verify) for one in await list_snapshots(bus)]
    return sorted(found, key=lambda one: -1 if one.manifest is None else one.manifest.partition)


async def _judged(bus: Bus, snapshot: Snapshot, verify: bool) -> Judged:
    why_not = UNREADABLE if snapshot.manifest is None else await _why_not(bus, snapshot, verify)
    return Judged(
        name=snapshot.object.name,
        stored_bytes=snapshot.object.bytes,
        manifest=snapshot.manifest,
        why_not=why_not,
        verified=verify,
    )


async def _why_not(bus: Bus, snapshot: Snapshot, verify: bool) -> str | None:
    manifest = snapshot.manifest
    assert manifest is not None, "it can be read"
    try:
        check_current(manifest, (await erasures.read(bus, manifest.partition)).seq)
        if verify:
            await read_back(bus, snapshot)
    except SnapshotUnusable as error:
        return str(error)
    except ObjectDamaged as error:
        return error.message
    return None
