"""The sum of each partition's commands as it was at a sequence, so that a shard made anew can be compared with it."""

import msgspec

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import LOG_SUM_BUCKET


class LogSum(msgspec.Struct, frozen=True):
    """The sum of the digests of all commands up to a sequence that are kept."""

    seq: int
    digests: str
    """The sum, hexadecimal."""


async def read(bus: Bus, partition: int) -> LogSum | None:
    """Give what was recorded last; None if nothing was. Raises `Transient`."""
    found = await Bucket(bus, LOG_SUM_BUCKET).find_listed(str(partition))
    return None if found is None else msgspec.json.decode(found.value, type=LogSum)


async def write(bus: Bus, partition: int, found: LogSum) -> None:
    """Record a sum in place of the one before. Raises `Transient`."""
    await Bucket(bus, LOG_SUM_BUCKET).put(str(partition), msgspec.json.encode(found))


async def drop(bus: Bus, partition: int) -> None:
    """Compare with nothing, until the next sum is recorded. Raises `Transient`."""
    await Bucket(bus, LOG_SUM_BUCKET).delete(str(partition))
