"""One message to the workers, sent until something settles it."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec

from bus.connection import Bus, not_authenticated
from bus.hedging import EARLY_S, HedgeBudget
from bus.inbox import Inbox, OnAnswer, is_no_responders
from bus.subjects import REPLY_TO_HEADER, SETTLE_HEADER
from schemas.errors import Code, Refusal, Transient

AGAIN_S: Final = 2.0
"""Seconds of silence after which a message is sent again: a worker that has died is back by then. Asks go earlier."""

FIRST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 0.25
"""Seconds before another attempt when nobody listens or the server is not ready; doubled each time."""

OnSettled = Callable[[bytes | None, Exception | None], None]
"""Called with what came, or with what was wrong. It must not block, and should not raise."""

_decode_ack = msgspec.json.Decoder().decode


class BusExchange:
    """One message, sent until something settles it."""

    __slots__ = (
        "_again", "_bus", "_early_s", "_failure", "_inbox", "_loop", "_over", "_over_at", "_pause_s", "_timer",
        "_tokens", "_trouble", "again_s", "data", "future", "hedges", "needs_worker", "reply", "reply_to", "settle",
        "subject", "timeout_s",
    )  # fmt: skip

    def __init__(self, bus: Bus, inbox: Inbox, subject: str, data: bytes, timeout_s: float, failure: str) -> None:
        self._bus = bus
        self._inbox = inbox
        self.subject = subject
        self.data = data
        self._failure = failure
        self._loop = asyncio.get_running_loop()
        self._over_at = self._loop.time() + timeout_s
        self._pause_s = FIRST_PAUSE_S
        self._early_s = EARLY_S
        self._over: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._again: asyncio.Task[None] | None = None
        self._tokens: tuple[bytes, ...] = ()
        self._trouble = ""
        self.future: asyncio.Future[Any] | Settlement
        """What waits for the end. To be set before it is sent."""
        self.timeout_s = timeout_s
        self.reply = ""
        """Where a reply or PubAck comes to. Empty: none is asked for."""
        self.reply_to = ""
        """Where the outcome of a command comes to. Empty: nobody waits for it."""
        self.needs_worker = False
        """Whether a worker must answer; else it is nats-server itself."""
        self.settle = False
        """Whether the outcome is to come when what the command has set off has ended."""
        self.again_s = AGAIN_S
        self.hedges: HedgeBudget | None = None
        """What lets it be sent again early. None: it is not."""

    def expect(self, on_answer: OnAnswer) -> str:
        """Name a new inbox whose answers go to `on_answer` until the end. Raises `Transient` when too many wait."""
        token = self._inbox.expect(on_answer)
        self._tokens = (*self._tokens, token)
        return self._inbox.subject(token)

    def set_timers(self) -> None:
        """Have the message sent again when nothing comes, and given up when its time is over."""
        if self.future.done():
            return
        self._over = self._loop.call_at(self._over_at, self._time_is_over)
        if self._timer is None:
            self._send_again_when_silent()

    def end(self) -> None:
        """Expect nothing more."""
        for token in self._tokens:
            self._inbox.dismiss(token)
        if self._over:
            self._over.cancel()
        if self._timer:
            self._timer.cancel()
        if self._again:
            self._again.cancel()

    def send_soon(self, pause_s: float) -> None:
        """Send again after the pause, instead of when it was due."""
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(pause_s, self._send_again)

    def _send_again_when_silent(self) -> None:
        if self.hedges is None or self._early_s >= self.again_s:
            self._timer = self._loop.call_later(self.again_s, self._send_again)
        else:
            self._timer = self._loop.call_later(self._early_s, self._send_early, self.hedges)

    def _send_early(self, hedges: HedgeBudget) -> None:
        """Send again, or wait for as long as without hedges where too many are sent early."""
        waited_s, self._early_s = self._early_s, 2 * self._early_s
        if hedges.spend():
            self._send_again()
        else:
            self._timer = self._loop.call_later(self.again_s - waited_s, self._send_again)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)

    def on_answer(self, headers: bytes, data: bytes) -> None:
        """Take a reply or outcome: it settles the exchange, unless nats-server says that nobody listens."""
        if headers and is_no_responders(headers):
            self._wait_for_listeners("no worker serves this user now")
        elif not self.future.done():
            self.future.set_result(data)

    def on_ack(self, headers: bytes, data: bytes) -> None:
        """Take the PubAck of a command whose outcome is awaited: only bad news matter."""
        self._stored(headers, data)

    def on_ack_as_result(self, headers: bytes, data: bytes) -> None:
        """Take the PubAck of a command that only needs to be stored."""
        seq = self._stored(headers, data)
        if seq and not self.future.done():
            self.future.set_result(seq)

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

    def _time_is_over(self) -> None:
        message = f"{self._failure} within {self.timeout_s:g} s"
        trouble = self._trouble if self._bus.connected else "there is no connection to the bus"
        self.fail(Transient(Code.UNAVAILABLE, f"{message}: {trouble}" if trouble else message))

    def send_at_once(self) -> bool:
        """Send without waiting. False: it could not be sent now."""
        return self._bus.publish_soon(self.subject.encode(), self.data, self.reply.encode(), self._header_block())

    async def send(self) -> None:
        """Send as soon as the connection takes it, if it stands; else the reconnect does it.

        Raises as `publish`, and `not_authenticated` if there will be none.
        """
        if self._bus.is_refused:
            raise refused()
        if self._bus.connected:
            headers = {REPLY_TO_HEADER: self.reply_to} if self.reply_to else {}
            if self.settle:
                headers[SETTLE_HEADER] = "1"
            await self._bus.publish(self.subject, self.data, self.reply, headers or None)

    def _header_block(self) -> bytes:
        """Write the header that names the inbox, which is ours or has been checked."""
        if not self.reply_to:
            return b""
        settle = f"{SETTLE_HEADER}: 1\r\n" if self.settle else ""
        return f"NATS/1.0\r\n{REPLY_TO_HEADER}: {self.reply_to}\r\n{settle}\r\n".encode()

    def _send_again(self) -> None:
        if not self.future.done() and (self._again is None or self._again.done()):
            self._again = self._loop.create_task(self._send_quietly())

    async def _send_quietly(self) -> None:
        """Send again: with a PubAck from now on, which says why no outcome comes."""
        self._send_again_when_silent()
        try:
            self.reply = self.reply or self.expect(self.on_ack)
            if not (self._bus.connected and self.send_at_once()):
                await self.send()
        except Transient as error:
            self._trouble = error.error.message
        except Refusal as error:
            self.fail(error)


class Settlement:
    """Stands where a future does, for whoever waits in no coroutine: told at once, and not in the loop's next turn."""

    __slots__ = ("_exchange", "_on_settled", "_under_way")

    def __init__(self, exchange: BusExchange, under_way: set[BusExchange], on_settled: OnSettled) -> None:
        self._exchange: BusExchange | None = exchange
        """None: settled. They refer to each other no longer than that, so the collector need not look for them."""
        self._under_way = under_way
        self._on_settled: OnSettled | None = on_settled

    def done(self) -> bool:
        return self._exchange is None

    def set_result(self, data: Any) -> None:
        self._settle(data, None)

    def set_exception(self, error: Exception) -> None:
        self._settle(None, error)

    def _settle(self, data: Any, error: Exception | None) -> None:
        exchange, on_settled = self._exchange, self._on_settled
        assert exchange is not None, "it is settled once"
        assert on_settled is not None
        self._exchange = self._on_settled = None
        self._under_way.discard(exchange)
        exchange.end()
        on_settled(data, error)


def refused() -> Transient:
    return not_authenticated("nats-server does not let this app in any more")
