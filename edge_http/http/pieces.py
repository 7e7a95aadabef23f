"""Large JSON responses: sent piece by piece, as fast as the client takes them, and bounded in what they hold."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from aiohttp import payload, web
from aiohttp.abc import AbstractStreamWriter

from edge_http.http.responses import BODY_END, JSON_HEADERS
from schemas.errors import Code, Transient

MAX_HELD_BYTES: Final = 192 * 1024 * 1024
"""Bytes that all large answers of an edge may hold together until they are sent. Room for three of the largest."""

SEND_BASE_S: Final = 30.0
SLOWEST_BYTES_PER_S: Final = 128 * 1024
"""A client has 30 s and a second for each 128 KiB: who takes an answer more slowly holds its memory for too long."""


class AnswerRoom:
    """The memory that large answers share."""

    def __init__(self, size: int = MAX_HELD_BYTES) -> None:
        self.left = size


class Held:
    """What one answer has taken of the room. It gives that back when nobody refers to it, however that comes."""

    def __init__(self, room: AnswerRoom) -> None:
        self._room = room
        self._size = 0

    def __del__(self) -> None:
        self._room.left += self._size

    def grow(self, size: int) -> None:
        """Take more. Raises `unavailable` when there is no room: others must be sent first."""
        if size > self._room.left:
            raise Transient(Code.UNAVAILABLE, "too many large answers are on their way", "ask again later, or for less")
        self._room.left -= size
        self._size += size


class _Pieces(payload.Payload):
    """A body in pieces, and what is held for it."""

    _autoclose = True

    def __init__(self, pieces: Iterable[bytes], held: object) -> None:
        self._pieces = list(pieces)
        self._held: object = held
        self._size = size = sum(map(len, self._pieces))
        self._within_s = SEND_BASE_S + size / SLOWEST_BYTES_PER_S
        super().__init__(self._pieces, content_type=JSON_HEADERS["Content-Type"])

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(self._pieces).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send all. Raises `ConnectionError` when the client leaves, or takes too long."""
        try:
            async with asyncio.timeout(self._within_s):
                await self._write(writer)
        except TimeoutError:
            raise ConnectionResetError("the client took the answer too slowly") from None
        finally:
            self._pieces, self._held = [], None

    async def _write(self, writer: AbstractStreamWriter) -> None:
        self._pieces.reverse()
        while self._pieces:
            # The writer waits for a client that does not read; for one that does, others are given their turn.
            await writer.write(self._pieces.pop())
            await asyncio.sleep(0)


def pieces_response(pieces: Iterable[bytes], held: Any) -> web.Response:
    """Make a response from encoded JSON in pieces. `held` lives as long as they do."""
    return web.Response(body=_Pieces((*pieces, BODY_END), held), headers=JSON_HEADERS)
