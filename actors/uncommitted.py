"""What has been applied and waits for its commit: rows, and all that is remembered because of them.

A commit takes what has gathered and is then under way; what is applied meanwhile gathers anew. Until a commit has
succeeded its rows stay here, so nothing is lost when the disk is full, and whoever reads the shard puts them over what
it finds. Models with waiting rows stay in memory whatever the bound on active models: the shard does not have them yet.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from actors.live import LiveModel
from actors.mailbox import MAX_BATCH_BYTES, MAX_BATCH_MESSAGES
from actors.marks import SumMarks
from actors.store.batch import Batch
from actors.store.checksums import of_level
from actors.store.digests import MODULUS, Landmark
from actors.store.keys import CommandKey, First
from actors.store.shard import Shard
from bus.log import LogMessage

MAX_UNCOMMITTED: Final = 20_000
"""Commands of a worker that may wait for their commit: what a crash makes it apply again, within seconds."""

MAX_UNCOMMITTED_BYTES: Final = 64 * 1024 * 1024
"""Payload of these commands; their rows take about as much memory."""


class Bound:
    """Counts what waits for its commit in all partitions of a worker: above the bound nothing more is applied."""

    def __init__(self) -> None:
        self.messages = 0
        self.size = 0
        self.failure: str | None = None
        """Why the last commit of any partition has failed; None: it has not."""
        self.hurry: set[Callable[[], None]] = set()
        """Called when the bound is reached: whoever has rows commits them now."""
        self._changed = asyncio.Event()

    @property
    def has_room(self) -> bool:
        """Whether one more batch may be applied, whatever its size."""
        return (
            self.messages + MAX_BATCH_MESSAGES <= MAX_UNCOMMITTED
            and self.size + MAX_BATCH_BYTES <= MAX_UNCOMMITTED_BYTES
        )

    def add(self, messages: int, size: int) -> None:
        self.messages += messages
        self.size += size

    def release(self, messages: int, size: int) -> None:
        """Count what has been committed, or is left to the log, no longer."""
        self.add(-messages, -size)
        self.look_again()

    def look_again(self) -> None:
        """Have those who wait in `change` look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self) -> None:
        """Have everything committed, and wait until there may be room."""
        changed = self._changed
        for commit in self.hurry:
            commit()
        await changed.wait()


class Unsaved:
    """What one commit writes, and what is remembered until it has succeeded."""

    __slots__ = ("batch", "messages", "models", "outcomes", "size")

    def __init__(self, relayed_seq: int) -> None:
        self.batch = Batch(relayed_seq)
        self.models: dict[str, LiveModel] = {}
        """The models that these rows are of, by user."""
        self.outcomes: dict[CommandKey, First] = {}
        """For commands that are repeated."""
        self.messages = 0
        self.size = 0


