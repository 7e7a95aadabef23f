"""What must leave after the commit: relayed from the shard's outbox, in order, at least once.

An entry is written in the transaction that caused it and dropped once the bus has it. Its message id is made of its
sequence, so an entry that is relayed twice is stored once. The checkpoint keeps a rebuild from relaying history again.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from actors.shard import OutboxEntry, Shard

log = structlog.get_logger(__name__)

MAX_ENTRIES = 256
"""Entries taken at a time."""

RETRY_S = 1.0
"""Wait after a failure of the bus or the shard."""

Relay = Callable[[OutboxEntry], Awaitable[None]]
Checkpoint = Callable[[int], Awaitable[None]]


class Outbox:
    """Relays one partition's outbox whenever it is woken."""

    def __init__(self, shard: Shard, relay: Relay, checkpoint: Checkpoint) -> None:
        self._shard = shard
        self._relay = relay
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
        """Relay the oldest entries; tell whether there were any."""
        entries = await self._shard.outbox(MAX_ENTRIES)
        for entry in entries:
            await self._relay(entry)
        if entries:
            await self._checkpoint(entries[-1].seq)
            await self._shard.forget_outbox(entries[-1].seq)
        return bool(entries)
