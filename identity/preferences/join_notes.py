"""Notes that say who joins which safe, and who works on that now: of many who would go on with a join, one does.

Whoever works on a join holds its note: they have written it last. They write it anew before each step that must not be
done twice in two ways. Who finds then that somebody else has written it stops, and leaves the rest to them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from bus.kv import Bucket, KeyValue
from schemas.errors import Code, Transient

TAKEN_UP_AFTER_S: Final = 30.0
"""Seconds after which a note is one of somebody who broke off."""

_ALL: Final = "joining.*"


class JoinNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who joins a safe."""

    safe: str
    key: str
    user: str
    label: str
    how: str
    since: float
    """When somebody has last begun to work on it, seconds since 1970."""
    attempt: str = ""
    """Tells this join from an earlier one that was undone. Ids of commands come from it: they are not repeats."""
    is_new: bool = False
    """Nothing is done but the note: it has not been looked whether it can be."""
    is_undone: bool = False
    """It cannot be, so nobody goes on with it: all that it has done is to be undone."""


_decoder: Final = msgspec.json.Decoder(JoinNote)


@dataclass
class HeldNote:
    """A note, and its place in the bucket as of when it was last read or written here."""

    note: JoinNote
    entry: KeyValue


class BeingMoved(Transient):
    """Somebody joins the safe at this moment, or has broken that off and whoever sweeps goes on with it."""

    def __init__(self) -> None:
        message = "the preferences are being moved to a person's model"
        super().__init__(Code.UNAVAILABLE, message, "come again in a minute")


class JoinNotes:
    """Reads and writes notes. All methods raise `Transient`, `ApiError`."""

    def __init__(self, bucket: Bucket, now: Callable[[], float] = time.time) -> None:
        self._bucket = bucket
        self._now = now

    async def write(self, note: JoinNote) -> HeldNote:
        """Write the note of a safe that has none, and hold it. Raises `BeingMoved` if somebody else joins it."""
        note = msgspec.structs.replace(note, since=self._now())
        entry = await self._bucket.claim(_name(note.safe), msgspec.json.encode(note))
        if entry is None:
            raise BeingMoved
        return HeldNote(note, entry)

    async def find(self, safe: str) -> HeldNote | None:
        """Give the note of a safe as the bucket's leader has it."""
        entry = await self._bucket.find_at_leader(_name(safe))
        return None if entry is None else _read(entry)

    async def is_there(self, safe: str) -> bool:
        """Tell whether a safe is being joined."""
        return await self._bucket.find_at_leader(_name(safe)) is not None

    async def list(self) -> list[HeldNote]:
        """Give all notes."""
        return [_read(entry) for entry in await self._bucket.list(_ALL)]

    def is_left(self, note: JoinNote) -> bool:
        """Tell whether nobody has worked on it for so long that they must have broken off."""
        return self._now() - note.since >= TAKEN_UP_AFTER_S

    async def hold(self, held: HeldNote, changed: JoinNote | None = None) -> None:
        """Be the one who works on it from now on, and write what has changed in it.

        Raises `BeingMoved` if somebody else has written it meanwhile.
        """
        await self._change(held, msgspec.structs.replace(changed or held.note, since=self._now()))

    async def name_nobody(self, held: HeldNote) -> None:
        """Have a note name its person no more, and be undone by whoever sweeps next. Raises `BeingMoved`."""
        nobodys = msgspec.structs.replace(held.note, user="", label="", how="", since=0.0, is_undone=True)
        await self._change(held, nobodys)

    async def drop(self, held: HeldNote) -> None:
        """Have all be done. A note that somebody else has written meanwhile stays: they drop it."""
        await self._bucket.take(held.entry)

    async def _change(self, held: HeldNote, note: JoinNote) -> None:
        entry = await self._bucket.swap(held.entry, msgspec.json.encode(note))
        if entry is None:
            raise BeingMoved
        held.note, held.entry = note, entry


def _read(entry: KeyValue) -> HeldNote:
    return HeldNote(_decoder.decode(entry.value), entry)


def _name(safe: str) -> str:
    return f"joining.{safe}"
