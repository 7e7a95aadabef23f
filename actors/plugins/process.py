"""The worker's side of a plug-in's process. Nobody else of the worker knows that it is a process."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any, Final, TypeVar

import msgspec

from actors.plugins.wire import LENGTH_BYTES, Job, JobResult, PluginDeclaration, PluginEntry, framed
from model.elsewhere import ResolveElsewhere, joined
from schemas.limits import MAX_PAYLOAD_BYTES

SMALL_BYTES: Final = 256 * 1024
"""Bytes of evidence that are encoded at once; more than that goes to a thread."""

READ_BYTES: Final = 64 * 1024
"""Bytes read at a time of what a process that has ended has left."""

T = TypeVar("T")

_loaded: Final = msgspec.json.Decoder(PluginDeclaration)
_result: Final = msgspec.json.Decoder(JobResult)


class BrokenError(Exception):
    """The process has ended, or says what it should not. As a text: what it did."""


class _AllThatCame(asyncio.StreamReader):
    """Gives all that a process has sent before it ended.

    A write that fails ends asyncio's connection, with what has come and was not read yet. So the socket is held a
    second time, and read to its end then.
    """

    def __init__(self, held: socket.socket) -> None:
        super().__init__()
        self._held = held

    def set_exception(self, _: Exception) -> None:
        with suppress(OSError):
            while came := self._held.recv(READ_BYTES):
                self.feed_data(came)
        self.feed_eof()


class PluginProcess:
    """A process that has been started, until `kill`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        held: socket.socket,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._held = held

    @classmethod
    async def start(cls) -> "PluginProcess":
        """Start one. It imports nothing of strangers yet. Raises `OSError`."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "actors.plugins.child", str(theirs.fileno()), str(os.getpid())),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=_environment(),
            )
        ours.setblocking(False)
        held = ours.dup()
        reader = _AllThatCame(held)
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: protocol, sock=ours)
        return cls(process, reader, asyncio.StreamWriter(transport, protocol, reader, loop), held)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def load(self, load: PluginEntry) -> PluginDeclaration:
        """Have it load its plug-in. Raises `BrokenError`."""
        self._writer.write(framed(msgspec.json.encode(load)))
        return await self._receive(_loaded)

    async def call(self, wanted: Iterable[ResolveElsewhere]) -> AsyncIterator[JobResult]:
        """Have components resolved, and give what comes of each as it comes. Raises `BrokenError`."""
        sending = asyncio.create_task(self._send(jobs := list(wanted)))
        try:
            for _ in jobs:
                yield await self._receive(_result)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def kill(self) -> None:
        """End it and all that it has started, and wait for that."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._writer.close()
        self._held.close()
        await self._process.wait()

    async def _send(self, jobs: list[ResolveElsewhere]) -> None:
        for job in jobs:
            if sum(map(len, job.bodies)) <= SMALL_BYTES:
                self._writer.write(_encoded(job))
            else:
                self._writer.write(await asyncio.to_thread(_encoded, job))
            await self._writer.drain()

    async def _receive(self, decoder: "msgspec.json.Decoder[T]") -> T:
        try:
            size = int.from_bytes(await self._reader.readexactly(LENGTH_BYTES), "big")
            if size > MAX_PAYLOAD_BYTES:
                raise BrokenError("its value is larger than an answer may be")
            return decoder.decode(await self._reader.readexactly(size))
        except (EOFError, OSError):
            raise BrokenError("its process ended") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BrokenError("its process answered something else than results") from None


def _encoded(wanted: ResolveElsewhere) -> bytes:
    job = Job(wanted.now, dict(wanted.arguments), wanted.explains)
    return framed(msgspec.json.encode(job)) + framed(joined(wanted.bodies))


def _environment() -> dict[str, str]:
    """Give what the process is told of its surroundings: llum's settings, some of them secret, are not for it."""
    kept: dict[str, Any] = {name: value for name, value in os.environ.items() if not name.startswith("LLUM_")}
    return kept | {"MALLOC_ARENA_MAX": "1"}
