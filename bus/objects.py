"""Large objects in chunks on a stream, laid out as other NATS clients do it (ADR-20), so that their tools list them.

An object is written once, under a name that nobody has used: its chunks are on the subject of that name. It is there
when its record is, which comes last. So whatever an interrupted write leaves is never read; `sweep` deletes it.

A purge would leave the bytes in the stream's files. Chunks are deleted one by one, and so overwritten
(`bus/erasing.py`).
"""

import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from bus import erasing, failpoints, object_subjects
from bus.connection import Bus
from bus.jetstream import JetStream
from schemas.errors import Code, Transient

CHUNK_BYTES: Final = 128 * 1024
"""Bytes of a chunk, the last one excepted: a message of this size holds up no other for long."""

PAGE: Final = 16
"""Chunks that are read at a time, 2 MB."""

STORED_WITHIN_S: Final = 30.0
"""Seconds for a chunk: a busy disk takes many other messages before it."""

_SHA_256: Final = "SHA-256="


class ObjectDamaged(Transient):
    """An object whose bytes are not those that were written."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(Code.UNAVAILABLE, f"the stored object {name} is damaged: {what}")


class _Options(msgspec.Struct, frozen=True):
    max_chunk_size: int = CHUNK_BYTES


class _Record(msgspec.Struct, frozen=True):
    """What the stream holds of an object beside its chunks. The names are those of ADR-20."""

    name: str
    bucket: str
    nuid: str
    size: int
    chunks: int
    digest: str
    mtime: str
    metadata: dict[str, str] = {}
    options: _Options = _Options()


class StoredObject(NamedTuple):
    """An object that is there, whole or not: only reading it shows that."""

    name: str
    bytes: int
    chunks: int
    digest: str
    """The SHA-256 of its bytes, as `SHA-256=` and base64."""
    metadata: dict[str, str]
    seq: int
    """The place of its record in the stream: one that was written later has a larger one."""


_decode: Final = msgspec.json.Decoder(_Record)


class ObjectStore:
    """One store. Names are subject tokens."""

    def __init__(self, bus: Bus, store: str) -> None:
        self._bus = bus
        self._jetstream = JetStream(bus)
        self._store = store
        self._stream = object_subjects.object_stream(store)

    async def write(self, name: str, chunks: AsyncIterator[bytes], about: Callable[[], dict[str, str]]) -> None:
        """Write an object under a new name. `about` gives its metadata, and is called when all chunks are stored.

        Raises `Transient`, and what giving the chunks raises. What was written is then of no use: `sweep` deletes it.
        """
        digest, size, count = hashlib.sha256(), 0, 0
        async for chunk in chunks:
            await self._jetstream.publish(self._chunks(name), chunk, timeout_s=STORED_WITHIN_S)
            failpoints.reached("chunk_uploaded")
            digest.update(chunk)
            size, count = size + len(chunk), count + 1
        written = _SHA_256 + base64.urlsafe_b64encode(digest.digest()).decode()
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        record = _Record(name, self._store, name, size, count, written, now, about())
        await self._jetstream.publish(self._record(name), msgspec.json.encode(record), {"Nats-Rollup": "sub"})

    async def list(self, chosen: Callable[[str], bool] = lambda _: True) -> list[StoredObject]:
        """List the objects whose names are chosen, the latest first. Raises `Transient`."""
        names = [name for name in await self._recorded() if chosen(name)]
        found = [one for name in names if (one := await self.find(name)) is not None]
        return sorted(found, key=lambda one: one.seq, reverse=True)

    async def find(self, name: str) -> StoredObject | None:
        """Look an object up; None: it is not there. Raises `Transient`."""
        stored = await self._jetstream.last(self._stream, self._record(name))
        if stored is None:
            return None
        try:
            record = _decode.decode(stored.data)
        except msgspec.DecodeError:
            return StoredObject(name, 0, 0, "", {}, stored.seq)
        return StoredObject(name, record.size, record.chunks, record.digest, record.metadata, stored.seq)

    async def read(self, found: StoredObject) -> AsyncIterator[bytes]:
        """Give the chunks. What has been given counts only when this has ended without an error.

        Raises `ObjectDamaged`, `Transient`.
        """
        digest, size, count = hashlib.sha256(), 0, 0
        async for page in erasing.pages(self._jetstream, self._stream, self._chunks(found.name), page_size=PAGE):
            for chunk in page:
                digest.update(chunk.data)
                size, count = size + len(chunk.data), count + 1
                if size > found.bytes:
                    raise ObjectDamaged(found.name, "it is longer than what was written")
                yield chunk.data
        if (size, count) != (found.bytes, found.chunks):
            raise ObjectDamaged(found.name, f"{count} of {found.chunks} chunks are there")
        if _SHA_256 + base64.urlsafe_b64encode(digest.digest()).decode() != found.digest:
            raise ObjectDamaged(found.name, "its bytes are not those that were written")

    async def delete(self, name: str) -> None:
        """Delete an object: first its record, so that nobody finds what is half gone. No byte of it is left.

        Does nothing where there is none. Raises `Transient`.
        """
        await erasing.erase(self._bus, self._stream, self._record(name))
        await erasing.erase(self._bus, self._stream, self._chunks(name))

    async def sweep(self, chosen: Callable[[str], bool] = lambda _: True) -> Sequence[str]:
        """Delete the chunks of objects whose names are chosen and that have no record, and name them.

        That may be one which is just being written: it is damaged then. Raises `Transient`.
        """
        prefix = self._chunks("")
        stored = await self._jetstream.subjects(self._stream, self._chunks("*"))
        recorded = await self._recorded()
        unfinished = sorted({subject.removeprefix(prefix) for subject in stored} - recorded)
        swept = [name for name in unfinished if chosen(name)]
        for name in swept:
            await self.delete(name)
        return swept

    async def _recorded(self) -> set[str]:
        prefix = object_subjects.object_record(self._store, "")
        found = await self._jetstream.listed(self._stream, object_subjects.object_record(self._store, "*"))
        return {base64.urlsafe_b64decode(subject.removeprefix(prefix)).decode() for subject in found}

    def _chunks(self, name: str) -> str:
        return object_subjects.object_chunks(self._store, name)

    def _record(self, name: str) -> str:
        return object_subjects.object_record(self._store, base64.urlsafe_b64encode(name.encode()).decode())
