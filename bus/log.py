"""Reading a log stream: every message of some partitions once and in order, however often the server goes away."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from bus.connection import Bus
from bus.consumer import FEW_OUTSTANDING, HEARTBEAT_S, LogConsumer, LogMessage, leader_of
from bus.errors import LogTruncatedError
from bus.jetstream import JetStream
from bus.logger import get_logger
from bus.subjects import LOG_STREAM, log_stream_of, log_subject_of
from schemas.errors import Transient

__all__ = ["LogEnd", "LogMessage", "LogReader", "last_sequences", "log_end", "stream_last"]

MAX_OUTSTANDING: Final = 2 * FEW_OUTSTANDING
"""Messages under way at once: some milliseconds' worth."""

STALL_POLL_S: Final = 0.05
"""Seconds between looks for room when `wake` was not called."""

MAX_FILTERS: Final = 2
"""Partitions that nats-server is asked to pick out. It scans millions of messages a second for one of 64, but 40,000
for eight and 20,000 for sixteen; reading everything and dropping the rest passes 150,000. For two both are equal."""

FIRST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 1.0
"""Seconds before a new consumer after one has broken; doubled while none brings anything."""

_NEVER: Final = 1 << 64

log = get_logger("llum.bus")


class LogReader:
    """Calls `deliver` with bursts of messages, from each partition's first wanted sequence on, as long as `run` runs.

    `room` tells how many messages more may be delivered; whoever makes room calls `wake`. `progressed` is called when
    `position` may have moved, and says whether it wants to be called after the next burst too; else it is called every
    few seconds. None of them may block.
    """

    def __init__(
        self,
        bus: Bus,
        partitions: Mapping[int, int],
        deliver: Callable[[list[LogMessage]], None],
        room: Callable[[], int],
        stream: str = LOG_STREAM,
        progressed: Callable[[], bool] = lambda: False,
    ) -> None:
        self._bus = bus
        self._stream = stream
        self._first = {partition: max(1, seq) for partition, seq in partitions.items()}
        self._last_seq = min(self._first.values(), default=1) - 1
        self._deliver = deliver
        self._room = room
        self._progressed = progressed
        self._consumer: LogConsumer | None = None
        self._position = 0
        self._failure: Exception | None = None

    @property
    def partitions(self) -> list[int]:
        """Name the partitions that are read."""
        return list(self._first)

    @property
    def position(self) -> int:
        """Give a sequence up to which every message that is wanted has been delivered."""
        return max(self._position, self._consumer.position if self._consumer else 0)

    @property
    def reach(self) -> int:
        """Give the sequence behind which another partition may join."""
        return max(self._last_seq, self.position, self._consumer.last_seq if self._consumer else 0)

    def position_of(self, partition: int) -> int:
        """Give a sequence up to which every message of the partition has been delivered, by this reader or before."""
        return max(self.position, self._first[partition] - 1)

    def join(self, partition: int, first: int) -> None:
        """Read another partition from a sequence beyond `reach` on."""
        assert first > self.reach, "what has been passed cannot be read"
        self._first[partition] = first
        if self._consumer and self._consumer.filters:
            self._consumer.break_off("another partition is wanted")

    def leave(self, partition: int) -> None:
        """Deliver nothing more of a partition. When none is left, `run` ends."""
        del self._first[partition]
        if self._consumer:
            self._consumer.changed.set()

    def wake(self) -> None:
        """Look for room now, if more is to be asked for."""
        if self._consumer and self._consumer.few_outstanding:
            self._consumer.changed.set()

    async def run(self) -> None:
        """Read until cancelled or until no partition is left. Raises `LogTruncatedError`, and what `deliver` raises."""
        self._bus.on_disconnect.append(self._disconnected)
        pause_s = FIRST_PAUSE_S
        try:
            while self._first:
                before = self._last_seq
                await self._read_until_broken()
                pause_s = FIRST_PAUSE_S if self._last_seq > before else min(LONGEST_PAUSE_S, 2 * pause_s)
                if self._first:
                    await asyncio.sleep(pause_s)
        finally:
            self._bus.on_disconnect.remove(self._disconnected)

    async def _read_until_broken(self) -> None:
        await self._bus.wait_connected(LONGEST_PAUSE_S)
        filters = [log_subject_of(each) for each in self._first] if len(self._first) <= MAX_FILTERS else []
        consumer = self._consumer = LogConsumer(self._bus, self._last_seq, filters, self._take, self._stream)
        try:
            await self._open(consumer)
            await self._keep_reading(consumer)
        except Transient as error:
            consumer.break_off(str(error))
        finally:
            reason = consumer.broken
            await consumer.close()
            self._last_seq = max(consumer.last_seq, consumer.position)
            self._position = self.position
        self._raise_failure()
        if reason is not None:
            log.info("log_reader.broken_off", reason=reason, last_seq=self._last_seq)

    async def _open(self, consumer: LogConsumer) -> None:
        last, leader = await _last_and_leader(self._bus, self._stream)
        if last < self._last_seq:
            raise LogTruncatedError(
                f"the log ends at {last}, but has been read up to {self._last_seq}",
                "another log or an older copy is there: restore the newest one, or start again and see `llum status`",
            )
        await consumer.open(last, leader)

    async def _keep_reading(self, consumer: LogConsumer) -> None:
        while consumer.broken is None and self._first:
            consumer.changed.clear()
            wanted = self._wanted(consumer)
            if wanted:
                await consumer.request(wanted)
            stalled = consumer.outstanding == 0
            try:
                async with asyncio.timeout(STALL_POLL_S if stalled else HEARTBEAT_S):
                    await consumer.changed.wait()
            except TimeoutError:
                consumer.check_signs_of_life()
            consumer.watched = self._progressed()

    def _wanted(self, consumer: LogConsumer) -> int:
        """Decide how many messages to ask for: rarely, and as many as there is room for."""
        if not consumer.few_outstanding:
            return 0
        return max(0, min(self._room() - consumer.undelivered, MAX_OUTSTANDING - consumer.outstanding))

    def _take(self, burst: list[LogMessage]) -> None:
        first = self._first
        burst = [message for message in burst if message.seq >= first.get(message.partition, _NEVER)]
        try:
            if burst:
                self._deliver(burst)
        except Exception as error:  # noqa: BLE001 - raised by `run`
            self._failure = error
            if self._consumer:
                self._consumer.break_off("the receiver failed")

    def _disconnected(self) -> None:
        if self._consumer:
            self._consumer.break_off("disconnected")

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


