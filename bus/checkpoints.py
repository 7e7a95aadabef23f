"""Up to where each partition's outbox has been relayed, so that a shard rebuilt from the log does not tell it again."""

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import RELAYED_BUCKET


async def read(bus: Bus, partition: int) -> int:
    """Give the last sequence whose effects have left the partition; 0 if none has. Raises `Transient`."""
    found = await Bucket(bus, RELAYED_BUCKET).find_listed(str(partition))
    return 0 if found is None else int(found.value)


async def write(bus: Bus, partition: int, seq: int) -> None:
    """Record that everything up to `seq` has been relayed. Raises `Transient`."""
    await Bucket(bus, RELAYED_BUCKET).put(str(partition), str(seq).encode())
