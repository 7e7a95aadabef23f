"""One ephemeral pull consumer of the log: it lives until the first irregularity and is then replaced.

The reader asks for messages only as far as its owner has room, so nothing piles up between. nats-server numbers what it
delivers; the first number that is out of turn, a heartbeat that stays away, or any status but those that belong to
every day, breaks the consumer. Its successor starts behind the last message that arrived in turn.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from bus.connection import Bus
from bus.inbox import header
from bus.jetstream import JetStream
from bus.logger import get_logger
from bus.subjects import REPLY_TO_HEADER, SETTLE_HEADER, api_subject, is_inbox, partition_in
from bus.wire import Listening
from schemas.errors import LlumError

MAX_BURST: Final = 1000
"""Messages handed over at once: the size of a partition loop's batch."""

FEW_OUTSTANDING: Final = 2 * MAX_BURST
"""Messages asked for at or below which it is time to ask for more: so that nats-server never waits for a request."""

HEARTBEAT_S: Final = 2.0
"""Seconds between nats-server's signs of life while there are no messages."""

SILENCE_S: Final = 5.0
"""Seconds without any sign after which the consumer is given up: two heartbeats may be lost."""

EXPIRES_S: Final = 30.0
"""Seconds that nats-server keeps a request for messages."""

IDLE_S: Final = 300.0
"""Seconds after which nats-server drops a consumer that nobody asks: a long stall must not cost it."""

REQUEST_BYTES: Final = 16 * 1024 * 1024
"""Bytes that one request may bring: two of the largest messages. With `MAX_BURST` it bounds the memory in flight."""

_NS: Final = 1_000_000_000
_REPLY_TO: Final = REPLY_TO_HEADER.encode()
_SETTLE: Final = SETTLE_HEADER.encode()

_EVERYDAY: Final = (b" 408 ", b" 409 Message Size Exceeds MaxBytes", b" 409 Batch Completed")
"""Statuses that end a request and no more: its time is over, its bytes are, its messages are."""

log = get_logger("llum.bus")


class LogMessage(msgspec.Struct, gc=False):
    """A message of the log. Only what nats-server stamps on it can be trusted: subject, sequence and time."""

    seq: int
    time_us: int
    partition: int
    subject: str
    data: bytes
    reply_to: str | None
    """The inbox for the outcome, if the sender named one. Any other subject is left out: no app makes llum speak so."""
    settles: bool = False
    """Whether the sender waits for what the command sets off in its model, too."""


