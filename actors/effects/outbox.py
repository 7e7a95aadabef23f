"""What must leave after the commit: relayed from the shard's outbox, at least once, each person's in order.

An entry is written in the transaction that caused it and dropped once the bus has what it stands for. Ids are made of
sequences, so what is relayed twice is stored once. The checkpoint keeps a rebuild from relaying history again: up to
there everything has left. What has left beyond it, past a person whose entries wait, is dropped by itself.

Every worker that holds the partition has the same entries. The primary relays them; the others drop theirs when the
checkpoint says that they have left, and so can take over at any time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import msgspec

from actors.effects.backlog import Backlog
from actors.store.shard import OutboxEntry, Shard
from bus.logger import get_logger
from bus.retrying import RETRY_S, Interrupted, retrying, sleeping_until

log = get_logger(__name__)

MAX_ENTRIES: Final = 256
"""Entries taken at a time."""

MAX_KNOWN: Final = 50_000
"""Commands whose entries may be known to wait, about 200 bytes each; the rest waits in the shard."""

MAX_AT_WORK: Final = 256
"""People whose entries leave at the same time. Only so many can hold up others by waiting for another model."""

AHEAD: Final = 16
"""Commands of one person whose entries are read together, once their turn comes."""

CHECKPOINT_EVERY_S = 0.25
"""Seconds of relaying after which what has left is recorded: so much is relayed again after a crash."""

FOLLOW_EVERY_S = 10.0
"""Seconds after which those who do not relay look at what has left: so much of the outbox is kept in vain."""

EffectHandler = Callable[[OutboxEntry], Awaitable[None]]
"""Sees to one entry. May be called again for the same one; raises when it must be."""

Checkpoint = Callable[[int], Awaitable[None]]


class _About(msgspec.Struct):
    """What the body of every entry has."""

    user: str


_about: Final = msgspec.json.Decoder(_About)


class Outbox:
    """Relays one partition's outbox whenever it is woken, by the handler for each kind of entry."""

    def __init__(self, shard: Shard, handlers: Mapping[str, EffectHandler], checkpoint: Checkpoint) -> None:
        self._shard = shard
        self._handlers = handlers
        self._checkpoint = checkpoint
        self._work = asyncio.Event()
        self._work.set()
        self._left = 0
        """All up to this sequence has left, relayed by whoever was the primary then."""
        self._backlog = Backlog()
        self._entries: dict[int, list[OutboxEntry]] = {}
        """Those that have been read, by sequence."""
        self._at_work: set[asyncio.Task[None]] = set()
        self._progress = asyncio.Event()
        self._recording = asyncio.Lock()
        self._recorded = 0
        """The checkpoint."""
        self._dropped = 0
        self._full = False
        """Whether more waits in the shard than may be known."""
        self._broken: BaseException | None = None
        self.stopping = asyncio.Event()
        """Set by `stop`."""
        self._sleep = sleeping_until(self.stopping)
        self._warned_at = -RETRY_S

    @property
    def waiting(self) -> int:
        """So many commands are known of which something waits to leave, up to `MAX_KNOWN`."""
        return len(self._backlog)

    def wake(self) -> None:
        self._work.set()

    async def run(self) -> None:
        """Relay until `stop`: what has left by then is recorded, so that the next primary does not relay it again."""
        recording = asyncio.create_task(self._keep_recording())
        try:
            with suppress(Interrupted):
                while not self.stopping.is_set():
                    await self._work.wait()
                    self._work.clear()
                    self._raise_failure()
                    # Whatever fails, the entries are still there.
                    await retrying(self._read, "outbox_waits", on=(Exception,), sleep=self._sleep)
            await self._finish()
        finally:
            await _cancel({recording, *self._at_work})

    def stop(self) -> None:
        """End `run` after the commands whose entries are in hand."""
        self.stopping.set()
        self._work.set()

    async def relay_all(self) -> None:
        """Relay all that is there now, and record it. Raises what reading and recording raise."""
        try:
            await self._read()
            # What fails may have done so while the rest was read.
            self._raise_failure()
            while self._at_work:
                await asyncio.wait(self._at_work, return_when=asyncio.FIRST_COMPLETED)
                self._raise_failure()
            await self.record()
        finally:
            await _cancel(self._at_work)

    async def follow(self, left: Callable[[], Awaitable[int]]) -> None:
        """Drop what the primary has relayed, until `stop`. `left` tells up to which sequence all has left."""
        with suppress(Interrupted):
            while True:
                await self._work.wait()
                await self._sleep(FOLLOW_EVERY_S)
                self._work.clear()
                await retrying(lambda: self.drop(left), "outbox_waits", on=(Exception,), sleep=self._sleep)

    def pass_over(self, seq: int) -> None:
        """Relay nothing up to a sequence: it has left."""
        self._left = self._recorded = seq

    async def drop(self, left: Callable[[], Awaitable[int]]) -> None:
        """Drop what has left. Raises what `left` raises, and the shard."""
        await self._shard.drop_outbox(await left())
        if await self._shard.outbox(1):
            self._work.set()

    async def record(self) -> None:
        """Note what has left. Raises what the checkpoint raises, and the shard."""
        async with self._recording:
            left, done = self._backlog.left_seq, list(self._backlog.left)
            if not done and left <= self._dropped:
                return
            if left > self._recorded:
                await self._checkpoint(left)
                self._recorded = left
            await self._shard.drop_outbox(left, [seq for seq in done if seq > left])
            self._dropped = left
            del self._backlog.left[: len(done)]

    async def _keep_recording(self) -> None:
        with suppress(Interrupted):
            while True:
                await self._progress.wait()
                await self._sleep(CHECKPOINT_EVERY_S)
                self._progress.clear()
                await self._record_surely()

    async def _finish(self) -> None:
        """Record what has left already, as what is in hand may take too long; then that."""
        with suppress(Interrupted):
            await self._record_surely()
            if self._at_work:
                await asyncio.wait(self._at_work)
            # It may have left while the rest was recorded.
            await self._record_surely()

    async def _record_surely(self) -> None:
        await retrying(self.record, "outbox_waits", on=(Exception,), sleep=self._sleep)

    async def _read(self) -> None:
        """Take in what has been added to the outbox, and set to work. Raises what the shard raises."""
        while not self._is_full():
            entries = await self._shard.outbox(MAX_ENTRIES, self._backlog.read_seq)
            if not entries:
                break
            for seq, group in groupby(entries, attrgetter("seq")):
                self._add(seq, list(group))
            self._set_to_work()

    def _is_full(self) -> bool:
        self._full = len(self._backlog) >= MAX_KNOWN
        return self._full

    def _add(self, seq: int, entries: list[OutboxEntry]) -> None:
        if seq > self._left and self._backlog.add(_about.decode(entries[0].body).user, seq):
            self._entries[seq] = entries
        self._backlog.read_seq = seq

    def _set_to_work(self) -> None:
        while len(self._at_work) < MAX_AT_WORK and not self.stopping.is_set():
            user = self._backlog.take()
            if user is None:
                return
            task = asyncio.create_task(self._relay_first(user))
            self._at_work.add(task)
            task.add_done_callback(self._relayed)

    def _relayed(self, task: "asyncio.Task[None]") -> None:
        self._at_work.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is None:
            self._progress.set()
            self._set_to_work()
            if self._full:
                self._work.set()
        elif not isinstance(failure, Interrupted):
            self._broken = failure
            self._work.set()

    def _raise_failure(self) -> None:
        if self._broken is not None:
            raise self._broken

    async def _relay_first(self, user: str) -> None:
        """Relay what a person's first command has left, trying until it has been seen to. Raises `Interrupted`."""
        (seq,) = self._backlog.first(user, 1)
        await retrying(
            lambda: self._relay(user, seq), "outbox_waits", on=(Exception,), sleep=self._sleep, warn=self._warn
        )
        self._entries.pop(seq, None)
        self._backlog.done(user)

    def _warn(self, event: str, **about: Any) -> None:
        """Log once what makes many people's entries wait."""
        now = time.monotonic()
        if now - self._warned_at >= RETRY_S:
            self._warned_at = now
            log.warning(event, **about)

    async def _relay(self, user: str, seq: int) -> None:
        if seq not in self._entries:
            await self._read_ahead(user)
        for entry in self._entries.get(seq, ()):
            await self._hand_over(entry)

    async def _read_ahead(self, user: str) -> None:
        """Read what a person's first commands have left. It may be nothing: a forget takes it."""
        seqs = self._backlog.first(user, AHEAD)
        self._entries |= {seq: [] for seq in seqs}
        for entry in await self._shard.outbox_of(seqs):
            self._entries[entry.seq].append(entry)

    async def _hand_over(self, entry: OutboxEntry) -> None:
        handler = self._handlers.get(entry.kind)
        if handler is None:
            log.error("outbox_entry_unknown", kind=entry.kind, seq=entry.seq)
            return
        await handler(entry)


async def _cancel(tasks: set["asyncio.Task[None]"]) -> None:
    """Cancel tasks, and wait for their end."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
