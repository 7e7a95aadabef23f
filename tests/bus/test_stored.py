"""What llum keeps beside the log: rejections, checkpoints, and keys with their values."""

import asyncio

from bus import checkpoints, rejections
from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import INSTALLATION_BUCKET
from schemas.errors import Code, Error
from schemas.replies import Rejection


def rejection(seq: int, user: str = "alice", app: str = "fitbit") -> Rejection:
    error = Error(Code.NO_SUCH_COMPONENT, "there is none")
    return Rejection(user=user, app=app, verb="tell", id=f"id{seq}", seq=seq, time=1.5, error=error)


async def test_rejections_are_read_back_in_order(bus: Bus) -> None:
    """Of a user, or of one app of theirs."""
    for seq, app in enumerate(["fitbit", "garmin", "fitbit"], 1):
        await rejections.publish(bus, rejection(seq, app=app), 3, seq)
    await rejections.publish(bus, rejection(4, user="bob"), 5, 4)
    assert await rejections.read(bus, "alice", limit=10) == [
        rejection(1), rejection(2, app="garmin"), rejection(3),
    ]  # fmt: skip
    assert await rejections.read(bus, "alice", "garmin", 10) == [rejection(2, app="garmin")]
    assert await rejections.read(bus, "carol", limit=10) == []


async def test_the_newest_rejections_are_given_where_there_are_too_many(bus: Bus) -> None:
    """Over as many pages as it takes."""
    await asyncio.gather(*(rejections.publish(bus, rejection(seq), 3, seq) for seq in range(1, 1203)))
    newest = await rejections.read(bus, "alice", limit=5)
    everything = await rejections.read(bus, "alice", limit=5000)
    assert newest == everything[-5:]
    assert sorted(each.seq for each in everything) == list(range(1, 1203))


async def test_a_rejection_relayed_again_is_kept_once(bus: Bus) -> None:
    """A worker that restarts relays what it is not sure of."""
    for _ in range(3):
        await rejections.publish(bus, rejection(7), 3, 7)
    assert await rejections.read(bus, "alice", limit=10) == [rejection(7)]


async def test_the_relayed_checkpoint_is_kept_per_partition(bus: Bus) -> None:
    """0 where nothing has been relayed."""
    await checkpoints.write(bus, 3, 17)
    await checkpoints.write(bus, 3, 18)
    assert await checkpoints.read(bus, 3) == 18
    assert [await checkpoints.read(bus, partition) for partition in (2, 3)] == [0, 18]


async def test_a_key_is_created_by_exactly_one(bus: Bus) -> None:
    """However many try at once."""
    bucket = Bucket(bus, INSTALLATION_BUCKET)
    made = await asyncio.gather(*(bucket.create("key", b"%d" % number) for number in range(16)))
    assert made.count(True) == 1
    assert await bucket.get("key") == b"%d" % made.index(True)


async def test_a_deleted_key_is_gone(bus: Bus) -> None:
    """Deleting what is not there is harmless."""
    bucket = Bucket(bus, INSTALLATION_BUCKET)
    await bucket.put("key", b"value")
    await bucket.delete("key")
    await bucket.delete("never-there")
    assert await bucket.get("key") is None
