"""What is stored of a partition's past: the rows of the shard, and over them those that wait for their commit.

Every answer is as if all that is applied were committed. The shard is asked only about what was committed when the
read began, so it makes no difference whether a commit ends meanwhile.
"""

from collections.abc import Sequence

from actors.driving import drive
from actors.store.decisions import decided
from actors.store.following import overlaid as overlaid_following
from actors.store.overlay import items_over, last_until, overlaid, time_at
from actors.store.shard import Shard
from actors.uncommitted import Uncommitted
from model.fold import restore
from model.reads import AsOf, Decisions, Follow, Followed, Found, Read
from model.state import Model


class Overlay:
    """Reads evidence and models of the past."""

    def __init__(self, shard: Shard, waiting: Uncommitted) -> None:
        self._shard = shard
        self._waiting = waiting

    async def read(self, reads: Sequence[Read]) -> list[Found]:
        """Read evidence. Raises what SQLite raises."""
        return await drive(overlaid(reads, self._waiting.batches, self._waiting.committed_seq), self._shard.read)

    async def follow(self, wanted: Follow) -> list[Followed]:
        """Find what follows from evidence. Raises what SQLite raises."""
        batches, live = self._waiting.batches, self._waiting.model(wanted.user)
        committed = await self._shard.follow(wanted)
        return committed if live is None else overlaid_following(wanted, committed, batches, live.key)

    async def decisions(self, wanted: Decisions) -> list[bytes]:
        """Read what was decided about apps, the oldest first. Raises what SQLite raises."""
        batches, live = self._waiting.batches, self._waiting.model(wanted.user)
        committed = await self._shard.committed_decisions(wanted)
        return decided(wanted, committed, batches, None if live is None else live.key)

    async def load_as_of(self, wanted: AsOf) -> Model | None:
        """Load a model as it was; None if it was not yet made. Raises what SQLite raises."""
        batches, committed_seq = self._waiting.batches, self._waiting.committed_seq
        live = self._waiting.model(wanted.user)
        seq, until_us = wanted.seq, wanted.until_us
        if until_us is not None:
            seq = min(seq, last_until(batches, until_us) or await self._shard.last_seq_until(until_us))
        items = await self._shard.items_as_of(wanted.user, min(seq, committed_seq), until_us)
        if live is not None:
            items = items_over(items, batches, live.key, seq, until_us)
        if until_us is None:
            until_us = time_at(batches, seq) or await self._shard.time_at(seq)
        return restore(wanted.user, items, seq, until_us)
