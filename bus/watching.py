"""Watching a stream: what is new in it is handed over at once, and it is known whether anything may have been missed.

Only what is new is handed over. Whoever keeps something in memory that the stream may make outdated believes it while
the watch is live, and asks again otherwise. nats-server gives a sign of life every 0.3 s: when two stay away, or the
connection is lost, the watch is not live. Nor is it when a message was erased before it was handed over: the sequences
show that.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Final

from bus.connection import Bus
from bus.inbox import header
from bus.jetstream import ApiError, JetStream
from bus.retrying import retrying
from schemas.errors import LlumError

HEARTBEAT_S: Final = 0.3
"""Seconds between nats-server's signs of life while nothing is new. It allows 0.1 and more."""

TRUSTED_S: Final = 0.75
"""Seconds after the last sign of life for which nothing counts as missed: two signs have stayed away then."""

GIVEN_UP_S: Final = 3.0
"""Seconds of silence after which the watch is made anew."""

PAUSE_S: Final = 0.25
"""Seconds between a watch that broke and the next one."""

IDLE_S: Final = 30.0
"""Seconds after which nats-server drops a consumer whose watcher is gone."""

_NS: Final = 1_000_000_000

Take = Callable[[bytes, bytes, bytes, int], None]
"""Called as `take(subject, headers, data, seq)` for each new message, in order; `seq` is its place in the stream."""


class Watch:
    """Hands each new message of these subjects to `take` for as long as it runs; `is_live`: none was missed."""

    def __init__(
        self,
        bus: Bus,
        stream: str,
        subjects: Sequence[str],
        take: Take,
        on_start: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus = bus
        self._stream = stream
        self._subjects = subjects
        self._take = take
        self._on_start = on_start
        """Called when a new watch begins: what was new before may have been missed."""
        self._monotonic = monotonic
        self._heard_at = float("-inf")
        self._delivered = 0
        self._seen = 0
        """The last place in the stream that is known to hold nothing that was missed."""
        self._begun = False
        """Before that, a sign of life does not say that nothing was missed."""
        self._broken = asyncio.Event()

    @property
    def is_live(self) -> bool:
        """Tell whether all that was new until a moment ago has been handed over."""
        return self._monotonic() - self._heard_at < TRUSTED_S

    async def run(self) -> None:
        """Watch until cancelled; what breaks is made anew."""
        self._bus.on_disconnect.append(self._break)
        try:
            while True:
                await retrying(self._watch, "watch_waits", stream=self._stream)
                await asyncio.sleep(PAUSE_S)
        finally:
            self._bus.on_disconnect.remove(self._break)

    async def _watch(self) -> None:
        """Watch until it breaks."""
        self._broken.clear()
        self._delivered = self._seen = 0
        inbox: str = self._bus.nc.new_inbox()
        listening = await self._bus.listen(inbox, self._receive)
        try:
            made = await JetStream(self._bus).call(f"CONSUMER.CREATE.{self._stream}", self._consumer(inbox))
            self._seen = max(self._seen, int(made["delivered"]["stream_seq"]))
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
                await JetStream(self._bus).call(f"CONSUMER.DELETE.{self._stream}.{consumer}")

    def _receive(self, subject: bytes, reply: bytes, headers: bytes, data: bytes) -> None:
        """Take a message or a sign of life. One that is out of turn breaks the watch."""
        if self._broken.is_set():
            return
        if reply.startswith(b"$JS.ACK."):
            self._deliver(subject, reply, headers, data)
        elif not self._is_in_turn(headers):
            self._break()
            return
        if self._begun and not self._broken.is_set():
            self._heard_at = self._monotonic()

    def _is_in_turn(self, sign_of_life: bytes) -> bool:
        """Tell by a sign of life whether all that was new has come."""
        delivered = int(header(sign_of_life, b"Nats-Last-Consumer") or -1)
        return delivered == self._delivered and int(header(sign_of_life, b"Nats-Last-Stream") or -1) == self._seen

    def _deliver(self, subject: bytes, reply: bytes, headers: bytes, data: bytes) -> None:
        fields = reply.split(b".")
        seq, delivered = map(int, fields[5:7] if len(fields) == 9 else fields[7:9])
        if delivered != self._delivered + 1 or (self._begun and seq != self._seen + 1):
            self._break()
            return
        self._delivered, self._seen = delivered, seq
        self._take(subject, headers, data, seq)

    def _break(self) -> None:
        self._heard_at = float("-inf")
        self._begun = False
        self._broken.set()

    def _consumer(self, inbox: str) -> dict[str, object]:
        config = {
            "deliver_policy": "new",
            "deliver_subject": inbox,
            "filter_subjects": list(self._subjects),
            "ack_policy": "none",
            "max_deliver": 1,
            "mem_storage": True,
            "num_replicas": 1,
            "idle_heartbeat": int(HEARTBEAT_S * _NS),
            "inactive_threshold": int(IDLE_S * _NS),
        }
        return {"stream_name": self._stream, "config": config}
