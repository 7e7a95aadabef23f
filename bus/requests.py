"""Sending commands and asking queries, each again until it is answered or its time is over."""

import asyncio
from typing import Any, Final

from bus.connection import Bus
from bus.exchanges import BusExchange, OnSettled, Settlement, refused
from bus.hedging import HedgeBudget
from bus.inbox import Inbox
from bus.probing import Probes
from bus.subjects import checked_ask_subject, checked_command_subject
from schemas.codec import decode_command, decode_outcome, decode_query, decode_reply, encode
from schemas.commands import COMMAND_VERBS, Command
from schemas.errors import Code, Refusal, Transient, raised_from
from schemas.missing import right_for
from schemas.queries import Query
from schemas.replies import Failed, Outcome, Reply
from schemas.verbs import verb_of

SETTLING_AGAIN_S: Final = 4.0
"""Seconds of silence after which a command is sent again whose outcome may wait for what rules do: for two seconds."""

YOUNG_S: Final = 0.1
"""Seconds within which most are answered: a message has its timers set once it is about so old."""


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
        self._under_way: set[BusExchange] = set()
        self._young: list[BusExchange] = []
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
        return decode_outcome(await self._run(self._sending(user, app, command, timeout_s, settle)))

    def send_soon(
        self, user: str, app: str, command: Command, on_settled: OnSettled, timeout_s: float = 10.0, *, settle: bool
    ) -> bool:
        """Send a command as `send` does, and have `on_settled` called with its outcome, encoded, or an error.

        False, and nothing is under way, when it cannot be sent at once. Raises `Refusal` for what cannot be sent.
        """
        return self._run_soon(self._sending(user, app, command, timeout_s, settle), on_settled)

    async def ask(self, user: str, app: str, query: Query, timeout_s: float = 5.0) -> Reply:
        """Ask and give the reply. Raises what the reply says has failed, or `Transient` `unavailable`."""
        exchange = self._asking(user, app, verb_of(query), encode(query), timeout_s)
        reply = decode_reply(await self._run(exchange))
        if isinstance(reply, Failed):
            raise raised_from(reply.error)
        return reply

    def ask_soon(self, user: str, app: str, query: Query, on_settled: OnSettled, timeout_s: float = 5.0) -> bool:
        """Ask as `ask` does, and have `on_settled` called with the reply, encoded, or an error. As `send_soon`."""
        return self._run_soon(self._asking(user, app, verb_of(query), encode(query), timeout_s), on_settled)

    async def ask_raw(self, user: str, app: str, verb: str, data: bytes, timeout_s: float = 5.0) -> bytes:
        """Ask in bytes and give the reply in bytes; it may be a `Failed`. Raises `Transient` `unavailable`."""
        reply: bytes = await self._run(self._asking(user, app, verb, data, timeout_s))
        return reply

    def _sending(self, user: str, app: str, command: Command, timeout_s: float, settle: bool) -> BusExchange:
        subject = checked_command_subject(user, app, verb_of(command))
        exchange = self._exchange(subject, encode(command), timeout_s, "no outcome came")
        exchange.reply_to = exchange.expect(exchange.on_answer)
        exchange.needs_worker = True
        if settle:
            exchange.settle = True
            exchange.again_s = SETTLING_AGAIN_S
        return exchange

    def _asking(self, user: str, app: str, verb: str, data: bytes, timeout_s: float) -> BusExchange:
        exchange = self._exchange(checked_ask_subject(user, app, verb), data, timeout_s, "no reply came")
        exchange.reply = exchange.expect(exchange.on_answer)
        exchange.needs_worker = True
        exchange.hedges = self._hedges
        return exchange

    def _exchange(self, subject: str, data: bytes, timeout_s: float, failure: str) -> BusExchange:
        if len(data) > self._bus.max_payload:
            raise Refusal(
                Code.TOO_LARGE, f"the message has {len(data)} bytes, the bus takes at most {self._bus.max_payload}"
            )
        return BusExchange(self._bus, self._inbox, subject, data, timeout_s, failure)

    async def _run(self, exchange: BusExchange) -> Any:
        """Send, and give what settles the exchange. Raises `Transient` when its time is over."""
        exchange.future = future = asyncio.get_running_loop().create_future()
        self._under_way.add(exchange)
        try:
            self._set_timers_later(exchange)
            if not exchange.send_at_once():
                await exchange.send()
            return await future
        except BaseException:
            _forget(future)
            raise
        finally:
            self._under_way.discard(exchange)
            exchange.end()

    def _run_soon(self, exchange: BusExchange, on_settled: OnSettled) -> bool:
        """Send, and have what settles the exchange told. False: it was not sent."""
        exchange.future = Settlement(exchange, self._under_way, on_settled)
        if not exchange.send_at_once():
            exchange.end()
            return False
        self._under_way.add(exchange)
        self._set_timers_later(exchange)
        return True

    def _set_timers_later(self, exchange: BusExchange) -> None:
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
            exchange.fail(refused())

    def _deny(self, subject: str) -> None:
        """Fail those whose message nats-server did not take: it stands for what the model would have said."""
        for exchange in list(self._under_way):
            if exchange.subject == subject:
                exchange.fail(_not_let(subject, exchange.data))


def _forget(future: "asyncio.Future[Any]") -> None:
    """Let nobody complain that an error was not looked at: it came while another one was raised."""
    if future.done() and not future.cancelled():
        future.exception()


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
