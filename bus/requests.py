"""Sending commands and asking queries, each again until it is answered or its time is over."""

import asyncio
from typing import Any, Final

import msgspec
import structlog

from bus.connection import Bus
from bus.inbox import Inbox, is_no_responders
from bus.subjects import REPLY_TO_HEADER, checked_ask_subject, checked_command_subject
from schemas.codec import decode_outcome, decode_reply, encode
from schemas.commands import Command
from schemas.errors import Code, Refusal, Transient, raised_from
from schemas.queries import Query
from schemas.replies import Failed, Outcome, Reply
from schemas.verbs import verb_of

AGAIN_S: Final = 2.0
"""Seconds of silence after which a message is sent again: a worker that has died is back by then."""

FIRST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 0.25
"""Seconds before another attempt when nobody listens or the server is not ready; doubled each time."""

log = structlog.get_logger("llum.bus")

_decode_ack = msgspec.json.Decoder().decode


class Requests:
    """Speaks to the workers over one connection, with one subscription for everything that comes back."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._inbox = Inbox(bus)
        self._under_way: set[_Exchange] = set()

    async def start(self) -> None:
        """Subscribe. Raises `Transient`."""
        await self._inbox.open()
        self._bus.on_reconnect.append(self._send_all_again)

    async def close(self) -> None:
        """Fail whoever still waits, with `unavailable`."""
        if self._send_all_again in self._bus.on_reconnect:
            self._bus.on_reconnect.remove(self._send_all_again)
        for exchange in list(self._under_way):
            exchange.fail(Transient(Code.UNAVAILABLE, "llum is stopping"))
        await self._inbox.close()

    async def store(
        self,
        user: str,
        app: str,
        command: Command | bytes,
        *,
        verb: str | None = None,
        reply_to: str | None = None,
        timeout_s: float = 5.0,
    ) -> int:
        """Store a command without waiting for its outcome, and give its sequence. It may be stored twice: its id tells.

        Raises `Refusal` for what cannot be sent, `Transient` `unavailable` when it is not known to be stored.
        """
        data = command if isinstance(command, bytes) else encode(command)
        tag = verb or (verb_of(command) if not isinstance(command, bytes) else "")
        exchange = self._exchange(checked_command_subject(user, app, tag), data)
        token = self._inbox.expect(exchange.on_ack_as_result)
        exchange.headers = {REPLY_TO_HEADER: reply_to} if reply_to else None
        try:
            return int(await exchange.run(self._inbox.subject(token), timeout_s, "the command was not stored"))
        finally:
            self._end(exchange, token)

    async def send(self, user: str, app: str, command: Command, timeout_s: float = 10.0) -> Outcome:
        """Send a command and wait for its outcome. Raises as `store`; then it is not known whether it is applied."""
        exchange = self._exchange(checked_command_subject(user, app, verb_of(command)), encode(command))
        ack, outcome = self._inbox.expect(exchange.on_ack), self._inbox.expect(exchange.on_answer)
        exchange.headers = {REPLY_TO_HEADER: self._inbox.subject(outcome)}
        exchange.quiet_at_first = True
        try:
            return decode_outcome(await exchange.run(self._inbox.subject(ack), timeout_s, "no outcome came"))
        finally:
            self._end(exchange, ack, outcome)

    async def ask(self, user: str, app: str, query: Query, timeout_s: float = 5.0) -> Reply:
        """Ask and give the reply. Raises what the reply says has failed, or `Transient` `unavailable`."""
        data = await self.ask_raw(user, app, verb_of(query), encode(query), timeout_s)
        reply = decode_reply(data)
        if isinstance(reply, Failed):
            raise raised_from(reply.error)
        return reply

    async def ask_raw(self, user: str, app: str, verb: str, data: bytes, timeout_s: float = 5.0) -> bytes:
        """Ask in bytes and give the reply in bytes; it may be a `Failed`. Raises `Transient` `unavailable`."""
        exchange = self._exchange(checked_ask_subject(user, app, verb), data)
        token = self._inbox.expect(exchange.on_answer)
        try:
            reply: bytes = await exchange.run(self._inbox.subject(token), timeout_s, "no reply came")
        finally:
            self._end(exchange, token)
        return reply

    def _exchange(self, subject: str, data: bytes) -> "_Exchange":
        if len(data) > self._bus.max_payload:
            raise Refusal(
                Code.TOO_LARGE, f"the message has {len(data)} bytes, the bus takes at most {self._bus.max_payload}"
            )
        exchange = _Exchange(self._bus, subject, data)
        self._under_way.add(exchange)
        return exchange

    def _end(self, exchange: "_Exchange", *tokens: bytes) -> None:
        self._under_way.discard(exchange)
        for token in tokens:
            self._inbox.dismiss(token)

    def _send_all_again(self) -> None:
        for exchange in list(self._under_way):
            exchange.send_soon(0.0)


class _Exchange:
    """One message, sent until something settles it."""

    def __init__(self, bus: Bus, subject: str, data: bytes) -> None:
        self._bus = bus
        self._subject = subject
        self._data = data
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Any] = self._loop.create_future()
        self._reply = ""
        self._pause_s = FIRST_PAUSE_S
        self._timer: asyncio.TimerHandle | None = None
        self._again: asyncio.Task[None] | None = None
        self._trouble = ""
        self.headers: dict[str, str] | None = None
        self.quiet_at_first = False
        """Ask for no PubAck before the message is sent again: the answer says more, and costs as much."""

    async def run(self, reply: str, timeout_s: float, failure: str) -> Any:
        """Send, and give what settles the exchange. Raises `Transient` when the time is over."""
        self._reply = reply
        over = self._loop.call_later(timeout_s, self._time_is_over, f"{failure} within {timeout_s:g} s")
        try:
            await self._send()
            return await self._future
        finally:
            over.cancel()
            if self._timer:
                self._timer.cancel()
            if self._again:
                self._again.cancel()

    def send_soon(self, pause_s: float) -> None:
        """Send again after the pause, instead of when it was due."""
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(pause_s, self._send_again)

    def fail(self, error: Exception) -> None:
        if not self._future.done():
            self._future.set_exception(error)

    def on_answer(self, headers: bytes, data: bytes) -> None:
        """Take a reply or outcome: it settles the exchange, unless nats-server says that nobody listens."""
        if headers and is_no_responders(headers):
            self._wait_for_listeners("no worker serves this user now")
        elif not self._future.done():
            self._future.set_result(data)

    def on_ack(self, headers: bytes, data: bytes) -> None:
        """Take the PubAck of a command whose outcome is awaited: only bad news matter."""
        self._stored(headers, data)

    def on_ack_as_result(self, headers: bytes, data: bytes) -> None:
        """Take the PubAck of a command that only needs to be stored."""
        seq = self._stored(headers, data)
        if seq and not self._future.done():
            self._future.set_result(seq)

    def _stored(self, headers: bytes, data: bytes) -> int:
        """Read a PubAck. 0: not stored, and dealt with."""
        if headers and is_no_responders(headers):
            self._wait_for_listeners("no stream takes the command: is llum set up on this server?")
            return 0
        ack = _decode_ack(data)
        error = ack.get("error")
        if error is None:
            return int(ack["seq"])
        if error.get("code") == 503:
            self._wait_for_listeners(error.get("description", ""))
        else:
            self.fail(Transient(Code.UNAVAILABLE, f"the command was not stored: {error.get('description', '')}"))
        return 0

    def _wait_for_listeners(self, trouble: str) -> None:
        self._trouble = trouble
        self.send_soon(self._pause_s)
        self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)

    def _time_is_over(self, message: str) -> None:
        trouble = self._trouble if self._bus.connected else "there is no connection to the bus"
        self.fail(Transient(Code.UNAVAILABLE, f"{message}: {trouble}" if trouble else message))

    async def _send(self) -> None:
        """Send now if the connection stands; else the reconnect does it."""
        self._timer = self._loop.call_later(AGAIN_S, self._send_again)
        if not self._bus.connected:
            return
        reply, self.quiet_at_first = "" if self.quiet_at_first else self._reply, False
        if not self._bus.publish_soon(self._subject.encode(), self._data, reply.encode(), _header_block(self.headers)):
            await self._bus.publish(self._subject, self._data, reply, self.headers)

    def _send_again(self) -> None:
        if not self._future.done() and (self._again is None or self._again.done()):
            self._again = self._loop.create_task(self._send_quietly())

    async def _send_quietly(self) -> None:
        try:
            await self._send()
        except Transient as error:
            self._trouble = error.error.message
        except Refusal as error:
            self.fail(error)


def _header_block(headers: dict[str, str] | None) -> bytes:
    """Write headers that are ours: names and inboxes, nothing that could break a line."""
    if not headers:
        return b""
    return "".join(["NATS/1.0\r\n", *(f"{name}: {value}\r\n" for name, value in headers.items()), "\r\n"]).encode()
