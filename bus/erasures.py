"""What each partition has had to forget: how often, and the last command that did it.

Once that is recorded, whatever holds the partition as of an earlier command is of no use: a shard of a worker that was
away, a snapshot, a restored copy. It may hold what was forgotten, and the log that would take it out is erased.
"""

import msgspec

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import ERASURE_BUCKET


class Erasure(msgspec.Struct, frozen=True):
    """The last erasure of a partition; by default that of one where nobody was forgotten."""

    number: int = 0
    """So many there have been."""
    seq: int = 0
    """The sequence of the last command that forgot a person or a part of one."""


async def read(bus: Bus, partition: int) -> Erasure:
    """Give the last erasure of a partition, as the bucket's leader has it. Raises `Transient`."""
    found = await Bucket(bus, ERASURE_BUCKET).find_listed(str(partition))
    return Erasure() if found is None else msgspec.json.decode(found.value, type=Erasure)


async def record(bus: Bus, partition: int, seq: int) -> Erasure:
    """Record an erasure, unless it or a later one is recorded; give what is recorded then. Raises `Transient`."""
    bucket, key = Bucket(bus, ERASURE_BUCKET), str(partition)
    while True:
        found = await bucket.find_at_leader(key)
        last = Erasure() if found is None else msgspec.json.decode(found.value, type=Erasure)
        if last.seq >= seq:
            return last
        new = Erasure(last.number + 1, seq)
        value = msgspec.json.encode(new)
        if found is None and await bucket.claim(key, value):
            return new
        if found is not None and await bucket.replace(found, value):
            return new


async def lower(bus: Bus, partition: int, seq: int) -> None:
    """Take back erasures after a sequence: the log with them is not the one that counts. Raises `Transient`."""
    bucket = Bucket(bus, ERASURE_BUCKET)
    found = await bucket.find_at_leader(str(partition))
    if found is not None:
        last = msgspec.json.decode(found.value, type=Erasure)
        if last.seq > seq:
            await bucket.replace(found, msgspec.json.encode(Erasure(last.number, seq)))
