"""Backups of a log that was cut: without the snapshots that make up for what is gone they would be worth nothing."""

from bus import erasures, log_cuts
from bus.connection import Bus
from bus.log_cutting import log_state
from bus.objects import ObjectDamaged
from bus.shard_snapshots import list_snapshots
from bus.snapshot_files import SnapshotUnusable, check_current
from bus.snapshot_reading import read_back
from llum.failures import Fault

_AGAIN = "Make the backup again: somebody was forgotten, or the log was cut, while it was made."


async def check_snapshots(live: Bus, copy: Bus) -> None:
    """See that a copy has a snapshot of each partition of which something was cut, and read these.

    `live` is what was copied: whoever was forgotten there by now must not be in them. Raises a `Fault`, `Transient`.
    """
    for stream, cut in (await log_cuts.read(copy)).items():
        first_seq = (await log_state(copy, stream)).first_seq
        for number, need in cut.needs.items():
            end = await _end_of_good(live, copy, number)
            if end < need:
                raise Fault(f"the backup has no snapshot of partition {number} that can be used", _AGAIN)
            if first_seq > max(cut.seq, end + 1):
                raise Fault(f"{stream} was cut while it was copied", _AGAIN)


async def _end_of_good(live: Bus, copy: Bus, number: int) -> int:
    """Read the snapshots of a partition, and give how far the first good one goes; -1: none is."""
    erased = await erasures.read(live, number)
    for one in await list_snapshots(copy, number):
        if one.manifest is not None:
            try:
                check_current(one.manifest, erased.seq, is_needed=True)
                await read_back(copy, one)
            except (SnapshotUnusable, ObjectDamaged):
                continue
            return one.manifest.committed_seq
    return -1
