"""Objects in chunks: what is read is what was written, or nothing; what is deleted is in no file.

Method: a real nats-server. Its own tools' way of reading is that of nats-py's object store.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.jetstream import JetStream
from bus.object_subjects import object_chunks, object_stream
from bus.objects import CHUNK_BYTES, ObjectDamaged, ObjectStore, StoredObject
from bus.subjects import SNAPSHOT_STORE
from tests.bus.test_erasing import found

STREAM = object_stream(SNAPSHOT_STORE)
SIZES = [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 40 * CHUNK_BYTES + 17]
"""Bytes of objects: those at the border of a chunk, and more than are read at a time."""


def content(size: int) -> bytes:
    return bytes(number * 31 % 251 for number in range(min(size, 5000))) * (size // 5000 + 1)


async def cut(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


@pytest.fixture
def store(bus: Bus) -> ObjectStore:
    return ObjectStore(bus, SNAPSHOT_STORE)


async def written(store: ObjectStore, name: str, data: bytes) -> StoredObject:
    await store.write(name, cut(data), lambda: {"about": name})
    stored = await store.find(name)
    assert stored is not None
    return stored


async def read(store: ObjectStore, stored: StoredObject) -> bytes:
    return b"".join([chunk async for chunk in store.read(stored)])


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_read_is_what_was_written(store: ObjectStore, size: int) -> None:
    """With what is said of it."""
    data = content(size)[:size]
    stored = await written(store, "one", data)
    assert (stored.bytes, stored.metadata) == (size, {"about": "one"})
    assert await read(store, stored) == data


async def test_other_clients_of_nats_read_it(server: EmbeddedServer, store: ObjectStore) -> None:
    """The layout is that of ADR-20."""
    data = content(3 * CHUNK_BYTES)[: 3 * CHUNK_BYTES]
    await written(store, "7-15-ab", data)
    client = await nats.connect(server.url_as("operator"))
    try:
        theirs = await client.jetstream().object_store(SNAPSHOT_STORE)
        assert [one.name for one in await theirs.list()] == ["7-15-ab"]
        assert (await theirs.get("7-15-ab")).data == data
    finally:
        await client.close()


async def test_the_latest_comes_first(store: ObjectStore) -> None:
    """As far as they are chosen."""
    for name in ("2-b", "1-a", "2-a"):
        await written(store, name, b"x")
    assert [one.name for one in await store.list()] == ["2-a", "1-a", "2-b"]
    assert [one.name for one in await store.list(lambda name: name.startswith("2-"))] == ["2-a", "2-b"]
    assert await store.find("3-a") is None


@pytest.mark.parametrize("damage", ["lost", "added", "changed"])
async def test_a_damaged_object_is_not_read(bus: Bus, store: ObjectStore, damage: str) -> None:
    """Whether a chunk is lost, is too many, or holds other bytes."""
    stored = await written(store, "one", content(3 * CHUNK_BYTES)[: 3 * CHUNK_BYTES])
    jetstream = JetStream(bus)
    if damage in ("lost", "changed"):
        last = await jetstream.last(STREAM, object_chunks(SNAPSHOT_STORE, "one"))
        assert last is not None
        await jetstream.erase(STREAM, last.seq)
    if damage in ("added", "changed"):
        await jetstream.publish(object_chunks(SNAPSHOT_STORE, "one"), bytes(CHUNK_BYTES))
    with pytest.raises(ObjectDamaged):
        await read(store, stored)


async def test_what_an_interrupted_write_leaves_is_never_read_and_is_swept(tmp_path: Path, store: ObjectStore) -> None:
    """It has no record. Others are left alone."""

    async def breaking() -> AsyncIterator[bytes]:
        yield b"ZZMARK" * 1000
        raise OSError("the disk is gone")

    await written(store, "1-whole", b"YYKEPT" * 1000)
    with pytest.raises(OSError, match="gone"):
        await store.write("1-broken", breaking(), dict)
    assert [one.name for one in await store.list()] == ["1-whole"]
    assert await store.find("1-broken") is None
    assert found(tmp_path, b"ZZMARK")
    assert await store.sweep(lambda name: name.startswith("2-")) == []
    assert await store.sweep() == ["1-broken"]
    assert found(tmp_path, b"ZZMARK") == []
    whole = await store.find("1-whole")
    assert whole is not None
    assert await read(store, whole) == b"YYKEPT" * 1000


async def test_what_is_deleted_is_in_no_file(tmp_path: Path, server: EmbeddedServer, store: ObjectStore) -> None:
    """Neither while nats-server runs nor after that; others are all there."""
    await written(store, "old", b"ZZMARK" * (CHUNK_BYTES // 2))
    await written(store, "new", b"YYKEPT" * (CHUNK_BYTES // 2))
    assert found(tmp_path, b"ZZMARK")
    await store.delete("old")
    await store.delete("old")
    assert [one.name for one in await store.list()] == ["new"]
    assert found(tmp_path, b"ZZMARK") == []
    await server.stop()
    assert found(tmp_path, b"ZZMARK") == []
    assert found(tmp_path, b"YYKEPT")
