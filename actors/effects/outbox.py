"""What must leave after the commit: relayed from the shard's outbox, in order, at least once.

An entry is written in the transaction that caused it and dropped once the bus has what it stands for. Ids are made of
sequences, so what is relayed twice is stored once. The checkpoint keeps a rebuild from relaying history again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import zip_longest

import structlog

from actors.store.shard import OutboxEntry, Shard

log = structlog.get_logger(__name__)

MAX_ENTRIES = 256
"""Entries taken at a time."""

CHECKPOINT_EVERY_S = 0.25
"""Seconds of relaying after which what has left is recorded: so much is relayed again after a crash."""

RETRY_S = 1.0
"""Wait after a failure of the bus or the shard."""

Handler = Callable[[OutboxEntry], Awaitable[None]]
"""Sees to one entry. May be called again for the same one; raises when it must be."""

Checkpoint = Callable[[int], Awaitable[None]]


class Outbox:
    """Relays one partition's outbox whenever it is woken, by the handler for each kind of entry."""

    def __init__(self, shard: Shard, handlers: Mapping[str, Handler], checkpoint: Checkpoint) -> None:
        self._shard = shard
        self._handlers = handlers
        self._checkpoint = checkpoint
        self._work = asyncio.Event()
        self._work.set()

    def wake(self) -> None:
        self._work.set()

    async def run(self) -> None:
        """Relay for ever; cancel to stop."""
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                while await self.relay_some():
                    pass
            except Exception as error:  # noqa: BLE001 - whatever it is, the entries are still there
                log.warning("outbox_waits", error=str(error), retry_s=RETRY_S)
                self._work.set()
                await asyncio.sleep(RETRY_S)

    async def relay_some(self) -> bool:
        """Relay the oldest entries; tell whether there were any. Raises what a handler raises."""
        entries = await self._shard.outbox(MAX_ENTRIES)
        recorded_at = time.monotonic()
        done = 0
        try:
            for entry, following in zip_longest(entries, entries[1:]):
                await self._relay(entry)
                # Entries of one command are forgotten together.
                if following is None or following.seq > entry.seq:
                    done = entry.seq
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
        await self._shard.forget_outbox(seq)
