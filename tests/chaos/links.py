"""Links between two processes: a TCP proxy that is cut, slow, or lets nothing through in one direction.

All that nats-servers say to each other goes over links, and so does all that workers and edges say to them. They run
in the event loop of the run itself, so they need no rights.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Literal, NamedTuple

Direction = Literal["there", "back"]
"""From whoever has connected to the server, and back."""


class Endpoint(NamedTuple):
    """Where somebody listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Link:
    """From whoever connects to `at` to a server."""

    def __init__(self, name: str, at: Endpoint, to: Endpoint) -> None:
        self.name = name
        self.at = at
        self.to = to
        self.is_cut = False
        self.silent: frozenset[Direction] = frozenset()
        """Nothing arrives in these directions, and nobody is told: as if each packet were lost."""
        self.delay_s = 0.0
        """Seconds that everything takes, in each direction."""
        self.ends: set[_End] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _End(self, "there"), *self.at)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()

    def cut(self) -> None:
        """End all connections, and let none come about."""
        self.is_cut = True
        for end in list(self.ends):
            end.abort()

    def silence(self, directions: Iterable[Direction]) -> None:
        self.silent = frozenset(directions)
        for end in self.ends:
            end.look()

    def mend(self) -> None:
        """Be as at the beginning. What was kept back arrives now: TCP sends it again until it does."""
        self.is_cut, self.silent, self.delay_s = False, frozenset(), 0.0
        for end in self.ends:
            end.look()


class _End(asyncio.Protocol):
    """One end of a connection: what it receives goes on to the other one."""

    def __init__(self, link: Link, direction: Direction, other: "_End | None" = None) -> None:
        self._link = link
        self._direction = direction
        self.other = other
        self.transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._late: deque[tuple[float, bytes]] = deque()
        """What was received and is under way, with the time at which it arrives."""
        self._other_is_full = False
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._link.is_cut:
            self.abort()
            return
        self._link.ends.add(self)
        if self.other is None:
            transport.pause_reading()
            self._connecting = self._loop.create_task(self._connect())
        else:
            self.other.other = self
            self.look()
            self.other.look()

    async def _connect(self) -> None:
        try:
            await self._loop.create_connection(lambda: _End(self._link, "back", self), *self._link.to)
        except OSError:
            self.abort()

    def look(self) -> None:
        """Read, unless nothing goes through or the other end takes no more."""
        if self.transport is None or self.other is None or self.transport.is_closing():
            return
        if self._other_is_full or self._direction in self._link.silent:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if not self._late and not self._link.delay_s:
            self._pass_on(data)
            return
        self._late.append((self._loop.time() + self._link.delay_s, data))
        if len(self._late) == 1:
            self._loop.call_at(self._late[0][0], self._pass_on_late)

    def _pass_on_late(self) -> None:
        while self._late and self._late[0][0] <= self._loop.time():
            self._pass_on(self._late.popleft()[1])
        if self._late:
            self._loop.call_at(self._late[0][0], self._pass_on_late)

    def _pass_on(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        self._note_full(is_full=True)

    def resume_writing(self) -> None:
        self._note_full(is_full=False)

    def _note_full(self, *, is_full: bool) -> None:
        if self.other is not None:
            self.other._other_is_full = is_full
            self.other.look()

    def connection_lost(self, _error: Exception | None) -> None:
        self._link.ends.discard(self)
        while self._late:
            self._pass_on(self._late.popleft()[1])
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def abort(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        if self.transport is not None:
            with suppress(OSError):
                self.transport.abort()
