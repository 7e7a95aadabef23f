"""The nats-py client, made proof against what strangers may send, and with a short way for what arrives in bulk.

nats-py 2.16 ends its read loop for good, or reconnects for ever, on messages that nats-server accepts from any
client: a subject that is not UTF-8 or holds a vertical tab, a header block without a line, a status that is no number.
Such a message in the log would stop every worker. So bytes are parsed here: fields are split at the single
spaces that nats-server writes, and nothing is decoded before the receiver asks for it.

This is the only module that touches nats-py's private names; `tests/bus/test_wire.py` holds it to them.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

from bus.logger import get_logger
from bus.nats_py import nats

OnMessage = Callable[[bytes, bytes, bytes, bytes], None]
"""Called as `handler(subject, reply, headers, data)`, at once and in order. It must not block, and should not raise."""

_HARMLESS = ("permissions violation", "invalid subject", "invalid publish subject")
"""Errors after which nats-server keeps the connection; after all others the client connects anew."""

_PING: Final = b"PING\r\n"

DRAIN_WITHIN_S: Final = 1
"""Seconds in which nats-server must have said that it sends nothing more to a subscription."""

CANCEL_AGAIN_S: Final = 0.05
"""Seconds after which a task that goes on in spite of being cancelled is cancelled again."""

log = get_logger("llum.bus")


class Parser:
    """Cuts the byte stream from nats-server into messages and hands each to its handler or to nats-py."""

    def __init__(self, client: "WireClient") -> None:
        self._client = client
        self.handlers: dict[bytes, OnMessage] = {}
        """By subscription id, as it is written on the wire."""
        self.parsing = False
        """Nothing may be taken meanwhile: it would overtake what is being parsed."""
        self.reset()

    def reset(self) -> None:
        """Forget a message that was cut off. nats-py calls this when it connects anew."""
        self._chunks: list[bytes] = []
        self._size = 0
        self._needed = 0

    def take(self, data: bytes) -> bytes:
        """Take what has arrived, and hand the messages to their handlers. Gives the rest, from the first that has none.

        That is for `parse`, which may have to wait.
        """
        buffer = self._joined(data)
        if buffer is None:
            return b""
        used, stopped = self._consume(buffer, 0)
        if stopped:
            return buffer[used:]
        self._keep(buffer, used)
        return b""

    async def parse(self, data: bytes = b"") -> None:
        """Take what has arrived; nats-py calls this. Raises `ProtocolError` when the stream makes no sense."""
        self.parsing = True
        try:
            buffer = self._joined(data)
            if buffer is not None:
                await self._parse(buffer)
        finally:
            self.parsing = False

    async def _parse(self, buffer: bytes) -> None:
        used, stopped = self._consume(buffer, 0)
        while stopped:
            used = await self._pass_on(buffer, used)
            if self._client.is_reconnecting:
                return
            used, stopped = self._consume(buffer, used)
        self._keep(buffer, used)

    def _joined(self, data: bytes) -> bytes | None:
        """Give what has arrived and was not used; None while a message is known to be incomplete."""
        self._chunks.append(data)
        self._size += len(data)
        if self._size < self._needed:
            return None
        buffer = data if len(self._chunks) == 1 else b"".join(self._chunks)
        self.reset()
        return buffer

    def _keep(self, buffer: bytes, used: int) -> None:
        if used < len(buffer):
            self._chunks = [buffer[used:]]
            self._size = len(buffer) - used

    def _consume(self, buffer: bytes, at: int) -> tuple[int, bool]:
        """Hand over every whole message from `at` on. Gives where it ended, and whether what comes has no handler."""
        handlers = self.handlers
        while (line_end := buffer.find(b"\r\n", at)) >= 0:
            fields = buffer[at:line_end].split(b" ")
            if (fields[0] != b"MSG" and fields[0] != b"HMSG") or not fields[-1].isdigit():
                return at, True
            start = line_end + 2
            stop = start + int(fields[-1])
            if len(buffer) < stop + 2:
                self._needed = stop + 2 - at
                break
            handler = handlers.get(fields[2])
            if handler is None:
                return at, True
            _call(handler, *_parts(fields, buffer, start, stop))
            at = stop + 2
        return at, False

    async def _pass_on(self, buffer: bytes, at: int) -> int:
        """Deal with what has no handler, a whole message or a line, and give where it ends."""
        line_end = buffer.index(b"\r\n", at)
        fields = buffer[at:line_end].split(b" ")
        start = line_end + 2
        if fields[0] != b"MSG" and fields[0] != b"HMSG":
            await self._control(fields[0], buffer[at:line_end])
            return start
        stop = start + _number(fields[-1])
        await self._client.receive(*_parts(fields, buffer, start, stop), sid=_number(fields[2]))
        return stop + 2

    async def _control(self, operation: bytes, line: bytes) -> None:
        client = self._client
        if operation == b"PING":
            await client._process_ping()
        elif operation == b"PONG":
            await client._process_pong()
        elif operation == b"INFO":
            await client._process_info(json.loads(line[5:]))
        elif operation == b"-ERR":
            await client._process_err(line[5:].decode("utf-8", "replace").lower())
        elif operation != b"+OK":
            raise nats.errors.ProtocolError(f"nats: unknown protocol {line[:40]!r}")


class WireClient(nats.aio.client.Client):  # type: ignore[misc]
    """A nats-py client with the parser above, that gives up only when told to."""

    _pending: list[bytes]
    _pending_data_size: int

    def __init__(self) -> None:
        super().__init__()
        self._ps: Parser = Parser(self)
        self._writing_soon = False
        self.on_credentials_shown: Callable[[], None] = lambda: None
        """Called when the credentials go to the server. It must not block."""

    @property
    def server_info(self) -> dict[str, Any]:
        """What nats-server has said of itself when the connection was made."""
        return self._server_info  # type: ignore[no-any-return]

    async def receive(self, subject: bytes, reply: bytes, headers: bytes, data: bytes, sid: int) -> None:
        """Hand a message to nats-py's own subscriptions; one that nats-py cannot read is logged and dropped."""
        try:
            await self._process_msg(sid, subject, reply, data, headers or None)
        except (UnicodeDecodeError, ValueError, IndexError):
            log.warning("bus.unreadable_message", subject=subject[:200].decode("utf-8", "replace"))

    def publish_soon(self, subject: bytes, data: bytes, reply: bytes = b"", headers: bytes = b"") -> bool:
        """Publish without awaiting: what a handler may do. False, and nothing is sent, when too much waits already.

        Nothing is checked here: subjects and headers must be ours, or have been.
        """
        if self._pending_data_size > self._max_pending_size or not self.is_connected:
            return False
        if self._flusher_task is None or self._flusher_task.done():
            return False
        target = b"%b %b" % (subject, reply) if reply else subject
        if headers:
            size = len(headers)
            command = b"HPUB %b %d %d\r\n%b%b\r\n" % (target, size, size + len(data), headers, data)
        else:
            command = b"PUB %b %d\r\n%b\r\n" % (target, len(data), data)
        self._pending.append(command)
        self._pending_data_size += len(command)
        if not self._writing_soon:
            self._writing_soon = True
            asyncio.get_running_loop().call_soon(self._write)
        return True

    def _write(self) -> None:
        """Write all that was published in a turn of the loop; while the socket takes no more, nats-py's task does."""
        self._writing_soon = False
        if self._pending_data_size == 0 or not self.is_connected:
            return
        # A WebSocket's transport has no stream.
        stream = getattr(self._transport, "_io_writer", None)
        writer = stream.transport if stream else None
        if writer is not None and not writer.is_closing() and writer.get_write_buffer_size() == 0:
            writer.write(b"".join(self._pending))
            self._pending = []
            self._pending_data_size = 0
        elif self._flush_queue.empty():
            self._flush_queue.put_nowait(asyncio.get_running_loop().create_future())

    async def _read_loop(self) -> None:
        """Take what arrives as it arrives; nats-py's task reads what is left, such as pings and its own messages."""
        reader = getattr(self._transport, "_io_reader", None)
        if reader is not None:
            self._take_at_once(reader)
        await super()._read_loop()

    def _take_at_once(self, reader: Any) -> None:
        parser, feed = self._ps, reader.feed_data

        def take(data: bytes) -> None:
            may_take = not (parser.parsing or reader._buffer) and self._transport._io_reader is reader
            rest = self._taken(data) if may_take else data
            if rest:
                feed(rest)

        reader.feed_data = take

    def _taken(self, data: bytes) -> bytes:
        """Have it parsed, and send at once what the handlers publish, before all else that the loop has to do."""
        self._writing_soon = True
        try:
            return self._ps.take(data)
        finally:
            self._write()

    async def flush(self, timeout: int = 10) -> None:  # noqa: ASYNC109 - nats-py's signature
        """Wait until the server has taken all that was sent. nats-py's own PING overtakes what still waits here."""
        await self._flush_pending(force_flush=True)
        await super().flush(timeout)

    async def _greet(self) -> None:
        """Connect, with CONNECT and PING in one write.

        nats-server cuts a connection that it refuses. What it has not read by then makes the cut so hard that the
        reason may be lost on the way: the PING, which nats-py sends in a second write.
        """
        transport = self._transport
        held: list[bytes] = []

        def write(payload: bytes) -> None:
            held.append(payload)
            if payload == _PING:
                type(transport).write(transport, b"".join(held))
                held.clear()

        transport.write = write
        try:
            await super()._process_connect_init()
        finally:
            del transport.write

    async def _process_err(self, err_msg: str) -> None:
        """Connect anew where nats-py would close for good."""
        error = nats.errors.Error(f"nats: {err_msg.strip(chr(39))}")
        self._err = error
        await self._error_cb(error)
        if not any(text in err_msg for text in _HARMLESS):
            await self._process_op_err(error)

    def _connect_command(self) -> bytes:
        command: bytes = super()._connect_command()
        self.on_credentials_shown()
        return command

    async def _process_connect_init(self) -> None:
        """Raise where nats-py takes a connection for made that the server has ended while it was being made."""
        await self._greet()
        if not self.is_connected:
            for task in (self._reading_task, self._ping_interval_task, self._flusher_task):
                task.cancel()
            raise nats.errors.UnexpectedEOF

    async def close(self) -> None:
        """Close for good: nats-py alone may go on connecting if an attempt fails in the moment of closing."""
        await super().close()
        task = self._reconnection_task
        if task is not None and task is not asyncio.current_task():
            await end_task(task)
            await super().close()

    async def listen(self, subject: str, handler: OnMessage, queue: str = "") -> "Listening":
        """Subscribe with a plain function that is called as each message is parsed, without a queue or task between."""
        subscription = await self.subscribe(subject, queue=queue)
        sid = str(subscription._id).encode()
        self._ps.handlers[sid] = handler
        return Listening(self, self._ps, sid, subscription)


