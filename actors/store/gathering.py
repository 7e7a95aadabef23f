"""Reading evidence in parts, so that no read holds much of the machine at once.

The first part is small, and for most reads it is all. What goes on after it is a large read: of those a worker makes
one at a time, so that large answers neither hold up small ones nor fill the memory.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from actors.store.evidence_sql import evidence_part_query
from model.evidence import held_place, marked, piece_id
from model.reads import Found, Read
from schemas.errors import Code, Transient

FIRST_PIECES: Final = 64
FIRST_BYTES: Final = 64 * 1024
"""Pieces and bytes of the first part: what an answer may have without being called large."""

PIECES_AT_ONCE: Final = 500
BYTES_AT_ONCE: Final = 1024 * 1024
"""Pieces and bytes of every further part: about a millisecond of SQLite."""

MAX_WAITING: Final = 256
"""Large reads of a worker that wait for their turn, each with a first part in memory, 16 MB together. Others are told
to come again; a hundred apps that ask at once are nothing unusual."""

Fetch = Callable[[str, list[Any]], Awaitable[Iterable[Any]]]
"""Runs a statement and gives its rows."""


class LargeReads:
    """Whose turn it is to read much. Shared by the shards of a worker."""

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._waiting = 0
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, first come first served. Raises `unavailable` when too many wait."""
        if self._waiting >= self._max_waiting:
            raise Transient(Code.UNAVAILABLE, "too many large asks wait for the disk")
        self._waiting += 1
        try:
            async with self._lock:
                yield
        finally:
            self._waiting -= 1


async def gather(fetch: Fetch, read: Read, large: LargeReads) -> Found:
    """Read evidence, ascending. Raises what `fetch` raises, and `unavailable` for a large read when too many wait."""
    gathering = _Gathering(fetch, read)
    await gathering.go_on(FIRST_PIECES, FIRST_BYTES)
    if not gathering.ended:
        async with large.turn():
            while not gathering.ended:
                await gathering.go_on(gathering.likely_pieces(), BYTES_AT_ONCE)
    return gathering.found()


class _Gathering:
    """The parts of one read so far."""

    def __init__(self, fetch: Fetch, read: Read) -> None:
        self._fetch = fetch
        self._read = read
        self._bodies: list[bytes] = []
        self._bytes_left = read.max_bytes
        self.ended = False

    def found(self) -> Found:
        """Give what has been read."""
        if self._read.newest is not None:
            self._bodies.reverse()
        return Found(bodies=self._bodies, cut=self._bytes_left <= 0)

    def likely_pieces(self) -> int:
        """Say how many pieces to look at for the next part: SQLite reads each to know its size, given or not."""
        taken = self._read.max_bytes - self._bytes_left
        return max(1, min(PIECES_AT_ONCE, 2 * BYTES_AT_ONCE * len(self._bodies) // taken))

    async def go_on(self, pieces: int, max_bytes: int) -> None:
        """Read the next part."""
        wanted = self._next(min(pieces, self._wanted - len(self._bodies)))
        max_bytes = min(max_bytes, self._bytes_left)
        statement, values = evidence_part_query(wanted, max_bytes)
        ((count, lines, marks),) = await self._fetch(statement, values)
        size = self._take(lines, marks) if count else 0
        is_all = count < wanted.limit and size < max_bytes
        self.ended = is_all or len(self._bodies) == self._wanted or self._bytes_left <= 0

    @property
    def _wanted(self) -> int:
        return self._read.limit if self._read.newest is None else self._read.newest

    def _next(self, pieces: int) -> Read:
        """Bound the read to what comes after the pieces that are there."""
        read = self._read
        if not self._bodies:
            amount = {"limit": pieces} if read.newest is None else {"limit": pieces, "newest": pieces}
            return msgspec.structs.replace(read, **amount)
        last = piece_id(self._bodies[-1])
        held = held_place(self._bodies[-1])[0] if read.by_held else None
        if read.newest is not None:
            return msgspec.structs.replace(read, newest=pieces, limit=pieces, before=last, before_held=held)
        return msgspec.structs.replace(read, limit=pieces, after=last, after_held=held)

    def _take(self, lines: str, marks: str | None) -> int:
        """Add the pieces of a part, and give their bytes."""
        bodies = lines.encode().split(b"\n")
        size = sum(map(len, bodies))
        self._bytes_left -= size
        if marks is None:
            self._bodies += bodies
        else:
            withdrawals = marks.encode().split(b"\n")
            self._bodies += [marked(*pair) if pair[1] else pair[0] for pair in zip(bodies, withdrawals, strict=True)]
        return size
