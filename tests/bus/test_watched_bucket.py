"""Buckets whose changes are watched."""

import asyncio
import weakref
from collections.abc import AsyncIterator

import pytest

from bus.connection import Bus
from bus.kv import Bucket, KeyValue
from bus.subjects import TOKEN_BUCKET
from bus.watched_bucket import WatchedBucket
from identity.app_passwords import AppPasswords
from identity.oauth.clients import Clients
from identity.preferences.store import PreferenceStore
from identity.sessions.store import Sessions
from identity.tokens import Tokens
from tests.waiting import until


class Watched:
    """A watched bucket, with the changes that it was told of."""

    def __init__(self, bus: Bus) -> None:
        self.changes: list[str] = []
        self.bucket = WatchedBucket(bus, TOKEN_BUCKET, (">",))


@pytest.fixture
async def watched(bus: Bus) -> AsyncIterator[Watched]:
    watched = Watched(bus)
    task = asyncio.create_task(watched.bucket.run(watched.changes.append))
    await until(lambda: watched.bucket.epoch is not None, "the watch lives")
    yield watched
    task.cancel()


async def test_one_that_is_let_go_is_gone(bus: Bus) -> None:
    """At once, not when the collector comes round, which a worker hardly ever has it do; watched before or not.

    Forgetting a person makes some of each kind, and the connection stays for as long as the process.
    """
    hooks, kinds = len(bus.on_disconnect), (Tokens, Sessions, AppPasswords, Clients, PreferenceStore)
    made = [weakref.ref(kind(bus)) for kind in kinds]
    assert [one() for one in made] == [None] * len(kinds)
    watched = Tokens(bus)
    task = asyncio.create_task(watched.run())
    await until(lambda: watched.epoch is not None, "the watch lives")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert watched.epoch is None
    assert len(bus.on_disconnect) == hooks


async def test_changes_are_told_by_key_and_end_no_epoch(watched: Watched, bus: Bus) -> None:
    """Those that were made elsewhere, deletions among them."""
    epoch, elsewhere = watched.bucket.epoch, Bucket(bus, TOKEN_BUCKET)
    await elsewhere.put("a.b", b"1")
    await elsewhere.delete("a.b")
    await until(lambda: watched.changes == ["a.b", "a.b"], "both changes")
    assert watched.bucket.epoch == epoch


async def test_a_lost_connection_ends_the_epoch(watched: Watched, bus: Bus) -> None:
    """There is none until a new watch lives, and then it is another one."""
    before = watched.bucket.epoch
    for hook in bus.on_disconnect:
        hook()
    assert watched.bucket.epoch is None
    await until(lambda: watched.bucket.epoch not in (None, before), "a new epoch")


async def test_a_replica_that_lags_is_not_believed(watched: Watched, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch has told of a later change of the key than the replica has: the leader is asked."""
    elsewhere = Bucket(bus, TOKEN_BUCKET)
    await elsewhere.put("a.b", b"old")
    old = await watched.bucket.find("a.b")
    await elsewhere.put("a.b", b"new")
    await until(lambda: len(watched.changes) == 2, "both changes")

    async def lagging(_keys: str) -> KeyValue | None:
        return old

    monkeypatch.setattr(watched.bucket.bucket, "find", lagging)
    found = await watched.bucket.find("a.b")
    assert found is not None
    assert found.value == b"new"
    await elsewhere.delete("a.b")
    await until(lambda: len(watched.changes) == 3, "the deletion")
    assert await watched.bucket.find("a.b") is None
