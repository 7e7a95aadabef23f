"""Watches: what is new is handed over, and what may have been missed is known."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bus.connection import Bus
from bus.jetstream import JetStream
from bus.kv import Bucket
from bus.subjects import TOKEN_BUCKET, bucket_key, bucket_stream
from bus.watching import Watch
from tests.waiting import until

STREAM = bucket_stream(TOKEN_BUCKET)


class Watched:
    """A watch of some keys of a bucket, with what it has handed over and how often it has begun."""

    def __init__(self, bus: Bus, *keys: str) -> None:
        self.taken: list[bytes] = []
        self.begun = 0
        subjects = [bucket_key(TOKEN_BUCKET, one) for one in keys]
        self.watch = Watch(bus, STREAM, subjects, lambda _s, _h, data, _n: self.taken.append(data), self._begin)

    def _begin(self) -> None:
        self.begun += 1

    async def is_live(self) -> None:
        await until(lambda: self.watch.is_live, "the watch lives")


@pytest.fixture
async def watched(bus: Bus) -> AsyncIterator[Watched]:
    """All keys of a bucket."""
    watched = Watched(bus, ">")
    task = asyncio.create_task(watched.watch.run())
    await watched.is_live()
    yield watched
    task.cancel()


async def test_what_is_new_is_handed_over_in_order(watched: Watched, bus: Bus) -> None:
    """And the watch lives on."""
    bucket = Bucket(bus, TOKEN_BUCKET)
    for number in range(20):
        await bucket.put(f"key-{number}", b"%d" % number)
    await until(lambda: len(watched.taken) == 20, "all of it")
    assert watched.taken == [b"%d" % number for number in range(20)]
    assert watched.begun == 1


async def test_what_was_there_before_is_not(bus: Bus, watched: Watched) -> None:
    """Who watches asks for it."""
    bucket = Bucket(bus, TOKEN_BUCKET)
    await bucket.put("old", b"old")
    await until(lambda: watched.taken == [b"old"], "the first one hears of it")
    late = Watched(bus, ">")
    task = asyncio.create_task(late.watch.run())
    await late.is_live()
    await bucket.put("new", b"new")
    await until(lambda: late.taken == [b"new"], "the second one hears of what is new")
    task.cancel()


async def test_a_message_that_was_erased_before_it_came_breaks_the_watch(bus: Bus) -> None:
    """Its sequence is missing; here it is one that the watch does not ask for. So the watch begins anew."""
    watched = Watched(bus, "a.*")
    task = asyncio.create_task(watched.watch.run())
    await watched.is_live()
    bucket = Bucket(bus, TOKEN_BUCKET)
    await bucket.put("b.1", b"")
    await until(lambda: watched.begun == 2, "it has begun anew")
    await watched.is_live()
    await bucket.put("a.1", b"one")
    await until(lambda: watched.taken == [b"one"], "what is new after that comes")
    task.cancel()


async def test_a_lost_connection_breaks_the_watch_at_once(watched: Watched, bus: Bus) -> None:
    """What happens meanwhile is not heard of."""
    for hook in bus.on_disconnect:
        hook()
    assert not watched.watch.is_live
    await until(lambda: watched.begun == 2, "it has begun anew")
    await watched.is_live()


async def test_the_consumer_of_a_watch_that_has_ended_is_dropped(watched: Watched, bus: Bus) -> None:
    """nats-server keeps none for those that broke."""
    for hook in bus.on_disconnect:
        hook()
    await until(lambda: watched.begun == 2, "it has begun anew")
    info = await JetStream(bus).call(f"CONSUMER.NAMES.{STREAM}")
    assert len(info["consumers"]) == 1
