"""The line between `llum up` and a child of it: one socket, a few lines of JSON, and its end.

supervisor -> child    {"environment": …, …}            what it is to be, with descriptors; the child imports meanwhile
supervisor -> child    {"nats": url}                     once the nats-server answers
supervisor -> child    {"alive": true}                   every few seconds once it serves: is its event loop alive?
child -> supervisor    {"alive": true}                   it is
child -> supervisor    {"step": "one line"}              how far it has got with its start
child -> supervisor    {"ready": true}                   it serves
child -> supervisor    {"error": "one line"}             why it ends; with "fatal", starting it again cannot help
end of file            the other side is dead: the child drains and ends, so no kill leaves an orphan
"""

import asyncio
import signal
import socket
import sys
from typing import Final

import msgspec

_PR_SET_PDEATHSIG: Final = 1
_RECEIVED_BYTES: Final = 65536
_MAX_DESCRIPTORS: Final = 1


class Begin(msgspec.Struct, frozen=True):
    """The first that `llum up` says to its child."""

    environment: dict[str, str]
    """Of the settings."""
    log_dir: str
    echo_logs: bool = False
    hand_over_s: float = 1.0
    """Seconds that a worker may take to hand over before it ends: `llum up` ends soon."""


class FromSupervisor(msgspec.Struct, omit_defaults=True):
    """What `llum up` says to its child later."""

    nats: str | None = None
    alive: bool = False
    """An answer is wanted."""


class FromChild(msgspec.Struct, omit_defaults=True):
    """What a child says to `llum up`."""

    ready: bool = False
    alive: bool = False
    first_link: str | None = None
    """With `ready`, of an edge: where the first person signs up. It is shown to whoever has started llum, and kept
    nowhere."""
    step: str | None = None
    error: str | None = None
    fatal: bool = False


def die_with_parent(signal_number: int = signal.SIGTERM) -> None:
    """Ask Linux to send this process a signal when its parent dies. Elsewhere the end of the lifeline does it alone."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number)


def send_begin(line: socket.socket, begin: Begin, descriptors: list[int]) -> None:
    """Tell a child what it is to be. Raises `OSError` when it has ended."""
    socket.send_fds(line, [msgspec.json.encode(begin) + b"\n"], descriptors)


class ChildEnd:
    """The child's end as long as it has no event loop."""

    def __init__(self, end: socket.socket) -> None:
        # What this process starts itself must not hold the line when it has ended.
        end.set_inheritable(False)
        self.end = end
        self.rest = b""
        """What has come after the beginning."""
        self.descriptors: list[int] = []
        """What has come with it."""

    def begin(self) -> Begin:
        """Wait to be told what to be. Raises `EOFError` if the supervisor dies before."""
        received = b""
        while b"\n" not in received:
            data, descriptors, _, _ = socket.recv_fds(self.end, _RECEIVED_BYTES, _MAX_DESCRIPTORS)
            if not data:
                raise EOFError
            received += data
            self.descriptors += descriptors
        first, _, self.rest = received.partition(b"\n")
        return msgspec.json.decode(first, type=Begin)


class Lifeline:
    """The child's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, line: ChildEnd) -> "Lifeline":
        """Go on with a line in this event loop."""
        reader, writer = await asyncio.open_connection(sock=line.end)
        reader.feed_data(line.rest)
        return cls(reader, writer)

    async def nats_url(self) -> str:
        """Wait until the supervisor says where the nats-server answers. Raises `EOFError` if it dies before."""
        while line := await self._reader.readline():
            url = msgspec.json.decode(line, type=FromSupervisor).nats
            if url is not None:
                return url
        raise EOFError

    def send(self, message: FromChild) -> None:
        self._writer.write(msgspec.json.encode(message) + b"\n")

    async def broken(self) -> None:
        """Tell the supervisor that this event loop is alive, as often as it asks. Return when it is dead."""
        while line := await self._reader.readline():
            if msgspec.json.decode(line, type=FromSupervisor).alive:
                self.send(FromChild(alive=True))

    async def close(self) -> None:
        """Flush what was sent."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return
