"""Sending commands and asking queries, each again until it is answered or its time is over."""

import asyncio
from typing import Any, Final

import msgspec

from bus.connection import Bus, not_authenticated
from bus.hedging import EARLY_S, HedgeBudget
from bus.inbox import Inbox, OnAnswer, is_no_responders
from bus.probing import Probes
from bus.subjects import REPLY_TO_HEADER, SETTLE_HEADER, checked_ask_subject, checked_command_subject
from schemas.codec import decode_command, decode_outcome, decode_query, decode_reply, encode
from schemas.commands import COMMAND_VERBS, Command
from schemas.errors import Code, Refusal, Transient, raised_from
from schemas.missing import right_for
from schemas.queries import Query
from schemas.replies import Failed, Outcome, Reply
from schemas.verbs import verb_of

AGAIN_S: Final = 2.0
"""Seconds of silence after which a message is sent again: a worker that has died is back by then. Asks go earlier."""

SETTLING_AGAIN_S: Final = 4.0
"""The same for a command whose outcome may wait for two seconds for what the rules do with it."""

FIRST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 0.25
"""Seconds before another attempt when nobody listens or the server is not ready; doubled each time."""

YOUNG_S: Final = 0.1
"""Seconds within which most are answered: a message has its timers set once it is about so old."""

_decode_ack = msgspec.json.Decoder().decode