class Uncommitted:
    """What waits in one partition."""

    def __init__(self, shard: Shard, relayed_seq: int, bound: Bound) -> None:
        self.committed_seq = shard.committed_seq
        """All up to here is in the shard; what is later is here."""
        self.applied_seq = shard.committed_seq
        self._last: tuple[int, int, bytes] | None = shard.last
        self.log_sum = shard.log_sum
        """The sum of the digests of all commands that are kept, committed or not."""
        self.state_sum = shard.state_sum
        """The sum of the checksums of all rows that models are made of, committed or not."""
        self.level = shard.level
        """The level that a command has raised the partition to; 0: none has."""
        self.marks = SumMarks()
        """The sums at some sequences."""
        self.clock_us = shard.clock_us
        """The latest time of a command that is kept, microseconds since 1970. Never goes back."""
        self._committed_us = shard.clock_us
        self._shard = shard
        self.gathering = Unsaved(relayed_seq)
        self._under_way: Unsaved | None = None
        self._relayed_seq = relayed_seq
        self._bound = bound
        self.ended = 0
        """Commands that were applied, and wait no longer."""

    @property
    def last(self) -> Landmark | None:
        """The last command that is applied; None: there is none."""
        return None if self._last is None else Landmark(*self._last)

    @property
    def batches(self) -> list[Batch]:
        """The rows, in the order of the log."""
        return [each.batch for each in self._all()]

    @property
    def forgets(self) -> bool:
        """Whether somebody is forgotten by what waits: to write that may take long."""
        # This is asked for every message.
        under_way = self._under_way
        return self.gathering.batch.leaves_traces or (under_way is not None and under_way.batch.leaves_traces)

    @property
    def messages(self) -> int:
        """So many commands gather for the next commit."""
        return self.gathering.messages

    @property
    def total(self) -> int:
        """So many commands wait, with those that are being written."""
        return sum(each.messages for each in self._all())

    @property
    def applied(self) -> int:
        """So many commands have been applied since the shard was opened. It never falls."""
        return self.ended + self.total

    def keep(self, actor: LiveModel, digest: bytes) -> None:
        """Add a command that is kept with a model to the sums."""
        # As `added` does; this is done for every message.
        share = int.from_bytes(digest, "little")
        actor.log_sum = (actor.log_sum + share) % MODULUS
        self.log_sum = (self.log_sum + share) % MODULUS

    def grow(self, actor: LiveModel, share: int) -> None:
        """Add what a command has changed to the sums of the state."""
        actor.state_sum += share
        self.state_sum += share

    def kept_below(self, seq: int) -> Iterator[Landmark]:
        """Give the waiting commands below a sequence whose digests are kept, the newest first."""
        for batch in reversed(self.batches):
            for at, time_us, *_, digest, _ in reversed(batch.commands):
                if digest is not None and at < seq:
                    yield Landmark(at, time_us, digest)

    def forget(self, actor: LiveModel) -> None:
        """Take a person's share out of the sums."""
        self._forget_commands(actor)
        self.grow(actor, -actor.state_sum)

    def _forget_commands(self, actor: LiveModel) -> None:
        self.log_sum = (self.log_sum - actor.log_sum) % MODULUS
        actor.log_sum = 0

    def replace(self, actor: LiveModel, share: int) -> None:
        """Put what was said anew of a person in place of their share of the sum of commands.

        Their share of the state is counted when it is written.
        """
        self._forget_commands(actor)
        actor.log_sum = share
        self.log_sum = (self.log_sum + share) % MODULUS

    def raise_level(self, level: int) -> None:
        """Have a level wait for its commit. It is in the sum of the state, and of no person's share."""
        self.state_sum += of_level(level) - of_level(self.level)
        self.level = self.gathering.batch.level = level

    def note(self, message: LogMessage, digest: bytes) -> None:
        """Count a message as applied. Its rows are here already."""
        gathering, size = self.gathering, len(message.data)
        self._last = (message.seq, message.time_us, digest)
        gathering.batch.applied_seq = self.applied_seq = message.seq
        gathering.messages += 1
        gathering.size += size
        # As `Bound.add` does; this is done for every message.
        bound = self._bound
        bound.messages += 1
        bound.size += size
        if message.seq >= self.marks.next_at:
            self.mark()

    def mark(self) -> None:
        """Keep the sums as they are now. Not where rows are deleted: the sums are right once that is written."""
        if self.applied_seq and not self.forgets:
            self.marks.put(self.applied_seq, self.log_sum, self.state_sum)

    def model(self, user: str) -> LiveModel | None:
        """Give the model of a user of whom rows wait."""
        live = self.gathering.models.get(user)
        return live if live is not None or self._under_way is None else self._under_way.models.get(user)

    def outcome(self, key: CommandKey) -> First | None:
        """Give what came first of a command that waits."""
        outcome = self.gathering.outcomes.get(key)
        return outcome if outcome is not None or self._under_way is None else self._under_way.outcomes.get(key)

    def drop_model(self, user: str) -> None:
        """Let go of a model that is not to be used any more."""
        for each in self._all():
            each.models.pop(user, None)

    def begin(self) -> Batch | None:
        """Take what has gathered, or what could not be written before. None: nothing waits."""
        if self._under_way is None and self.gathering.messages:
            batch = self.gathering.batch
            batch.last, batch.log_sum, batch.state_sum = self.last, self.log_sum, self.state_sum
            self._under_way, self.gathering = self.gathering, Unsaved(self._relayed_seq)
        return None if self._under_way is None else self._under_way.batch

    def end(self) -> None:
        """Let go of what was under way: it is committed."""
        done, self._under_way = self._under_way, None
        assert done is not None, "what ends has begun"
        self.ended += done.messages
        if done.batch.leaves_traces:
            # What lost rows was alone in its batch, and was counted when it was written.
            self.state_sum += self._shard.state_sum - done.batch.state_sum
        self.committed_seq = done.batch.applied_seq
        if done.batch.commands:
            self._committed_us = done.batch.commands[-1][1]
        if done.batch.chunk is not None:
            self._committed_us = done.batch.chunk.time_us
        self._bound.release(done.messages, done.size)

    def undo(self) -> None:
        """Drop what waits, as if it had not been applied: it is applied again, from the log."""
        self.leave()
        self.ended += self.total
        self._under_way, self.gathering = None, Unsaved(self._relayed_seq)
        self.applied_seq, self.clock_us = self.committed_seq, self._committed_us
        self.level = self._shard.level
        self._last, self.log_sum, self.state_sum = self._shard.last, self._shard.log_sum, self._shard.state_sum

    def leave(self) -> None:
        """Count no longer what is left to the log."""
        for each in self._all():
            self._bound.release(each.messages, each.size)

    def _all(self) -> Iterator[Unsaved]:
        if self._under_way is not None:
            yield self._under_way
        yield self.gathering
