"""Copies of whole streams: nats-server makes one while the stream is in use, and takes it back.

The copy is of one moment, in nats-server's own form (a compressed archive of the stream's files). It comes in chunks,
each of which is acknowledged, so that neither side has more in memory than a few of them.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from bus.connection import Bus
from bus.jetstream import ApiError, JetStream
from schemas.errors import Code, Transient

CHUNK_BYTES: Final = 128 * 1024
SILENCE_S: Final = 60.0
"""Seconds that nats-server may be silent: it checks all messages before the first chunk."""

RESTORE_S: Final = 600.0
"""Seconds for nats-server to take the end of a copy: it then reads the whole stream."""


class StreamCopy(msgspec.Struct, frozen=True):
    """What nats-server says of a copy, and wants to be told again when it takes it back."""

    config: dict[str, Any]
    state: dict[str, Any]


async def copy_stream(bus: Bus, stream: str, write: Callable[[bytes], object]) -> StreamCopy:
    """Have a stream copied; `write` takes the chunks. nats-server checks each message before.

    Raises what `write` raises, `ApiError`, and `Transient` when the copy stops half-way.
    """
    copying = _Copying(bus, write)
    inbox = bus.new_inbox()
    listening = await bus.listen(inbox, copying.take)
    try:
        body = {"deliver_subject": inbox, "no_consumers": True, "jsck": True, "chunk_size": CHUNK_BYTES}
        answer = await JetStream(bus).call(f"STREAM.SNAPSHOT.{stream}", body, SILENCE_S)
        await copying.until_done(stream)
    finally:
        await listening.drain()
    return StreamCopy(answer["config"], answer["state"])


async def restore_stream(bus: Bus, copy: StreamCopy, chunks: Iterable[bytes]) -> dict[str, Any]:
    """Make a stream from a copy, and give its state. The stream must not be there. Raises `ApiError`, `Transient`."""
    body = {"config": copy.config, "state": copy.state}
    name = copy.config["name"]
    subject = (await JetStream(bus).call(f"STREAM.RESTORE.{name}", body))["deliver_subject"]
    for chunk in chunks:
        answer = await bus.inbox.request(subject, chunk, SILENCE_S)
        if answer.data:
            raise _refused(answer.data)
    made = msgspec.json.decode((await bus.inbox.request(subject, b"", RESTORE_S)).data)
    if "error" in made:
        raise ApiError(made["error"].get("err_code", 0), made["error"].get("description", ""))
    state: dict[str, Any] = made["state"]
    return state


class _Copying:
    """Takes the chunks of one copy."""

    def __init__(self, bus: Bus, write: Callable[[bytes], object]) -> None:
        self._bus = bus
        self._write = write
        self._heard = asyncio.Event()
        self._done = asyncio.get_running_loop().create_future()

    def take(self, _subject: bytes, reply: bytes, headers: bytes, data: bytes) -> None:
        self._heard.set()
        if self._done.done():
            return
        if not data:
            self._end(headers)
            return
        try:
            self._write(data)
        except OSError as error:
            self._done.set_exception(error)
        if reply:
            self._bus.publish_soon(reply, b"")

    async def until_done(self, stream: str) -> None:
        while not self._done.done():
            self._heard.clear()
            waiting = asyncio.ensure_future(self._heard.wait())
            await asyncio.wait([self._done, waiting], timeout=SILENCE_S, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done() and not self._done.done():
                waiting.cancel()
                raise Transient(Code.UNAVAILABLE, f"nats-server sent nothing of {stream} for {SILENCE_S:g} s")
            waiting.cancel()
        self._done.result()

    def _end(self, headers: bytes) -> None:
        """The last chunk is empty. A status other than 204 says that the copy is not whole."""
        status = headers.partition(b"\r\n")[0]
        if status.startswith(b"NATS/1.0 ") and b" 204" not in status:
            self._done.set_exception(Transient(Code.UNAVAILABLE, f"the copy was broken off: {status[9:].decode()}"))
        else:
            self._done.set_result(None)


def _refused(data: bytes) -> ApiError:
    error = msgspec.json.decode(data).get("error", {})
    return ApiError(error.get("err_code", 0), error.get("description", "the copy is refused"))
