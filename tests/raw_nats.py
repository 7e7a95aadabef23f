"""A client that writes to nats-server what it likes, byte by byte, as an attacker does, and reads what it says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec


class Raw:
    """One connection. Every method returns when nats-server has dealt with what was sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.messages: list[bytes] = []
        """The subjects of what has come."""

    async def send(self, *lines: bytes) -> list[str]:
        """Send, and give the errors that nats-server answers with. Raises `EOFError` if it ends the connection."""
        self._writer.write(b"".join(lines) + b"PING\r\n")
        errors: list[str] = []
        while (line := await self._line()) != b"PONG\r\n":
            if not line:
                raise EOFError("; ".join(errors))
            await self._take(line, errors)
        return errors

    async def _line(self) -> bytes:
        try:
            return await self._reader.readline()
        except ConnectionError:
            return b""

    async def _take(self, line: bytes, errors: list[str]) -> None:
        words = line.split()
        if words[0] == b"-ERR":
            errors.append(line[5:].decode().strip().strip("'"))
        elif words[0] in (b"MSG", b"HMSG"):
            await self._reader.readexactly(int(words[-1]) + 2)
            self.messages.append(words[1])
        elif words[0] == b"PING":
            self._writer.write(b"PONG\r\n")

    async def publish(self, subject: str, data: bytes = b"{}", reply: str = "", headers: str = "") -> list[str]:
        """Publish; `headers` are lines with their ends."""
        target = f"{subject} {reply}".encode() if reply else subject.encode()
        if not headers:
            return await self.send(b"PUB %b %d\r\n%b\r\n" % (target, len(data), data))
        block = f"NATS/1.0\r\n{headers}\r\n".encode()
        return await self.send(b"HPUB %b %d %d\r\n%b%b\r\n" % (target, len(block), len(block) + len(data), block, data))

    async def subscribe(self, subject: str, number: int = 1, queue: str = "") -> list[str]:
        return await self.send(f"SUB {subject} {queue} {number}\r\n".encode())


@asynccontextmanager
async def raw(url: str, **options: Any) -> AsyncIterator[Raw]:
    """Connect with these options, or with the login in the address. Raises `EOFError` if nobody is let in so."""
    parts = urlsplit(url)
    login = {"user": parts.username, "pass": parts.password} if parts.username else {}
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        await reader.readline()
        client = Raw(reader, writer)
        said = {"verbose": False, "headers": True, "protocol": 1, "lang": "raw", **login, **options}
        await client.send(b"CONNECT %b\r\n" % msgspec.json.encode(said))
        yield client
    finally:
        writer.close()
