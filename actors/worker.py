"""The bus side of the partitions: read the log, apply, reply, relay; subscribe to queries once caught up.

One reader for each log stream serves all the worker's partitions in it. Messages are sorted into a mailbox per
partition, and each partition's loop takes what is there as one batch. So batches grow by themselves when there is much
to do.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from actors.answers import Answers
from actors.effects.relaying import Relay, Relaying
from actors.incoming import address_of
from actors.live import ActiveModels
from actors.partition import Partition, Settled
from actors.store.shard import Shard
from bus import checkpoints
from bus.connection import Bus
from bus.log import LogMessage, LogReader, last_sequences, stream_last
from bus.subjects import ASK_QUEUE, Address, is_asker, is_inbox, log_stream_of, query_subject_of
from model.resolvers.registry import Resolvers
from model.resolvers.summaries import SHIPPED
from schemas.codec import encode
from schemas.errors import Code, Error, Refusal
from schemas.limits import MAX_PAYLOAD_BYTES
from schemas.replies import AskReply, Failed, Refused, Reply

log = structlog.get_logger(__name__)

MAX_BATCH_MESSAGES = 1000
"""Messages of one transaction: larger ones save little and make asks wait."""

MAX_BATCH_BYTES = 8 * 1024 * 1024
"""Payload of one transaction, to bound memory. At least one message is always taken."""

MAX_WAITING = 64_000
"""Messages in all mailboxes, a full batch for each partition; the readers pause above that."""

MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Payload in all mailboxes; the readers pause above that."""

MAX_WRITING = 4
"""Batches applied and written at a time. More would not be faster, and smaller: what waits meanwhile joins a batch."""

MAX_SLOW_ASKS = 1024
"""Asks that wait for the disk at the same time; further ones are told to come again."""

REPLY_WINDOW_S = 60.0
"""Commands older than that, met while catching up, are not replied to: nobody waits for them any more."""

RETRY_S = 1.0
"""Wait after a batch that could not be written (a full disk, for example)."""

_PARALLEL_OPENS = 8
"""Shards opened at a time: opening is one thread each, and machines have few cores."""


_BUSY = Error(Code.UNAVAILABLE, "too many asks wait for the disk")
_TOO_LARGE = Error(Code.TOO_LARGE, "the reply would be larger than the bus takes", hint="ask for fewer components")


class _Served:
    """A partition with what serves it: its mailbox, its outbox, its answers."""

    def __init__(
        self,
        partition: Partition,
        outbox: Relay,
        target_seq: int,
        read_position: Callable[[], int],
        resolvers: Resolvers,
    ) -> None:
        self.partition = partition
        self.outbox = outbox
        self.target_seq = target_seq
        """The last message of the partition when the worker started: caught up from there on."""
        self.mailbox: list[LogMessage] = []
        self.arrived = asyncio.Event()
        self.caught_up = asyncio.Event()
        self._read_position = read_position
        self.answers = Answers(partition, time.time, self.read_position, resolvers)
        self.note_progress()

    def read_position(self) -> int:
        return self._read_position() if self.partition.is_settled and not self.mailbox else 0

    def note_progress(self) -> None:
        if self.partition.applied_seq >= self.target_seq:
            self.caught_up.set()

    def take(self) -> list[LogMessage]:
        """Take the oldest messages, as many as one transaction holds."""
        size = 0
        for count, message in enumerate(self.mailbox[:MAX_BATCH_MESSAGES]):
            size += len(message.data)
            if count and size > MAX_BATCH_BYTES:
                break
        else:
            count = MAX_BATCH_MESSAGES
        batch, self.mailbox = self.mailbox[:count], self.mailbox[count:]
        return batch


