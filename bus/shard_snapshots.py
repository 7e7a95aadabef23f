"""Snapshots of partitions in the object store: what is said of each, how they are found, and asking for one.

The name of a snapshot is that of its partition, its last command, and a word that nobody has used.
"""

import secrets
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from bus.connection import Bus
from bus.inbox import is_asker
from bus.objects import ObjectStore, StoredObject
from bus.operator_subjects import snapshot_subject_of
from bus.subjects import SNAPSHOT_STORE
from bus.wire import Listening

_MANIFEST: Final = "manifest"
"""The key of an object's metadata with its manifest, as JSON."""


_AGAIN: Final = b"again"
"""Asks for a snapshot although nothing may be new."""


class SnapshotManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a snapshot without unpacking it."""

    partition: int
    committed_seq: int
    """Everything up to here that belongs to the partition is in it."""
    erased_seq: int
    """The last erasure that is known to be in it (`bus.erasures`)."""
    schema: int
    """The version of the shard's tables."""
    unicode: int
    log_format: int
    last_time_us: int
    """When its last command was accepted, microseconds since 1970."""
    last_digest: str
    """Of its last command, hexadecimal; empty: it has none."""
    log_sum: str
    """The sum of the digests of all commands that are kept, hexadecimal."""
    state_sum: str
    """The sum of the digests of all rows that models are made of, hexadecimal."""
    made_by: str
    """Schema, Unicode and version of the llum that made the state: only sums of the same can be compared."""
    digest_key: int
    """The fingerprint of the installation's key."""
    commands: int
    """So many commands were written into the shard, those since forgotten included."""
    bytes: int
    """Of the file, unpacked."""
    sha256: str
    """Of the file, unpacked, hexadecimal."""
    compression: str
    made_at: float
    """Seconds since 1970."""


class Snapshot(NamedTuple):
    """A snapshot that is stored."""

    object: StoredObject
    manifest: SnapshotManifest | None
    """None: it cannot be read."""


class SnapshotMade(msgspec.Struct, frozen=True):
    """What has become of a request for a snapshot."""

    partition: int
    manifest: SnapshotManifest | None = None
    """The newest snapshot there is now."""
    new: bool = False
    """Whether it was made now. False: there was nothing that the one before does not have."""
    failure: str | None = None


def store_of(bus: Bus) -> ObjectStore:
    """Give the object store of snapshots."""
    return ObjectStore(bus, SNAPSHOT_STORE)


def new_name(partition: int, seq: int) -> str:
    """Name a snapshot that is to be made."""
    return f"{partition}-{seq}-{secrets.token_hex(4)}"


def is_of(partition: int) -> Callable[[str], bool]:
    """Give what tells whether a snapshot is of a partition, by its name."""
    prefix = f"{partition}-"
    return lambda name: name.startswith(prefix)


async def list_snapshots(bus: Bus, partition: int | None = None) -> list[Snapshot]:
    """List the snapshots of a partition, or of all: what was written last comes first. Raises `Transient`."""
    chosen = (lambda _: True) if partition is None else is_of(partition)
    return [Snapshot(one, _manifest(one)) for one in await store_of(bus).list(chosen)]


def metadata(manifest: SnapshotManifest) -> dict[str, str]:
    """Give the metadata of a snapshot."""
    return {_MANIFEST: msgspec.json.encode(manifest).decode()}


def _manifest(found: StoredObject) -> SnapshotManifest | None:
    try:
        return msgspec.json.decode(found.metadata.get(_MANIFEST, ""), type=SnapshotManifest)
    except msgspec.DecodeError:
        return None


async def request_snapshot(bus: Bus, partition: int, within_s: float, *, again: bool = False) -> SnapshotMade | None:
    """Have a snapshot made by the partition's primary; None: there is none. Raises `Transient`.

    `again`: even if the newest one has everything, so that there are two.
    """
    answer = await bus.inbox.request(snapshot_subject_of(partition), _AGAIN if again else b"", within_s)
    return None if answer.no_responders else msgspec.json.decode(answer.data, type=SnapshotMade)


class SnapshotRequests:
    """Hears requests about one partition."""

    def __init__(self, bus: Bus, partition: int, asked: Callable[[str, bool], None]) -> None:
        self._bus = bus
        self._partition = partition
        self._asked = asked
        """Called with the inbox that wants the answer, and whether one is to be made even if nothing is new."""
        self._listening: Listening | None = None

    async def open(self) -> None:
        """Listen. Raises `Transient`."""
        if self._listening is None:
            self._listening = await self._bus.listen(snapshot_subject_of(self._partition), self._on_message)

    async def close(self) -> None:
        """Hear nothing more, once nats-server knows, but what it has sent before."""
        listening, self._listening = self._listening, None
        if listening is not None:
            await listening.drain()

    def _on_message(self, _subject: bytes, reply: bytes, _headers: bytes, data: bytes) -> None:
        if is_asker(reply):
            self._asked(reply.decode(), data == _AGAIN)