class LogEnd(NamedTuple):
    """Where a log stream ends."""

    seq: int
    """The last sequence."""
    is_empty: bool
    """Whether it has no message."""


async def log_end(bus: Bus, stream: str) -> LogEnd:
    """Give where a log stream ends. Raises `ApiError` or `Transient`."""
    state = (await _info(bus, stream))["state"]
    return LogEnd(int(state["last_seq"]), not state["messages"])


async def stream_last(bus: Bus, stream: str = LOG_STREAM) -> int:
    """Give the last sequence of a log stream. Raises `ApiError` or `Transient`."""
    return (await _last_and_leader(bus, stream))[0]


async def _last_and_leader(bus: Bus, stream: str) -> tuple[int, str]:
    """Give the last sequence of a stream, and the server that knows of it first; empty where there is but one."""
    info = await _info(bus, stream)
    return int(info["state"]["last_seq"]), leader_of(info)


async def _info(bus: Bus, stream: str) -> dict[str, Any]:
    return await bus.joined.read(("info", stream), lambda: JetStream(bus).call(f"STREAM.INFO.{stream}"))


async def last_sequences(bus: Bus, partitions: Iterable[int], log_streams: int = 1) -> dict[int, int]:
    """Give the last sequence of each partition, 0 for an empty one. Raises `ApiError` or `Transient`."""
    jetstream = JetStream(bus)
    numbers = list(partitions)
    streams = [log_stream_of(number, log_streams) for number in numbers]
    lasts = map(jetstream.last, streams, map(log_subject_of, numbers))
    found = await asyncio.gather(*lasts)
    return {number: stored.seq if stored else 0 for number, stored in zip(numbers, found, strict=True)}
