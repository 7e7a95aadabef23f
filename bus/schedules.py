"""Schedules of rules: nats-server itself says when a rule's time has come.

What is planned is the next firing alone: one message on a rule's own subject, which nats-server publishes at its
instant, or at once if that is over, and then drops. It survives restarts. Firings wait in the same stream for whichever
worker takes them. No app reaches its subjects, since whoever publishes there decides where nats-server publishes.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from bus.connection import Bus
from bus.erasing import erase, erase_schedules, pages
from bus.jetstream import JetStream
from bus.subjects import (
    SCHEDULES_STREAM,
    api_subject,
    fired_subject,
    fired_subjects,
    schedule_subject,
    schedule_subjects_of,
)
from bus.wire import Listening
from schemas.codec import encode
from schemas.effects import Firing
from schemas.errors import Code, Transient

CONSUMER: Final = "llum-firings"
"""The durable consumer that all workers share."""

ACK_WITHIN_S: Final = 10.0
"""Seconds after which a firing that a worker has taken, but not dealt with, is given out again."""

MAX_TAKEN: Final = 256
"""Firings that are dealt with at the same time."""

PULL_S: Final = 5.0
"""Seconds that a request for firings stays with nats-server: so long one may be missed after a restart of it."""

_NS: Final = 1_000_000_000

_decoder: Final = msgspec.json.Decoder(Firing)


class Taken(NamedTuple):
    """A firing that this worker deals with."""

    seq: int
    """Its place in the stream: with it one firing is told from another."""
    firing: Firing
    ack: str


async def plan(bus: Bus, partition: int, firing: Firing) -> None:
    """Have a firing published at its instant, at once if that is over, in place of what was planned for its rule.

    What a later command has planned stays. Raises `Transient`; then it may be there or not.
    """
    jetstream, subject = JetStream(bus), schedule_subject(partition, firing.user, firing.token)
    there = await jetstream.last(SCHEDULES_STREAM, subject)
    if there is not None and there.data and _decoder.decode(there.data).seq > firing.seq:
        return
    headers = {
        "Nats-Schedule": f"@at {datetime.fromtimestamp(firing.at, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "Nats-Schedule-Target": fired_subject(partition, firing.user, firing.token),
        "Nats-Expected-Last-Subject-Sequence": str(0 if there is None else there.seq),
    }
    await jetstream.publish(subject, encode(firing), headers)


async def remove(bus: Bus, partition: int, user: str, token: str) -> None:
    """End a rule's schedule, and drop its firings that nobody has taken. Raises `Transient`, `ApiError`."""
    await erase_schedules(bus, schedule_subject(partition, user, token))
    await erase(bus, SCHEDULES_STREAM, fired_subject(partition, user, token))


async def planned(bus: Bus, partition: int) -> list[Firing]:
    """List what is planned for the rules of a partition, one firing for each. Raises `Transient`, `ApiError`."""
    return await _planned(bus, schedule_subjects_of(partition))


async def planned_of(bus: Bus, user: str) -> list[Firing]:
    """List what is planned for the rules of a person. Raises `Transient`, `ApiError`."""
    return await _planned(bus, schedule_subject("*", user, "*"))


async def _planned(bus: Bus, subjects: str) -> list[Firing]:
    return [
        _decoder.decode(stored.data)
        async for page in pages(JetStream(bus), SCHEDULES_STREAM, subjects)
        for stored in page
        if stored.data
    ]


class Firings:
    """Takes firings from the consumer that all workers share. After an error, open another one."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._inbox = ""
        self._listening: Listening | None = None
        self._arrived: list[Taken] = []
        self._changed = asyncio.Event()
        self._asked_until = 0.0
        self._expected = 0
        self._broken = ""

    async def open(self) -> None:
        """Make the consumer if it is not there, and listen. Raises `Transient`, `ApiError`."""
        config = {
            "durable_name": CONSUMER,
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": int(ACK_WITHIN_S * _NS),
            "max_ack_pending": MAX_TAKEN,
            "filter_subject": fired_subjects(),
        }
        body = {"stream_name": SCHEDULES_STREAM, "config": config}
        await JetStream(self._bus).call(f"CONSUMER.CREATE.{SCHEDULES_STREAM}.{CONSUMER}.{fired_subjects()}", body)
        self._inbox = self._bus.new_inbox()
        self._listening = await self._bus.listen(self._inbox, self._receive)
        self._bus.on_reconnect.append(self._ask_again)

    async def close(self) -> None:
        """Take no more. Raises nothing of the bus."""
        if self._ask_again in self._bus.on_reconnect:
            self._bus.on_reconnect.remove(self._ask_again)
        if self._listening:
            await self._listening.stop()

    async def take(self) -> list[Taken]:
        """Wait for firings, and give those that are there. Raises `Transient`."""
        while not self._arrived:
            self._changed.clear()
            await self._request()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), PULL_S)
            if self._broken:
                raise Transient(Code.UNAVAILABLE, f"nats-server gives out no firings: {self._broken}")
        taken, self._arrived = self._arrived, []
        return taken

    async def done(self, taken: Taken) -> None:
        """Say that a firing has been dealt with, else it is given out again. Raises `Transient`, `ApiError`."""
        await JetStream(self._bus).erase(SCHEDULES_STREAM, taken.seq)
        await self._bus.publish(taken.ack, b"+ACK")

    async def _request(self) -> None:
        """Ask for firings, unless a request stands."""
        now = asyncio.get_running_loop().time()
        if self._expected > 0 and now < self._asked_until:
            return
        self._expected = MAX_TAKEN
        self._asked_until = now + PULL_S
        body = b'{"batch":%d,"expires":%d}' % (MAX_TAKEN, PULL_S * _NS)
        await self._bus.publish(api_subject(f"CONSUMER.MSG.NEXT.{SCHEDULES_STREAM}.{CONSUMER}"), body, self._inbox)

    def _ask_again(self) -> None:
        self._asked_until = 0.0
        self._changed.set()

    def _receive(self, _subject: bytes, reply: bytes, headers: bytes, data: bytes) -> None:
        """Take a firing, whose reply is `$JS.ACK.[domain.account.]stream.consumer.deliveries.seq.…`, or a status."""
        if reply.startswith(b"$JS.ACK."):
            fields = reply.split(b".")
            seq = int(fields[5 if len(fields) == 9 else 7])
            self._expected -= 1
            self._arrived.append(Taken(seq, _decoder.decode(data), reply.decode()))
            self._changed.set()
            return
        if headers[9:12] != b"408":
            self._broken = headers[9:80].split(b"\r\n")[0].decode("utf-8", "replace")
        self._ask_again()
