"""Snapshots in tests: made on request, looked at, damaged, and the lines that tell what became of them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import structlog

from bus.connection import Bus
from bus.erasing import pages
from bus.jetstream import JetStream
from bus.object_subjects import object_chunks, object_stream
from bus.shard_snapshots import SnapshotManifest, list_snapshots, request_snapshot
from bus.subjects import SNAPSHOT_STORE
from tests.actors.hosting import HERS
from tests.waiting import DEADLINE_S

STREAM = object_stream(SNAPSHOT_STORE)


async def snapshot(bus: Bus, partition: int = HERS) -> SnapshotManifest:
    """Have a snapshot made that was not there, and give what is said of it."""
    made = await request_snapshot(bus, partition, DEADLINE_S)
    assert made is not None, "the partition has a primary"
    assert made.failure is None, made.failure
    assert made.new, "there was something new"
    assert made.manifest is not None
    return made.manifest


async def seqs(bus: Bus, partition: int = HERS) -> list[int]:
    """Give the last commands of the snapshots, the latest first."""
    return [one.manifest.committed_seq for one in await list_snapshots(bus, partition) if one.manifest is not None]


async def chunks(bus: Bus) -> list[tuple[int, bytes]]:
    """Give all chunks that are stored, each with its place in the stream."""
    subject = object_chunks(SNAPSHOT_STORE, "*")
    return [(one.seq, one.data) async for page in pages(JetStream(bus), STREAM, subject) for one in page]


async def damage_newest(bus: Bus) -> None:
    """Have another chunk stand in place of the last one of the newest snapshot."""
    newest = (await list_snapshots(bus, HERS))[0].object
    subject = object_chunks(SNAPSHOT_STORE, newest.name)
    last = await JetStream(bus).last(STREAM, subject)
    assert last is not None
    await JetStream(bus).erase(STREAM, last.seq)
    await JetStream(bus).publish(subject, bytes(len(last.data)))


def holds(folder: Path, *pieces: bytes) -> list[str]:
    """Name the files in a folder that hold one of these pieces."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(piece in path.read_bytes() for piece in pieces)]


def rows(path: Path) -> dict[str, list[Any]]:
    """Give every row of every table of a shard that is closed."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}


@contextmanager
def lines() -> Iterator[list[Any]]:
    """Give the lines that are logged meanwhile."""
    with structlog.testing.capture_logs() as logs:
        yield logs


def events(logs: list[Any]) -> list[str]:
    """Name what became of snapshots and shards, in order."""
    return [line["event"] for line in logs if line["event"].startswith(("snapshot_", "shard_"))]