class Listening:
    """A subscription made by `WireClient.listen`."""

    def __init__(self, client: WireClient, parser: Parser, sid: bytes, subscription: Any) -> None:
        self._client = client
        self._parser = parser
        self._sid = sid
        self._subscription = subscription

    async def stop(self) -> None:
        """End the subscription. Does nothing on a closed connection, or the second time."""
        if self._parser.handlers.pop(self._sid, None) is None:
            return
        try:
            await self._subscription.unsubscribe()
        except nats.errors.Error:
            return

    async def drain(self) -> None:
        """End the subscription, but hand over what nats-server has sent before it knew. Raises nothing of the bus."""
        if self._sid not in self._parser.handlers:
            return
        try:
            await self._subscription.unsubscribe()
            if self._client.is_connected:
                await self._client.flush(DRAIN_WITHIN_S)
        except (nats.errors.Error, OSError) as error:
            log.debug("bus.drain_cut_short", error=str(error))
        finally:
            self._parser.handlers.pop(self._sid, None)


async def end_task(task: "asyncio.Task[Any]") -> None:
    """Cancel a task until it has ended: `asyncio.wait_for` of Python 3.11, used by nats-py, may lose a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_S)


def _parts(fields: list[bytes], buffer: bytes, start: int, stop: int) -> tuple[bytes, bytes, bytes, bytes]:
    """Cut out subject, reply, headers and data. A message line is `[H]MSG subject sid [reply] [header size] size`."""
    if fields[0] == b"MSG":
        return fields[1], fields[3] if len(fields) == 5 else b"", b"", buffer[start:stop]
    data_at = start + _number(fields[-2])
    return fields[1], fields[3] if len(fields) == 6 else b"", buffer[start:data_at], buffer[data_at:stop]


def _call(handler: OnMessage, subject: bytes, reply: bytes, headers: bytes, data: bytes) -> None:
    try:
        handler(subject, reply, headers, data)
    except Exception:
        log.exception("bus.handler_failed", subject=subject[:200].decode("utf-8", "replace"))


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise nats.errors.ProtocolError(f"nats: {text[:40]!r} is not a number") from error