class LogConsumer:
    """Delivers the messages after `last_seq` to `take`, in bursts, as `request` has asked for them."""

    def __init__(
        self, bus: Bus, last_seq: int, filters: list[str], take: Callable[[list[LogMessage]], None], stream: str
    ) -> None:
        self._bus = bus
        self._stream = stream
        self.filters = filters
        """The subjects that nats-server picks out; none: it sends everything."""
        self._take = take
        self._name = f"llum-{secrets.token_hex(8)}"
        self._next = api_subject(f"CONSUMER.MSG.NEXT.{stream}.{self._name}")
        self._inbox = ""
        self._listening: Listening | None = None
        self._loop = asyncio.get_running_loop()
        self._burst: list[LogMessage] = []
        self._next_number = 1
        self._heard_at = time.monotonic()
        self.last_seq = last_seq
        """The last message that has arrived, or was skipped by whoever made this."""
        self.position = 0
        """Nothing that is wanted lies at or before this sequence and has not been delivered."""
        self.outstanding = 0
        """Messages asked for that have not arrived."""
        self.broken: str | None = None
        """Why nothing more comes from this consumer."""
        self.watched = True
        """Whether the owner wants to look after every burst, not only when few messages are outstanding."""
        self.changed = asyncio.Event()
        """Set when the owner should look: it wants to, few messages are outstanding, or the consumer has broken."""

    @property
    def undelivered(self) -> int:
        """Count what was asked for or has arrived, but has not been handed over."""
        return self.outstanding + len(self._burst)

    @property
    def few_outstanding(self) -> bool:
        """Say whether it is time to ask for more."""
        return self.outstanding <= FEW_OUTSTANDING

    async def open(self, stream_last: int, stream_leader: str = "") -> None:
        """Make the consumer. Raises `ApiError` or `Transient`.

        That nothing is pending means that there is nothing up to `stream_last` only where the leader of the stream says
        so: on another server of a cluster, which may be a moment behind it, messages may just be missing.
        """
        self._inbox = self._bus.new_inbox()
        self._listening = await self._bus.listen(self._inbox, self._receive)
        body = {"stream_name": self._stream, "action": "create", "config": self._configuration()}
        made = await JetStream(self._bus).call(f"CONSUMER.CREATE.{self._stream}.{self._name}", body)
        nothing_is_pending = made.get("num_pending", 0) == 0 and self.broken is None
        nothing_is_there = nothing_is_pending and leader_of(made) == stream_leader
        self.position = stream_last if nothing_is_there else self.last_seq

    async def request(self, count: int) -> None:
        """Ask for messages. Raises `Transient` without a connection."""
        body = b'{"batch":%d,"max_bytes":%d,"expires":%d,"idle_heartbeat":%d}' % (
            count, REQUEST_BYTES, EXPIRES_S * _NS, HEARTBEAT_S * _NS,
        )  # fmt: skip
        if self.outstanding == 0:
            self._heard_at = time.monotonic()
        self.outstanding += count
        await self._bus.publish(self._next, body, self._inbox)

    def break_off(self, reason: str) -> None:
        """Take nothing more from this consumer."""
        if self.broken is None:
            self.broken = reason
            self.changed.set()

    def check_signs_of_life(self) -> None:
        """Break off when nats-server owes messages and has been silent for too long."""
        if self.outstanding > 0 and time.monotonic() - self._heard_at > SILENCE_S:
            self.break_off("heartbeats are missing")

    async def close(self) -> None:
        """Hand over what has arrived, and let nats-server forget the consumer. Raises nothing of the bus."""
        self.break_off("closed")
        self._flush()
        if self._listening:
            await self._listening.stop()
        if self._bus.connected:
            try:
                await self._bus.publish(api_subject(f"CONSUMER.DELETE.{self._stream}.{self._name}"), b"")
            except LlumError as error:
                log.debug("log_reader.consumer_left_behind", error=str(error))

    def _configuration(self) -> dict[str, Any]:
        return {
            "name": self._name,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": self.last_seq + 1,
            "ack_policy": "none",
            "replay_policy": "instant",
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": int(IDLE_S * _NS),
            **({"filter_subjects": self.filters} if self.filters else {}),
        }

    def _receive(self, subject: bytes, reply: bytes, headers: bytes, data: bytes) -> None:
        """Take a message.

        Its `reply` is `$JS.ACK.[domain.account.]stream.consumer.deliveries.seq.number.time.pending[.token]`.
        """
        if self.broken is not None:
            return
        if not reply.startswith(b"$JS.ACK."):
            self._on_status(headers)
            return
        fields = reply.split(b".")
        at = 5 if len(fields) == 9 else 7
        if int(fields[at + 1]) != self._next_number:
            self.break_off("a message is missing")
            return
        self._next_number += 1
        self.outstanding -= 1
        self.last_seq = seq = int(fields[at])
        if not self._burst:
            self._loop.call_soon(self._flush)
        time_us = int(fields[at + 2]) // 1000
        reply_to = _reply_to(headers) if headers else None
        settles = reply_to is not None and _SETTLE in headers and header(headers, _SETTLE) == "1"
        text = subject.decode("utf-8", "replace")
        self._burst.append(LogMessage(seq, time_us, partition_in(subject), text, data, reply_to, settles))
        if len(self._burst) >= MAX_BURST:
            self._flush()

    def _flush(self) -> None:
        if self._burst:
            burst, self._burst = self._burst, []
            self._heard_at = time.monotonic()
            self._take(burst)
            self.position = burst[-1].seq
            if self.watched or self.few_outstanding:
                self.changed.set()

    def _on_status(self, headers: bytes) -> None:
        self._heard_at = time.monotonic()
        status = headers[9:12]
        if status == b"100":
            self._on_heartbeat(headers)
        elif any(text in headers for text in _EVERYDAY):
            self.outstanding -= int(header(headers, b"Nats-Pending-Messages") or 0)
            self.changed.set()
        else:
            self.break_off(headers[9:80].split(b"\r\n")[0].decode("utf-8", "replace"))

    def _on_heartbeat(self, headers: bytes) -> None:
        """Learn how far nats-server has looked, when nothing it has delivered is under way."""
        delivered = header(headers, b"Nats-Last-Consumer")
        looked_at = header(headers, b"Nats-Last-Stream")
        if delivered is None or looked_at is None:
            return
        if int(delivered) != self._next_number - 1:
            self.break_off("a message is missing")
            return
        self._flush()
        self.position = max(self.position, int(looked_at))


def leader_of(info: dict[str, Any]) -> str:
    """Name the server of a cluster that leads a stream or consumer, by what JetStream says of it; empty: no cluster."""
    return str((info.get("cluster") or {}).get("leader") or "")


def _reply_to(headers: bytes) -> str | None:
    named = header(headers, _REPLY_TO)
    return named if named is not None and is_inbox(named) else None
