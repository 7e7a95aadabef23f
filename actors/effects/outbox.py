"""What must leave after the commit: relayed from the shard's outbox, in order, at least once.

An entry is written in the transaction that caused it and dropped once the bus has what it stands for. Ids are made of
sequences, so what is relayed twice is stored once. The checkpoint keeps a rebuild from relaying history again.

Every worker that holds the partition has the same entries. The primary relays them; the others drop theirs when the
checkpoint says that they have left, and so can take over at any time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from itertools import zip_longest

from actors.store.shard import OutboxEntry, Shard
from bus.logger import get_logger
from bus.retrying import Interrupted, retrying, sleeping_until

log = get_logger(__name__)

MAX_ENTRIES = 256
"""Entries taken at a time."""

CHECKPOINT_EVERY_S = 0.25
"""Seconds of relaying after which what has left is recorded: so much is relayed again after a crash."""

FOLLOW_EVERY_S = 10.0
"""Seconds after which those who do not relay look at what has left: so much of the outbox is kept in vain."""

EffectHandler = Callable[[OutboxEntry], Awaitable[None]]
"""Sees to one entry. May be called again for the same one; raises when it must be."""

Checkpoint = Callable[[int], Awaitable[None]]


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
        self.stopping = asyncio.Event()
        """Set by `stop`."""

    def wake(self) -> None:
        self._work.set()

    async def run(self) -> None:
        """Relay until `stop`: what has left by then is recorded, so that the next primary does not relay it again."""
        with suppress(Interrupted):
            while not self.stopping.is_set():
                await self._work.wait()
                self._work.clear()
                # Whatever fails, the entries are still there.
                await retrying(self._relay_all, "outbox_waits", on=(Exception,), sleep=sleeping_until(self.stopping))

    def stop(self) -> None:
        """End `run` after the command whose entries are in hand."""
        self.stopping.set()
        self._work.set()

    async def follow(self, left: Callable[[], Awaitable[int]]) -> None:
        """Drop what the primary has relayed, until `stop`. `left` tells up to which sequence all has left."""
        sleep = sleeping_until(self.stopping)
        with suppress(Interrupted):
            while True:
                await self._work.wait()
                await sleep(FOLLOW_EVERY_S)
                self._work.clear()
                await retrying(lambda: self.drop(left), "outbox_waits", on=(Exception,), sleep=sleep)

    def pass_over(self, seq: int) -> None:
        """Relay nothing up to a sequence: it has left."""
        self._left = seq

    async def drop(self, left: Callable[[], Awaitable[int]]) -> None:
        """Drop what has left. Raises what `left` raises, and the shard."""
        await self._shard.drop_outbox(await left())
        if await self._shard.outbox(1):
            self._work.set()

    async def _relay_all(self) -> None:
        while not self.stopping.is_set() and await self.relay_some():
            pass

    async def relay_some(self) -> bool:
        """Relay the oldest entries; tell whether there were any. Raises what a handler raises."""
        entries = await self._shard.outbox(MAX_ENTRIES)
        recorded_at = time.monotonic()
        done = 0
        try:
            for entry, following in zip_longest(entries, entries[1:]):
                if entry.seq > self._left:
                    await self._relay(entry)
                # Entries of one command are forgotten together.
                if following is None or following.seq > entry.seq:
                    done = entry.seq
                    if self.stopping.is_set():
                        break
                    if time.monotonic() - recorded_at > CHECKPOINT_EVERY_S:
                        await self._record(done)
                        recorded_at, done = time.monotonic(), 0
        except Exception:
            await self._record(done)
            raise
        await self._record(done)
        return bool(entries)

    async def _relay(self, entry: OutboxEntry) -> None:
        handler = self._handlers.get(entry.kind)
        if handler is None:
            log.error("outbox_entry_unknown", kind=entry.kind, seq=entry.seq)
            return
        await handler(entry)

    async def _record(self, seq: int) -> None:
        """Note that everything up to a sequence has left; 0: nothing more than is noted already."""
        if not seq:
            return
        await self._checkpoint(seq)
        await self._shard.drop_outbox(seq)
