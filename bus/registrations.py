"""Announcements of apps that were registered or deleted. The partition's worker makes them; who lets apps in watches.

Only what is new is watched; what was before is asked for at the worker. So an announcement is kept for a short while
only. Each says up to which command it holds, so that it and an answer of the worker can come in any order.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

import msgspec

from bus.connection import Bus
from bus.inbox import header
from bus.jetstream import ApiError, JetStream
from bus.logger import get_logger
from bus.retrying import retrying
from bus.subjects import REGISTRATIONS_STREAM, registration_subject, registration_subjects
from schemas.effects import Announcement
from schemas.errors import Code, LlumError, Transient

HEARTBEAT_S: Final = 0.25
"""Seconds between nats-server's signs of life while nothing is announced."""

TRUSTED_S: Final = 1.0
"""Seconds after the last sign of life for which nothing counts as announced: several signs may be late."""

GIVEN_UP_S: Final = 3.0
"""Seconds of silence after which the watch is made anew."""

PAUSE_S: Final = 0.25
"""Seconds between a watch that broke and the next one."""

IDLE_S: Final = 30.0
"""Seconds after which nats-server drops a consumer whose watcher is gone."""

_NS: Final = 1_000_000_000

log = get_logger("llum.bus")


_decoder: Final = msgspec.json.Decoder(Announcement)


async def announce(bus: Bus, announcement: Announcement) -> None:
    """Tell all who watch. It may be told twice. Raises `Transient` when it is not sure to have been told."""
    subject = registration_subject(announcement.user, announcement.app)
    try:
        await JetStream(bus).publish(subject, msgspec.json.encode(announcement))
    except ApiError as error:
        raise Transient(Code.UNAVAILABLE, f"the registration was not announced: {error.description}") from error


class Watch:
    """Hands each announcement to `take` for as long as it runs; `is_live` says whether none can have been missed."""

    def __init__(
        self,
        bus: Bus,
        take: Callable[[Announcement], None],
        on_start: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus = bus
        self._take = take
        self._on_start = on_start
        """Called when a new watch begins: what was announced before may have been missed."""
        self._monotonic = monotonic
        self._heard_at = float("-inf")
        self._delivered = 0
        self._begun = False
        """Before that, a sign of life does not say that nothing was missed."""
        self._broken = asyncio.Event()
        bus.on_disconnect.append(self._break)

    @property
    def is_live(self) -> bool:
        """Tell whether all that was announced until about a second ago has been handed over."""
        return self._monotonic() - self._heard_at < TRUSTED_S

    async def run(self) -> None:
        """Watch until cancelled; what breaks is made anew."""
        while True:
            await retrying(self._watch, "registrations_wait")
            await asyncio.sleep(PAUSE_S)

    async def _watch(self) -> None:
        """Watch until it breaks."""
        self._broken.clear()
        self._delivered = 0
        inbox: str = self._bus.nc.new_inbox()
        listening = await self._bus.listen(inbox, self._receive)
        try:
            made = await JetStream(self._bus).call(f"CONSUMER.CREATE.{REGISTRATIONS_STREAM}", _consumer(inbox))
            self._on_start()
            self._begun = True
            self._heard_at = self._monotonic()
            await self._until_broken()
        finally:
            self._break()
            await listening.stop()
        await self._drop(str(made["name"]))

    async def _until_broken(self) -> None:
        while self._monotonic() - self._heard_at < GIVEN_UP_S:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GIVEN_UP_S):
                    await self._broken.wait()
                    return

    async def _drop(self, consumer: str) -> None:
        if self._bus.connected:
            with contextlib.suppress(LlumError, ApiError):
                await JetStream(self._bus).call(f"CONSUMER.DELETE.{REGISTRATIONS_STREAM}.{consumer}")

    def _receive(self, _subject: bytes, reply: bytes, headers: bytes, data: bytes) -> None:
        """Take an announcement or a sign of life. One that is out of turn breaks the watch."""
        if self._broken.is_set():
            return
        if reply.startswith(b"$JS.ACK."):
            self._deliver(reply, data)
        elif int(header(headers, b"Nats-Last-Consumer") or -1) != self._delivered:
            self._break()
            return
        if self._begun and not self._broken.is_set():
            self._heard_at = self._monotonic()

    def _deliver(self, reply: bytes, data: bytes) -> None:
        fields = reply.split(b".")
        if int(fields[6 if len(fields) == 9 else 8]) != self._delivered + 1:
            self._break()
            return
        self._delivered += 1
        try:
            self._take(_decoder.decode(data))
        except msgspec.DecodeError:
            log.debug("registrations.not_an_announcement")

    def _break(self) -> None:
        self._heard_at = float("-inf")
        self._begun = False
        self._broken.set()


def _consumer(inbox: str) -> dict[str, object]:
    config = {
        "deliver_policy": "new",
        "deliver_subject": inbox,
        "filter_subject": registration_subjects(),
        "ack_policy": "none",
        "max_deliver": 1,
        "mem_storage": True,
        "num_replicas": 1,
        "idle_heartbeat": int(HEARTBEAT_S * _NS),
        "inactive_threshold": int(IDLE_S * _NS),
    }
    return {"stream_name": REGISTRATIONS_STREAM, "config": config}