class Worker:
    """Serves partitions until it is stopped."""

    def __init__(self, bus: Bus, served: dict[int, _Served], make_room: Callable[[], None]) -> None:
        self._bus = bus
        self._served = served
        self._make_room = make_room
        """Told when the mailboxes have room again."""
        self._waiting = 0
        self._waiting_bytes = 0
        self._writing = asyncio.Semaphore(MAX_WRITING)
        self._draining = False
        self._slow_asks: set[asyncio.Task[None]] = set()

    def deliver(self, messages: list[LogMessage]) -> None:
        """Sort messages into the mailboxes. Called by the reader."""
        served = self._served
        for message in messages:
            one = served[message.partition]
            one.mailbox.append(message)
            one.arrived.set()
        self._waiting += len(messages)
        self._waiting_bytes += _size_of(messages)

    def room(self) -> int:
        """How many more messages the mailboxes take."""
        return 0 if self._waiting_bytes > MAX_WAITING_BYTES else MAX_WAITING - self._waiting

    async def apply_arrivals(self, one: _Served) -> None:
        """Apply a partition's messages batch by batch, until `drain`."""
        while True:
            await one.arrived.wait()
            if self._draining:
                return
            async with self._writing:
                batch = one.take()
                if not one.mailbox:
                    one.arrived.clear()
                await self._apply(one, batch)
            self._waiting -= len(batch)
            self._waiting_bytes -= _size_of(batch)
            self._make_room()
            one.note_progress()

    async def flush(self) -> None:
        """Wait until the server knows our subscriptions."""
        await self._bus.nc.flush()

    def drain(self) -> None:
        """Let each partition finish the batch in hand, and say what came of it. The rest stays in the log."""
        self._draining = True
        for one in self._served.values():
            one.arrived.set()

    async def _apply(self, one: _Served, batch: list[LogMessage]) -> None:
        while not self._draining:
            try:
                settled = await one.partition.apply(batch)
            except Exception as error:
                # The messages are in the log and in our hands: try until the disk takes them.
                log.exception("batch_not_written", partition=one.partition.number, error=str(error), retry_s=RETRY_S)
                await asyncio.sleep(RETRY_S)
            else:
                await self._speak(one, settled)
                return

    async def _speak(self, one: _Served, settled: list[Settled]) -> None:
        recent_us = (time.time() - REPLY_WINDOW_S) * 1e6
        old = 0
        for item in settled:
            message = item.incoming.message
            if message.time_us < recent_us:
                old += 1
                continue
            _log_command(item)
            if message.reply_to is not None and is_inbox(message.reply_to):
                await self._bus.nc.publish(message.reply_to, encode(item.outcome))
        if old:
            log.info("commands_caught_up", partition=one.partition.number, count=old, seq=one.partition.applied_seq)
        if any(item.leaves for item in settled):
            one.outbox.wake()

    async def serve_asks(self, one: _Served) -> None:
        """Subscribe to the partition's queries once it has caught up."""
        await one.caught_up.wait()

        def on_ask(subject: bytes, reply_to: bytes, _headers: bytes, data: bytes) -> None:
            if is_asker(reply_to):
                self._on_ask(one, subject, reply_to, data)

        await self._bus.listen(query_subject_of(one.partition.number), on_ask, ASK_QUEUE)

    def _on_ask(self, one: _Served, subject: bytes, reply_to: bytes, data: bytes) -> None:
        started = time.perf_counter()
        try:
            address = address_of(subject.decode("utf-8", "replace"))
        except Refusal as refusal:
            self._bus.publish_soon(reply_to, encode(Failed(error=refusal.error)))
            return
        answer = one.answers.answer(address, data)
        if isinstance(answer, msgspec.Struct):
            self._reply(reply_to, address, answer, started)
        elif len(self._slow_asks) >= MAX_SLOW_ASKS:
            answer.close()
            self._reply(reply_to, address, Failed(error=_BUSY), started)
        else:
            task = asyncio.create_task(self._answer_slowly(reply_to, address, answer, started))
            self._slow_asks.add(task)
            task.add_done_callback(self._slow_asks.discard)

    async def _answer_slowly(
        self, reply_to: bytes, address: Address, answer: Coroutine[None, None, Reply], started: float
    ) -> None:
        self._reply(reply_to, address, await answer, started)

    def _reply(self, reply_to: bytes, address: Address, reply: Reply, started: float) -> None:
        data = encode(reply)
        if len(data) > MAX_PAYLOAD_BYTES:
            reply = Failed(error=_TOO_LARGE)
            data = encode(reply)
        self._bus.publish_soon(reply_to, data)
        _log_ask(address, reply, time.perf_counter() - started)


def _size_of(messages: list[LogMessage]) -> int:
    return sum([len(message.data) for message in messages])


async def run_worker(
    bus: Bus,
    *,
    shard_dir: Path,
    partitions: Iterable[int],
    log_streams: int,
    max_active_models: int,
    on_ready: Callable[[], None],
    stop: asyncio.Event,
    resolvers: Resolvers = SHIPPED,
    allow_private_webhooks: bool = False,
) -> None:
    """Serve these partitions until `stop` is set: then finish the batches in hand, commit and close.

    `on_ready` is called once every partition has caught up with what was in the log at the start and answers asks.
    """
    shards = await _open_shards(shard_dir, sorted(partitions))
    try:
        relaying = await Relaying.open(bus, resolvers, allow_private_webhooks)
        try:
            await _serve(bus, shards, log_streams, max_active_models, on_ready, stop, resolvers, relaying)
        finally:
            await relaying.close()
    finally:
        for shard in shards.values():
            await shard.close()