class Requests:
    """Speaks to the workers over one connection, with one subscription for everything that comes back.

    `served_within_s` is for apps, which are not told when nobody listens: after so many seconds without a sign of a
    worker nothing waits for an answer any longer. None: all wait for as long as they are told to.
    """

    def __init__(self, bus: Bus, served_within_s: float | None = None) -> None:
        self._bus = bus
        self._inbox = Inbox(bus)
        self._hedges = HedgeBudget()
        self._probes: Probes | None = None
        if served_within_s is not None:
            self._probes = Probes(bus, self._inbox, max(YOUNG_S, served_within_s - YOUNG_S))
        self._under_way: set[_Exchange] = set()
        self._young: list[_Exchange] = []
        """Those without timers: most are answered before they need any."""

    async def start(self) -> None:
        """Subscribe. Raises `Transient`."""
        await self._inbox.open()
        self._bus.on_reconnect.append(self._send_all_again)
        self._bus.on_denied.append(self._deny)
        self._bus.on_refused.append(self._refuse)

    async def close(self) -> None:
        """Fail whoever still waits, with `unavailable`."""
        if self._send_all_again in self._bus.on_reconnect:
            self._bus.on_reconnect.remove(self._send_all_again)
            self._bus.on_denied.remove(self._deny)
            self._bus.on_refused.remove(self._refuse)
        if self._probes:
            self._probes.close()
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
        exchange = self._exchange(
            checked_command_subject(user, app, tag), data, timeout_s, "the command was not stored"
        )
        exchange.reply = exchange.expect(exchange.on_ack_as_result)
        exchange.reply_to = reply_to or ""
        return int(await self._run(exchange))

    async def send(
        self, user: str, app: str, command: Command, timeout_s: float = 10.0, *, settle: bool = False
    ) -> Outcome:
        """Send a command and wait for its outcome. Raises as `store`; then it is not known whether it is applied.

        `settle`: for what it sets off by rules in its own model, too, for two seconds at the most.
        """
        subject = checked_command_subject(user, app, verb_of(command))
        exchange = self._exchange(subject, encode(command), timeout_s, "no outcome came")
        exchange.reply_to = exchange.expect(exchange.on_answer)
        exchange.needs_worker = True
        if settle:
            exchange.settle = True
            exchange.again_s = SETTLING_AGAIN_S
        return decode_outcome(await self._run(exchange))

    async def ask(self, user: str, app: str, query: Query, timeout_s: float = 5.0) -> Reply:
        """Ask and give the reply. Raises what the reply says has failed, or `Transient` `unavailable`."""
        exchange = self._asking(user, app, verb_of(query), encode(query), timeout_s)
        reply = decode_reply(await self._run(exchange))
        if isinstance(reply, Failed):
            raise raised_from(reply.error)
        return reply

    async def ask_raw(self, user: str, app: str, verb: str, data: bytes, timeout_s: float = 5.0) -> bytes:
        """Ask in bytes and give the reply in bytes; it may be a `Failed`. Raises `Transient` `unavailable`."""
        reply: bytes = await self._run(self._asking(user, app, verb, data, timeout_s))
        return reply

    def _asking(self, user: str, app: str, verb: str, data: bytes, timeout_s: float) -> "_Exchange":
        exchange = self._exchange(checked_ask_subject(user, app, verb), data, timeout_s, "no reply came")
        exchange.reply = exchange.expect(exchange.on_answer)
        exchange.needs_worker = True
        exchange.hedges = self._hedges
        return exchange

    def _exchange(self, subject: str, data: bytes, timeout_s: float, failure: str) -> "_Exchange":
        if len(data) > self._bus.max_payload:
            raise Refusal(
                Code.TOO_LARGE, f"the message has {len(data)} bytes, the bus takes at most {self._bus.max_payload}"
            )
        return _Exchange(self._bus, self._inbox, subject, data, timeout_s, failure)

    async def _run(self, exchange: "_Exchange") -> Any:
        """Send, and give what settles the exchange. Raises `Transient` when its time is over."""
        self._under_way.add(exchange)
        try:
            self._set_timers_later(exchange)
            if not exchange.send_at_once():
                await exchange.send()
            return await exchange.future
        except BaseException:
            exchange.forget()
            raise
        finally:
            self._under_way.discard(exchange)
            exchange.end()

    def _set_timers_later(self, exchange: "_Exchange") -> None:
        """Have timers set for an exchange if it is not over soon: it needs them then, and they cost as much as it."""
        if exchange.timeout_s < YOUNG_S:
            exchange.set_timers()
            return
        if not self._young:
            asyncio.get_running_loop().call_later(YOUNG_S, self._set_timers)
        self._young.append(exchange)

    def _set_timers(self) -> None:
        young, self._young = self._young, []
        self._hedges.earn(sum(exchange.hedges is not None and exchange.future.done() for exchange in young))
        for exchange in young:
            if exchange.future.done():
                continue
            exchange.set_timers()
            if self._probes and exchange.needs_worker:
                self._probes.watch(exchange)

    def _send_all_again(self) -> None:
        for exchange in list(self._under_way):
            exchange.send_soon(0.0)

    def _refuse(self) -> None:
        for exchange in list(self._under_way):
            exchange.fail(_refused())

    def _deny(self, subject: str) -> None:
        """Fail those whose message nats-server did not take: it stands for what the model would have said."""
        for exchange in list(self._under_way):
            if exchange.subject == subject:
                exchange.fail(_not_let(subject, exchange.data))


class _Exchange:
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
        self.future: asyncio.Future[Any] = self._loop.create_future()
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

    def forget(self) -> None:
        """Let nobody complain that an error was not looked at: it came while another one was raised."""
        if self.future.done() and not self.future.cancelled():
            self.future.exception()

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
            raise _refused()
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


def _not_let(subject: str, data: bytes) -> Refusal:
    """Refuse what nats-server has not taken, as the model would have."""
    verb = subject.rpartition(".")[2]
    try:
        message = decode_command(data, verb) if verb in COMMAND_VERBS else decode_query(data, verb)
    except Refusal as refusal:
        return refusal
    hint = "the model's owner can grant it"
    said = f"nats-server does not let this app publish on {subject}"
    return Refusal(Code.PERMISSION_DENIED, said, None, hint, right_for(message))


def _refused() -> Transient:
    return not_authenticated("nats-server does not let this app in any more")
