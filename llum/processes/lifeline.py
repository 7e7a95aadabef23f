"""The line between `llum up` and a child of it: one socket, a few lines of JSON, and its end.

supervisor -> child    {"nats": url}                     once the nats-server answers; the child imports meanwhile
child -> supervisor    {"ready": true}                   it serves
child -> supervisor    {"error": "one line"}             why it ends; with "fatal", starting it again cannot help
end of file            the other side is dead: the child drains and ends, so no kill leaves an orphan
"""

import asyncio
import ctypes
import signal
import socket
import sys
from typing import Final

import msgspec

_PR_SET_PDEATHSIG: Final = 1


class FromSupervisor(msgspec.Struct, omit_defaults=True):
    """What `llum up` says to its child."""

    nats: str


class FromChild(msgspec.Struct, omit_defaults=True):
    """What a child says to `llum up`."""

    ready: bool = False
    error: str | None = None
    fatal: bool = False


def die_with_parent(signal_number: int = signal.SIGTERM) -> None:
    """Ask Linux to send this process a signal when its parent dies. Elsewhere the end of the lifeline does it alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number)


class Lifeline:
    """The child's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, file_descriptor: int) -> "Lifeline":
        """Take over the socket that the supervisor has handed down."""
        reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=file_descriptor))
        return cls(reader, writer)

    async def nats_url(self) -> str:
        """Wait until the supervisor says where the nats-server answers. Raises `EOFError` if it dies before."""
        line = await self._reader.readline()
        if not line:
            raise EOFError
        return msgspec.json.decode(line, type=FromSupervisor).nats

    def send(self, message: FromChild) -> None:
        self._writer.write(msgspec.json.encode(message) + b"\n")

    async def broken(self) -> None:
        """Return when the supervisor is dead."""
        while await self._reader.readline():
            pass

    async def close(self) -> None:
        """Flush what was sent."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return
