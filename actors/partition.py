"""One partition: batches of log messages are applied and committed, asks are answered.

A batch is decoded, missing models are loaded with one query, every command is applied in memory, and all is written in
one transaction, which also finds out whether a command was seen before. Only then is anything said. The lock keeps
asks from seeing what is applied but not yet committed.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import msgspec

from actors.driving import drive
from actors.incoming import Incoming, decode_incoming
from actors.live import ActiveModels, Applied, LiveModel
from actors.store.batch import Batch
from actors.store.entries import REJECTION
from actors.store.keys import CommandKey, command_key
from actors.store.overlay import overlaid
from actors.store.shard import Repeated, Shard, Unwritable
from bus.log import LogMessage
from bus.logger import get_logger
from model.changes import Change
from model.commands import STAND_ALONE, STAND_FIRST
from model.reads import Found, Read, Reading
from schemas.errors import Code, Error, Transient
from schemas.replies import Outcome, Refused, Rejection

log = get_logger(__name__)

_INTERNAL = Error(Code.INTERNAL, "a fault in llum; the command was recorded and passed over")


class Settled(msgspec.Struct, gc=False):
    """A log message that has been dealt with, committed, and may now be answered."""

    incoming: Incoming
    outcome: Outcome
    leaves: bool = False
    """Something of it is in the outbox."""
    changes: Sequence[Change] = ()
    """What it has changed in the model; nothing when it had been applied before."""


class Partition:
    """The models of one partition: their shard, and those actors of the worker that belong to it."""

    def __init__(self, number: int, shard: Shard, actives: ActiveModels, relayed_seq: int = 0) -> None:
        self.number = number
        self.shard = shard
        self._lock = asyncio.Lock()
        """Held while a batch is applied and written, and while a model is read."""
        self._actives = actives
        self._relayed_seq = relayed_seq
        self._advanced: list[asyncio.Future[None]] = []
        self._leaves = False

    @property
    def applied_seq(self) -> int:
        return self.shard.committed_seq

    @property
    def is_settled(self) -> bool:
        """Whether nothing is applied that is not committed."""
        return not self._lock.locked()

    async def apply(self, messages: Sequence[LogMessage]) -> list[Settled]:
        """Apply and commit messages in their order; those that were applied before are passed over.

        Raises what SQLite raises when it cannot write; nothing has changed then, and the same call may be made again.
        """
        rest = [message for message in messages if message.seq > self.applied_seq]
        settled: list[Settled] = []
        async with self._lock:
            incoming = [decode_incoming(message) for message in rest]
            while incoming:
                done = await self._apply_first(incoming)
                settled.extend(done)
                incoming = incoming[len(done) :]
        self._wake()
        return settled

    @asynccontextmanager
    async def reading(self, user: str) -> AsyncIterator[LiveModel | None]:
        """Give the user's model, activating it; None when the shard knows no such user.

        All of it is committed, and nothing is applied as long as the block lasts.
        """
        async with self._lock:
            yield await self._activated(user)

    async def _activated(self, user: str) -> LiveModel | None:
        actor = self._actives.get(self.number, user)
        if actor is None:
            for loaded in (await self._load([user])).values():
                actor = loaded
                self._actives.activate(self.number, actor)
        return actor

    def active(self, user: str) -> LiveModel | None:
        """Give the user's actor if it can be used at once: active, and nothing uncommitted."""
        return None if self._lock.locked() else self._actives.get(self.number, user)

    async def advanced(self) -> None:
        """Wait for the next commit. Raises `Transient` when the partition leaves this worker."""
        if self._leaves:
            raise _leaves()
        future = asyncio.get_running_loop().create_future()
        self._advanced.append(future)
        await future

    def leave(self) -> None:
        """Tell whoever waits for another commit that there will be none here."""
        self._leaves = True
        waiting, self._advanced = self._advanced, []
        for future in waiting:
            if not future.done():
                future.set_exception(_leaves())

    async def _apply_first(self, incoming: list[Incoming]) -> list[Settled]:
        """Apply the first of these messages, as many as go into one transaction.

        Rows that cannot be written are narrowed down to the one message that they come from, which is then refused.
        """
        try:
            return await self._apply_some(incoming)
        except Unwritable:
            if len(incoming) > 1:
                return await self._apply_first(incoming[: len(incoming) // 2])
            one = incoming[0]
            log.exception("command_unwritable", user=one.address.user, app=one.address.app, seq=one.message.seq)
            one.command, one.error = None, _INTERNAL
            return await self._apply_some(incoming)

    async def _apply_some(self, incoming: list[Incoming]) -> list[Settled]:
        """Apply and commit as many as can go into one transaction: all, or up to a command that hit a fault of ours.

        Repeats are rare, so all commands are first taken for new; the shard refuses the batch if one is not.
        """
        incoming = incoming[: _in_one_transaction(incoming)]
        try:
            return await self._commit(incoming, {})
        except Repeated:
            return await self._commit(incoming, await self._known_outcomes(incoming))

    async def _commit(self, incoming: list[Incoming], known: dict[CommandKey, Outcome]) -> list[Settled]:
        actors = await self._actors_of(incoming)
        batch = Batch(self._relayed_seq)
        work = _Work(known, actors, batch, self.shard.clock_us)
        try:
            await drive(work.settle(incoming), partial(self._read, batch))
            await self.shard.write(work.finish())
        except BaseException:
            # The models may be ahead of the shard: forget them, they are loaded again.
            for user in actors:
                self._actives.passivate(self.number, user)
            raise
        for actor in actors.values():
            if actor.model is not None:
                self._actives.activate(self.number, actor)
            else:
                self._actives.passivate(self.number, actor.user)
        if work.faulty_user is not None:
            self._actives.passivate(self.number, work.faulty_user)
        return work.settled

    async def _read(self, batch: Batch, reads: list[Read]) -> list[Found]:
        """Read for a command what was stored before it: what is committed, and what waits for its commit."""
        return await drive(overlaid(reads, batch, self.shard.committed_seq), self.shard.read)

    async def _known_outcomes(self, incoming: list[Incoming]) -> dict[CommandKey, Outcome]:
        keys = [key for one in incoming if (key := _key(one)) is not None]
        return await self.shard.known_commands(keys) if keys else {}

    async def _actors_of(self, incoming: list[Incoming]) -> dict[str, LiveModel]:
        actors: dict[str, LiveModel] = {}
        missing: list[str] = []
        for user in {one.address.user for one in incoming}:
            actor = self._actives.get(self.number, user)
            if actor is None:
                missing.append(user)
            else:
                actors[user] = actor
        if missing:
            actors |= await self._load(missing)
            for user in sorted(set(missing) - actors.keys()):
                actors[user] = LiveModel(user, self.shard.new_user_key(), None)
        return actors

    async def _load(self, users: list[str]) -> dict[str, LiveModel]:
        loaded = await self.shard.load(users)
        return {user: LiveModel(user, one.key, one.model) for user, one in loaded.items()}

    def _wake(self) -> None:
        waiting, self._advanced = self._advanced, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class _Work:
    """The applying of one batch: what has been settled, and the rows to write."""

    def __init__(
        self, known: dict[CommandKey, Outcome], actors: dict[str, LiveModel], batch: Batch, clock_us: int
    ) -> None:
        self.settled: list[Settled] = []
        self.faulty_user: str | None = None
        self._known = known
        self._actors = actors
        self._batch = batch
        self._clock_us = clock_us
        self._touched: set[str] = set()

    def settle(self, incoming: Sequence[Incoming]) -> Reading[None]:
        """Settle all of them, or up to a command that hit a fault of ours. Yields what a command needs read."""
        for one in incoming:
            key = _key(one)
            outcome = self._known.get(key) if key is not None else None
            changes: Sequence[Change] = ()
            entries = len(self._batch.outbox)
            if outcome is None:
                # A partition's clock never goes back.
                time_us = max(one.message.time_us, self._clock_us)
                applied = yield from self._apply(one, time_us)
                outcome, changes = applied.outcome, applied.changes
                self._record(one, key, time_us, applied)
            self.settled.append(Settled(one, outcome, len(self._batch.outbox) > entries, changes))
            self._batch.applied_seq = one.message.seq
            if self.faulty_user is not None:
                return

    def finish(self) -> Batch:
        for user in self._touched:
            actor = self._actors[user]
            assert actor.model is not None, "only models are written"
            self._batch.add_user(actor.key, user, actor.model.seq, actor.model.time_us)
        return self._batch

    def _apply(self, one: Incoming, time_us: int) -> Reading[Applied]:
        seq, user, app = one.message.seq, one.address.user, one.address.app
        if one.command is None:
            assert one.error is not None
            return Applied(Refused(id=one.id, seq=seq, error=one.error))
        try:
            return (yield from self._actors[user].apply(app, one.command, seq, time_us))
        except Exception:
            # The log is not stopped by one command that we cannot apply: record it, report it, go on after it.
            log.exception("command_failed", user=user, app=app, verb=one.address.verb, seq=seq)
            self.faulty_user = user
            return Applied(Refused(id=one.id, seq=seq, error=_INTERNAL))

    def _record(self, one: Incoming, key: CommandKey | None, time_us: int, applied: Applied) -> None:
        """Write down what came of a command.

        Its outcome is kept with the model; of a user without one only the rejection is kept.
        """
        seq, outcome = one.message.seq, applied.outcome
        actor = self._actors[one.address.user]
        if actor.model is not None:
            self._batch.add_changes(actor.key, actor.user, applied.changes, seq, actor.model.time_us)
            if key is not None:
                self._batch.add_command(key, actor.key, seq, time_us, outcome)
                self._clock_us = time_us
                self._known[key] = msgspec.structs.replace(outcome, repeated=True)
            self._touched.add(actor.user)
        elif applied.changes:
            self._forget(actor, applied, key, seq, time_us)
        if type(outcome) is Refused and seq > self._batch.relayed_seq:
            self._batch.add_entry(seq, REJECTION, msgspec.json.encode(_rejection(one, outcome)))

    def _forget(self, actor: LiveModel, applied: Applied, key: CommandKey | None, seq: int, time_us: int) -> None:
        """Delete a model that has been forgotten; nothing else is in this transaction."""
        assert key is not None, "what was applied has an id"
        self._batch.add_changes(actor.key, actor.user, applied.changes, seq, time_us)
        self._batch.add_forget(key, seq, time_us)


def _in_one_transaction(incoming: list[Incoming]) -> int:
    """Say how many of the first messages go into one transaction: the model says which commands mix with others."""
    if type(incoming[0].command) in STAND_ALONE:
        return 1
    for index, one in enumerate(incoming):
        if index and type(one.command) in STAND_FIRST:
            return index
    return len(incoming)


def _leaves() -> Transient:
    return Transient(Code.UNAVAILABLE, "the partition leaves this worker")


def _key(one: Incoming) -> CommandKey | None:
    return None if one.id is None else command_key(one.address.user, one.address.app, one.id)


def _rejection(one: Incoming, outcome: Refused) -> Rejection:
    _, user, app, verb = one.address
    time = one.message.time_us / 1e6
    return Rejection(user=user, app=app, verb=verb, id=one.id, seq=outcome.seq, time=time, error=outcome.error)