async def _serve(
    bus: Bus,
    shards: dict[int, Shard],
    log_streams: int,
    max_active_models: int,
    on_ready: Callable[[], None],
    stop: asyncio.Event,
    resolvers: Resolvers,
    relaying: Relaying,
) -> None:
    actives = ActiveModels(max_active_models)
    streams = {number: log_stream_of(number, log_streams) for number in shards}
    ends = await _ends(bus, set(streams.values()))
    targets = await last_sequences(bus, shards, log_streams)
    relayed_seqs = await checkpoints.read_all(bus, shards)
    readers: dict[str, LogReader] = {}

    def serve(number: int, shard: Shard) -> _Served:
        partition = Partition(number, shard, actives, relayed_seqs[number])
        outbox = relaying.outbox(partition)
        return _Served(partition, outbox, targets[number], lambda: readers[streams[number]].position, resolvers)

    def make_room() -> None:
        for reader in readers.values():
            reader.wake()

    served = {number: serve(number, shard) for number, shard in shards.items()}
    worker = Worker(bus, served, make_room)
    for stream, end in ends.items():
        # A partition that has everything is read from the end: an idle one must not make us read the whole log again.
        starts = {
            number: shard.applied_seq + 1 if shard.applied_seq < targets[number] else max(end, targets[number]) + 1
            for number, shard in shards.items()
            if streams[number] == stream
        }
        readers[stream] = LogReader(bus, starts, worker.deliver, lambda: worker.room() // len(ends), stream)
    await _run_tasks(worker, list(readers.values()), served, relaying, on_ready, stop)


async def _ends(bus: Bus, streams: set[str]) -> dict[str, int]:
    """Give the last sequence of each log stream."""
    names = sorted(streams)
    lasts = await asyncio.gather(*(stream_last(bus, name) for name in names))
    return dict(zip(names, lasts, strict=True))


async def _run_tasks(
    worker: Worker,
    readers: list[LogReader],
    served: dict[int, _Served],
    relaying: Relaying,
    on_ready: Callable[[], None],
    stop: asyncio.Event,
) -> None:
    reading = asyncio.create_task(_read_all(readers))
    applying = [asyncio.create_task(worker.apply_arrivals(one)) for one in served.values()]
    effecting = [asyncio.create_task(one.outbox.run(one.caught_up)) for one in served.values()]
    effecting.append(asyncio.create_task(relaying.run(served)))
    stopping = asyncio.create_task(stop.wait())
    ready = asyncio.create_task(_serve_all_asks(worker, served))
    try:
        await asyncio.wait([reading, stopping, ready], return_when=asyncio.FIRST_COMPLETED)
        if ready.done() and not stopping.done():
            ready.result()
            await worker.flush()
            on_ready()
            log.info("worker_ready", partitions=len(served))
        await asyncio.wait([reading, stopping], return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
    finally:
        worker.drain()
        await asyncio.gather(*applying, return_exceptions=True)
        await _end([ready, reading, stopping, *effecting])


async def _read_all(readers: list[LogReader]) -> None:
    """Read until cancelled, or until one of the readers cannot go on."""
    reading = [asyncio.create_task(reader.run()) for reader in readers]
    try:
        await asyncio.gather(*reading)
    finally:
        await _end(reading)


async def _serve_all_asks(worker: Worker, served: dict[int, _Served]) -> None:
    await asyncio.gather(*(worker.serve_asks(one) for one in served.values()))


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def _open_shards(folder: Path, numbers: list[int]) -> dict[int, Shard]:
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    few = asyncio.Semaphore(_PARALLEL_OPENS)

    async def open_one(number: int) -> Shard:
        async with few:
            return await Shard.open(folder / f"{number}.db")

    shards = await asyncio.gather(*(open_one(number) for number in numbers))
    return dict(zip(numbers, shards, strict=True))


def _log_command(item: Settled) -> None:
    outcome, address = item.outcome, item.incoming.address
    code = outcome.error.code.value if type(outcome) is Refused else "accepted"
    log.info(
        "command",
        user=address.user,
        app=address.app,
        verb=address.verb,
        id=outcome.id,
        seq=item.incoming.message.seq,
        code=code,
        repeated=outcome.repeated,
    )


def _log_ask(address: Address, reply: Reply, duration_s: float) -> None:
    code = reply.error.code.value if type(reply) is Failed else "answered"
    log.info(
        "ask",
        user=address.user,
        app=address.app,
        verb=address.verb,
        code=code,
        components=len(reply.components) if type(reply) is AskReply else 0,
        seq=0 if type(reply) is Failed else getattr(reply, "seq", 0),
        duration_ms=round(duration_s * 1000, 3),
    )
