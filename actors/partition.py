"""One partition: messages are applied to models in memory, and spoken of; their rows are committed behind.

The log is the truth and applying is deterministic, so an outcome may be said as soon as its command is applied: after a
crash the command is applied again, to the same end. What must be on the disk before it is said is committed first: a
forget, because the log then forgets too, and a fault of ours, which another version of llum may not repeat.

If SQLite refuses rows for what they are, one of these commands is to blame. The partition is then served anew, and up
to there carefully: one command is applied and committed, then the next; the one whose rows are refused is refused.

The lock keeps models from being loaded twice, and from changing while an answer of the past is begun. It is not held
while rows are written.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from actors.driving import drive
from actors.incoming import Incoming, address_of, decode_incoming
from actors.levels import BeyondLevelError, LevelsHere, PartitionLevel
from actors.live import ActiveModels, LiveModel
from actors.settling import Settled, Settling, as_faulty, key_of, log_failed
from actors.store.batch import Batch, Unwritable
from actors.store.digests import Landmark
from actors.store.keys import CommandKey, person_mark
from actors.store.restating import Attempt
from actors.store.shard import Shard
from actors.stored import Overlay
from actors.uncommitted import Bound, Uncommitted
from bus import failpoints
from bus.log import LogMessage
from bus.logger import get_logger
from model.asked.tally import Tally
from model.commands import STAND_ALONE
from model.evidence import decode_evidence
from model.reads import Follow, Followed, Found, Read
from schemas.commands import Command, MakeModel
from schemas.errors import Code, Transient
from schemas.parts import Restate
from schemas.preferences import PutPreferences

log = get_logger(__name__)

Speak = Callable[[list[Settled]], Awaitable[None]]
"""Says what has become of commands."""


async def _say_nothing(_settled: list[Settled]) -> None:
    """Nobody listens."""


class Partition:
    """The models of one partition: their shard, what waits to be written, and those actors that belong to it."""

    def __init__(
        self,
        number: int,
        shard: Shard,
        actives: ActiveModels,
        relayed_seq: int = 0,
        bound: Bound | None = None,
        careful_until: int = 0,
        levels: LevelsHere | None = None,
    ) -> None:
        """Raises `BeyondLevelError` if the shard has come to a level that is not known here."""
        self.number = number
        self.shard = shard
        self.waiting = Uncommitted(shard, relayed_seq, bound or Bound())
        self.level = PartitionLevel(number, levels or LevelsHere(), self.waiting)
        self.stored = Overlay(shard, self.waiting)
        self.tally = Tally()
        """Who has asked what, as long as it is not written."""
        self.on_beyond: Callable[[BeyondLevelError], None] = _raise
        """Called when the log comes to a level that is not known here. By default it is raised."""
        self.flush: Callable[[], Awaitable[None]] = self.commit_all
        """Commits all that is applied. Whoever commits may put its own here, which tries until the disk takes it."""
        self._lock = asyncio.Lock()
        """Held while commands are applied, and while a model is read."""
        self._committing = asyncio.Lock()
        self._actives = actives
        self._advanced: list[asyncio.Future[None]] = []
        self._leaves = False
        self._careful_until = careful_until
        self._failed_seq = 0
        """A command that hit a fault of ours when it was applied at once: it is recorded, and passed over."""

    @property
    def is_careful(self) -> bool:
        """Whether each command is committed before the next one is applied, by whoever applies it."""
        return self.applied_seq < self._careful_until

    @property
    def applied_seq(self) -> int:
        """Everything up to here that belongs to the partition is applied; it need not be committed yet."""
        return self.waiting.applied_seq

    @property
    def committed_seq(self) -> int:
        """Everything up to here is on the disk."""
        return self.waiting.committed_seq

    async def apply(self, messages: Sequence[LogMessage], speak: Speak = _say_nothing) -> list[Settled]:
        """Apply messages in their order and speak of them; those that were applied before are passed over.

        Raises what SQLite raises when it cannot read, or cannot write what must be committed before it is said. The
        same call may be made again then: what was applied has been spoken of. It ends before a message that raises the
        level to one that is not known here, after calling `on_beyond`.
        """
        failpoints.reached("before_apply")
        left = [message for message in messages if message.seq > self.applied_seq]
        settled: list[Settled] = []
        while incoming := self._read(left):
            left = left[len(incoming) :]
            while incoming:
                done = await self._apply_first(incoming)
                self._wake()
                failpoints.reached("applied")
                await speak(done)
                failpoints.reached("spoken")
                settled += done
                incoming = incoming[len(done) :]
        return settled

    def _read(self, messages: Sequence[LogMessage]) -> list[Incoming]:
        """Decode messages up to one that raises the level: what follows it is read by another."""
        incoming: list[Incoming] = []
        commands = self.level.known.commands
        for message in messages:
            one = decode_incoming(message, commands)
            if one.level is not None and not self.level.knows(one.level):
                if not incoming:
                    self.on_beyond(self.level.beyond(one.level))
                break
            incoming.append(one)
            if one.level is not None:
                break
        return incoming

    def apply_at_once(self, message: LogMessage) -> Settled | None:
        """Apply a message as `apply` does, for less, if nothing must be waited for, as with most.

        None, and nothing is done: `apply` it. Whoever calls this speaks of what was applied before anything else.
        """
        if self._lock.locked() or self.is_careful or self.waiting.forgets or message.seq <= self.applied_seq:
            return None
        one = decode_incoming(message, self.level.known.commands)
        if one.command is None or type(one.command) in STAND_ALONE:
            return None
        key, actor = key_of(one), self.active(one.address.user) or self._newcomer(one)
        if key is None or actor is None or self.shard.repeats.doubtful((key,)):
            return None
        if actor.model is None and not _makes_a_model(one.command):
            return None
        failpoints.reached("before_apply")
        try:
            settled = Settling(self.waiting, {actor.user: actor}, {}, self.shard).settle_at_once(one, key)
        except Exception:  # noqa: BLE001 - logged there; then the command is refused
            log_failed(one)
            self._failed_seq = message.seq
            return None
        if settled is not None:
            if actor.model is not None:
                self._actives.activate(self.number, actor)
            self._wake()
            failpoints.reached("applied")
        return settled

    def _newcomer(self, one: Incoming) -> LiveModel | None:
        """Give an actor to somebody whom the shard has certainly not heard of, and for whom a model is to be made."""
        if not _makes_a_model(one.command):
            return None
        mark = person_mark(one.address.user)
        return None if self.shard.repeats.doubtful((mark,)) else self._unknown(mark)

    def _unknown(self, mark: CommandKey) -> LiveModel:
        """Give an actor to somebody whom the shard has not heard of. From now on it may have."""
        self.shard.repeats.add((mark.hashed,))
        return LiveModel(mark.user, self.shard.new_user_key(), None)

    async def commit(self) -> Batch | None:
        """Write what waits as one transaction, and give it; None if nothing waits. What comes meanwhile waits on.

        Raises what SQLite raises. Everything waits on then, and the same call may be made again.
        """
        async with self._committing:
            batch = self.waiting.begin()
            if batch is None:
                return None
            if self.shard.committed_seq < batch.applied_seq:
                await self.shard.write(batch)
            failpoints.reached("committed")
            self.waiting.end()
            return batch

    async def commit_all(self) -> None:
        """Commit until nothing waits that is applied now. Raises what SQLite raises."""
        applied_seq = self.applied_seq
        while self.committed_seq < applied_seq:
            await self.commit()

    @asynccontextmanager
    async def reading(self, user: str) -> AsyncIterator[LiveModel | None]:
        """Give the user's model, activating it; None when there is no such user.

        Nothing is applied as long as the block lasts.
        """
        async with self._lock:
            live = self.active(user)
            if live is None:
                for loaded in (await self._load([user])).values():
                    live = loaded
                    self._actives.activate(self.number, live)
            yield live

    def active(self, user: str) -> LiveModel | None:
        """Give the user's actor if it is in memory."""
        live = self._actives.get(self.number, user)
        if live is None and (live := self.waiting.model(user)) is not None:
            self._actives.activate(self.number, live)
        return live

    async def kept_below(self, seq: int) -> AsyncIterator[Landmark]:
        """Give the commands below a sequence whose digests are kept, committed or not, the newest first."""
        for landmark in list(self.waiting.kept_below(seq)):
            yield landmark
        async for landmark in self.shard.kept_below(min(seq, self.committed_seq + 1)):
            yield landmark

    async def advanced(self) -> None:
        """Wait until more has been applied. Raises `Transient` when the partition leaves this worker."""
        if self._leaves:
            raise _leaves()
        future = asyncio.get_running_loop().create_future()
        self._advanced.append(future)
        await future

    def leave(self) -> None:
        """Tell whoever waits for more to be applied that it will not be here."""
        self._leaves = True
        waiting, self._advanced = self._advanced, []
        for future in waiting:
            if not future.done():
                future.set_exception(_leaves())

    async def _apply_first(self, incoming: list[Incoming]) -> list[Settled]:
        """Apply the first of these messages: up to a forget, which stands alone, or to a fault of ours."""
        if self.waiting.forgets:
            # The disk did not take it when it was applied. Until it does, the shard knows repeats of what is forgotten.
            await self.flush()
        if incoming[0].level is not None:
            return await self._raise_level(incoming[0])
        if incoming[0].message.seq == self._failed_seq:
            return await self._pass_over(incoming[0])
        if type(incoming[0].command) in STAND_ALONE:
            return await self._apply_alone(incoming[0])
        if self.is_careful:
            return await self._apply_carefully(incoming[0])
        async with self._lock:
            work = await self._settle(incoming[: _together(incoming)])
            if work.faulty_user is not None:
                self._let_go(work.faulty_user)
                await self.flush()
        return work.settled

    async def _raise_level(self, one: Incoming) -> list[Settled]:
        async with self._lock:
            settled = self.level.apply(one, self.shard.digests)
        if self.is_careful:
            await self.commit_all()
        return [settled]

    async def _pass_over(self, one: Incoming) -> list[Settled]:
        """Refuse a command that hit a fault of ours, which may have left its model half changed."""
        async with self._lock:
            work = await self._settle([as_faulty(one)])
            self._let_go(one.address.user)
            await self.flush()
        return work.settled

    async def _apply_alone(self, one: Incoming) -> list[Settled]:
        """Apply what deletes rows between two commits: none may wait to be written after that."""
        await self.flush()
        async with self._lock:
            says_anew = type(one.command) is Restate
            attempt = await self.shard.rewritings.attempt(one.address.user) if says_anew else None
            work = await self._settle([one], attempt)
        await self.flush()
        self.waiting.marks.drop()
        self._let_go(one.address.user)
        address_of.cache_clear()
        return work.settled

    async def _apply_carefully(self, one: Incoming) -> list[Settled]:
        """Apply and commit one command; refuse it if SQLite refuses its rows. Raises what else SQLite raises."""
        try:
            return await self._apply_and_commit(one)
        except Unwritable as error:
            log.exception("rows_refused", partition=self.number, seq=one.message.seq, error=str(error))
            return await self._apply_and_commit(as_faulty(one))

    async def _apply_and_commit(self, one: Incoming) -> list[Settled]:
        async with self._lock:
            work = await self._settle([one])
            try:
                while await self.commit() is not None:
                    """Commit all of it."""
            except BaseException:
                self._let_go(one.address.user)
                self.waiting.undo()
                self.level.look_again()
                raise
        return work.settled

    async def _settle(self, incoming: list[Incoming], attempt: Attempt | None = None) -> Settling:
        keys = [key_of(one) for one in incoming]
        doubtful = self.shard.repeats.doubtful(keys)
        # What waits now may be committed by the time that it is needed, and then waits no longer.
        known = {key: first for key in doubtful if (first := self.waiting.outcome(key)) is not None}
        stored = [key for key in doubtful if key not in known]
        known |= await self.shard.known_commands(stored) if stored else {}
        actors = await self._actors_of(incoming)
        work = Settling(self.waiting, actors, known, self.shard, attempt)
        try:
            await drive(work.settle(incoming, keys), self._meet_command)
        except Exception:
            # What has been applied is to be said first; the failure comes again with the next attempt.
            if not work.settled:
                raise
        for actor in actors.values():
            if actor.model is not None:
                self._actives.activate(self.number, actor)
            else:
                self._actives.passivate(self.number, actor.user)
        return work

    async def _meet_command(self, need: list[Read] | Follow) -> list[Found] | list[Followed]:
        """Read what a command needs, and see that it can be read: else the shard is to blame, not the command."""
        if isinstance(need, Follow):
            return await self.stored.follow(need)
        found = await self.stored.read(need)
        try:
            for each in found:
                decode_evidence(each.bodies)
        except ValueError as error:
            raise self.shard.doubted(error) from error
        return found

    async def _actors_of(self, incoming: list[Incoming]) -> dict[str, LiveModel]:
        actors: dict[str, LiveModel] = {}
        missing: list[str] = []
        for user in {one.address.user for one in incoming}:
            actor = self.active(user)
            if actor is None:
                missing.append(user)
            else:
                actors[user] = actor
        if missing:
            actors |= await self._load(missing)
            for user in sorted(set(missing) - actors.keys()):
                actors[user] = self._unknown(person_mark(user))
        return actors

    async def _load(self, users: list[str]) -> dict[str, LiveModel]:
        loaded = await self.shard.load(users)
        return {user: LiveModel(user, one.key, one.model, one.log_sum, one.state_sum) for user, one in loaded.items()}

    def _let_go(self, user: str) -> None:
        """Drop a model that must be loaded anew."""
        self._actives.passivate(self.number, user)
        self.waiting.drop_model(user)

    def _wake(self) -> None:
        waiting, self._advanced = self._advanced, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


def _together(incoming: list[Incoming]) -> int:
    """Say how many of the first messages may be applied together."""
    for index, one in enumerate(incoming):
        if type(one.command) in STAND_ALONE or one.level is not None:
            return index
    return len(incoming)


def _makes_a_model(command: Command | None) -> bool:
    """Tell whether a command is for somebody who has no model."""
    return type(command) is MakeModel or (type(command) is PutPreferences and command.make is not None)


def _raise(error: BeyondLevelError) -> None:
    raise error


def _leaves() -> Transient:
    return Transient(Code.UNAVAILABLE, "the partition leaves this worker")
