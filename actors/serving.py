"""One partition's life in a worker: it is restored, catches up, answers, and leaves when it is told to.

Any number of workers may hold the same partition. All apply and answer the same; its primary relays what leaves it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from actors.announce import Announcer
from actors.answers import Answers, Condition
from actors.asked import AskRecord
from actors.asks import Asks
from actors.at_once import AtOnce
from actors.committing import Committing
from actors.comparing import DiffersError
from actors.effects.relaying import Relay
from actors.erasing import Erasing, OutdatedError
from actors.figures import PartitionFigures
from actors.ground import Ground
from actors.known_cuts import BehindCutError
from actors.levels import BeyondLevelError
from actors.pace import Pace
from actors.partition import Partition
from actors.primary_work import PrimaryWork
from actors.rejoining import rejoining
from actors.restoring import Restoring
from actors.same_log import OtherLogError, check_same_log
from actors.settling import Settled
from actors.store.batch import Unwritable
from actors.store.damage import ShardDamaged
from actors.store.digests import Landmark
from actors.store.shard import Shard
from actors.summing import Summing
from actors.upkeep import FIRST, Anew, Upkeep
from bus import checkpoints
from bus.log import LogMessage, last_sequences, log_end
from bus.retrying import Interrupted, retrying, sleeping_until
from bus.subjects import log_stream_of
from model.commands import STAND_ALONE

ServingFault = (
    ShardDamaged | Unwritable | OtherLogError | DiffersError | OutdatedError | BeyondLevelError | BehindCutError
)
"""What ends the serving of a shard, and is not the end of the partition's life here."""

IN_HAND_POLL_S = 0.01
"""Seconds between looks whether the batch in hand has been applied, which takes milliseconds."""


class Serving:
    """A partition as this worker serves it. `live` is its life, `leave` ends it.

    `answers` is set once asks are answered. Up to the sequence `careful_until` each command is committed by itself.
    """

    def __init__(
        self,
        number: int,
        ground: Ground,
        primary: bool,
        answers: asyncio.Event,
        careful_until: int = 0,
        anew: Anew = FIRST,
    ) -> None:
        self.number = number
        self.answers = answers
        self.has_answered = False
        self.applied_seq = -1
        """How far it has got; -1 until it is restored."""
        self._ground = ground
        self._stream = log_stream_of(number, ground.log_streams)
        self._primary = primary
        self._mailbox = ground.mailroom.open(number)
        self._target_seq = 0
        """The last message of the partition when it joined: it has caught up from there on."""
        self._caught_up = asyncio.Event()
        self._in_hand = False
        """Whether a batch has been taken that is not yet applied and spoken of."""
        self._pace = Pace()
        self._fault: ServingFault | None = None
        self._careful_until = careful_until
        self._anew = anew
        self._partition: Partition | None = None
        self._summing: Summing
        self._upkeep: Upkeep | None = None
        self._erasing: Erasing
        self._record: AskRecord
        self._relay: Relay | None = None
        self._work: PrimaryWork | None = None
        self._announcer = Announcer(ground.bus, number, ground.may_answer, ground.listeners if primary else None)
        self._leaving = asyncio.Event()
        self._sleep = sleeping_until(self._leaving)

    @property
    def figures(self) -> PartitionFigures:
        """How it stands, in numbers."""
        partition, answers = self._partition, self.answers.is_set() and self.has_answered
        return PartitionFigures(
            number=self.number,
            is_primary=self._primary,
            answers=answers,
            is_lost=answers and self._summing.differs is not None,
            applied_seq=-1 if partition is None else partition.applied_seq,
            committed_seq=-1 if partition is None else partition.committed_seq,
            applied=0 if partition is None else partition.waiting.applied,
            waiting=len(self._mailbox.waiting),
            uncommitted=0 if partition is None else partition.waiting.total,
            effects_waiting=0 if self._relay is None else self._relay.waiting,
            erased_seq=0 if partition is None else partition.shard.erased_seq,
        )

    async def live(self) -> None:
        """Live until told to leave. Raises what ends it before, a `ServingFault` among it."""
        try:
            await self._live()
        except Exception as error:
            if self._fault is None:
                raise
            raise self._fault from error
        finally:
            self.answers.clear()
        if self._fault is not None:
            raise self._fault

    async def _live(self) -> None:
        ground = self._ground
        async with self._restored() as partition:
            self._partition = partition
            committing = Committing(partition, ground.bound, ground.writing, self._sleep, ground.counters)
            committing.on_refused = self._stop_for
            summing = self._summing = await Summing.of(ground.bus, partition, self._sleep)
            self._erasing = Erasing(ground.bus, partition, self._stream, ground.cuts, self._sleep)
            self._erasing.on_outdated = self._stop_for
            self._doubt = self._erasing.doubt(ground.absences)
            self._record = AskRecord(ground.bus, partition, ground.recording, self._sleep, self._erasing)
            async with (
                committing.going_on(),
                summing.going_on(lambda: self._primary and self._fault is None),
                self._applying(partition, committing),
                rejoining(
                    ground.bus, self.number, self._stop_reading, lambda: self._join_again(partition), self._sleep
                ),
            ):
                await self._caught_up.wait()
                if not self._leaving.is_set():
                    summing.compare()
                    with suppress(Interrupted):
                        await self._erasing.check()
                    self._upkeep = Upkeep(
                        ground, partition, self._anew, lambda: self._primary, self._stop_for, self._sleep
                    )
                    async with (
                        self._upkeep.going_on(),
                        self._erasing.going_on(),
                        self._record.going_on(),
                        self._relaying(partition, committing),
                        self._leading(partition),
                        self._answering(partition),
                    ):
                        await self._leaving.wait()

    def _stop_for(self, fault: ServingFault) -> None:
        """Leave because of what is wrong with the shard or its rows, or because it is not of this log."""
        self._fault = self._fault or fault
        self.leave()

    async def scrub(self) -> str | None:
        """Read the whole shard, slowly, and give what is wrong with it: then it is made anew. None: nothing is."""
        return None if self._upkeep is None or not self.answers.is_set() else await self._upkeep.scrub()

    async def flush(self) -> None:
        """Have all that is applied now on the disk. Raises `Interrupted` when the partition leaves."""
        if self._partition is not None:
            await self._partition.flush()

    def leave(self) -> None:
        """Finish the batch in hand, and end. The rest stays in the log."""
        self._leaving.set()
        self._caught_up.set()
        self._mailbox.arrived.set()
        self._ground.bound.look_again()

    async def set_primary(self, primary: bool) -> None:
        """Relay from now on what leaves the partition, or no longer. Returns when the role before has ended."""
        self._primary = primary
        self._announcer.listeners = self._ground.listeners if primary else None
        if self._relay is not None:
            await self._relay.become(primary)
        if self._work is not None:
            await self._work.become(primary)

    @asynccontextmanager
    async def _restored(self) -> AsyncIterator[Partition]:
        """Have the shard open, and the log read from where it ends."""
        ground, number = self._ground, self.number
        async with AsyncExitStack() as exits:
            exits.callback(ground.mailroom.close, number)
            with ground.readers.gathering():
                restoring = Restoring(ground, number, lambda one: self._check_log(one.last, one))
                shard = await restoring.open()
                shard.on_damage = self._stop_for
                exits.push_async_callback(shard.close)
                relayed = await checkpoints.read(ground.bus, number)
                await self._join(shard.committed_seq)
            exits.callback(ground.actives.passivate_all, number)
            exits.callback(ground.readers.leave, number)
            # At the end nobody waits for what this worker does not see any more.
            exits.callback(self._announcer.chains.close)
            partition = Partition(
                number, shard, ground.actives, relayed, ground.bound, self._careful_until, ground.levels
            )
            partition.on_beyond = self._stop_for
            if self._anew.seen_at > partition.applied_seq:
                partition.waiting.marks.want(self._anew.seen_at)
            yield partition

    async def _check_log(self, last: Landmark | None, keeper: Shard | Partition) -> None:
        """Raise `OtherLogError` unless the log has the last command, as far as that can be known."""
        ground, kept = self._ground, keeper.kept_below(0 if last is None else last.seq)
        await ground.cuts.look()
        cut_seq = ground.cuts.cut_of(self._stream)
        await check_same_log(ground.bus, self._stream, self.number, last, kept, ground.digests, cut_seq)

    async def _join_again(self, partition: Partition) -> None:
        """Read on from where we are, or leave because it is another log. Raises what keeps that from being told now."""
        await self._until_in_hand_is_applied()
        with self._ground.readers.gathering():
            try:
                await self._check_log(partition.waiting.last, partition)
            except OtherLogError as error:
                self._stop_for(await self._erasing.instead_of(error))
            else:
                if not await self._lacks_what_was_cut(partition):
                    await self._join(partition.applied_seq)
                    self._note_progress(partition)

    async def _until_in_hand_is_applied(self) -> None:
        while self._in_hand:
            await self._sleep(IN_HAND_POLL_S)

    def _stop_reading(self) -> None:
        """Read nothing more of the partition, and drop what was read and is not in hand: it will be read again."""
        self._ground.readers.leave(self.number)
        self._ground.mailroom.drop(self.number)

    async def _join(self, applied_seq: int) -> None:
        """Have the partition read from its own place.

        One that has everything is read from the end: it must not make us read the log again because it is idle.
        """
        ground, number = self._ground, self.number
        end, is_empty = await log_end(ground.bus, self._stream)
        last = {number: 0} if is_empty else await last_sequences(ground.bus, [number], ground.log_streams)
        target_seq = last[number]
        end = max(end, target_seq)
        ground.readers.join(number, applied_seq + 1 if applied_seq < target_seq else end + 1, end)
        self._target_seq = self._announcer.joined_at_seq = target_seq
        if not applied_seq and target_seq:
            ground.log_examiner.examine(self._stream)

    @asynccontextmanager
    async def _applying(self, partition: Partition, committing: Committing) -> AsyncIterator[None]:
        """Have what is read applied. If that breaks, the partition leaves."""
        task = asyncio.create_task(self._apply_arrivals(partition, committing))
        task.add_done_callback(lambda _: self.leave())
        try:
            yield
        finally:
            self.leave()
            await task

    async def _apply_arrivals(self, partition: Partition, committing: Committing) -> None:
        self._note_progress(partition)
        bound, note = self._ground.bound, partial(self._note_applied, partition)
        self._mailbox.at_once = AtOnce(partition, self._announcer, committing, bound, self._is_free, note).take
        # Looked at after each batch, too: taking one may clear the sign that `leave` has set.
        while not self._leaving.is_set():
            await self._mailbox.arrived.wait()
            self._pace.begin()
            while not self._ground.bound.has_room and not self._leaving.is_set():
                await self._ground.bound.change()
            if self._leaving.is_set():
                return
            await self._apply_and_compare(partition, committing, self._mailbox.take())
            self._note_applied(partition)

    def _is_free(self) -> bool:
        """Say whether what arrives may be applied at once: nothing is in hand or to be compared, and we stay."""
        has_caught_up = self._caught_up.is_set() and self._summing.has_compared
        is_held_back = self._work is not None and self._work.holds_back
        is_free = has_caught_up and not self._in_hand and not self._leaving.is_set() and not is_held_back
        return is_free and self._ground.cuts.is_fresh and self.applied_seq >= self._ground.cuts.need(self.number)

    async def _apply_and_compare(self, partition: Partition, committing: Committing, batch: list[LogMessage]) -> None:
        parts = self._summing.parts(batch)
        await self._apply(partition, committing, parts[0])
        for part in parts[1:]:
            if self._leaving.is_set():
                return
            self._summing.compare()
            await self._apply(partition, committing, part)

    async def _apply(self, partition: Partition, committing: Committing, batch: list[LogMessage]) -> None:
        """Apply a batch. The messages are in the log and in our hands: try until the disk gives what it needs."""

        async def speak(settled: list[Settled]) -> None:
            if type(settled[0].incoming.command) in STAND_ALONE:
                # The log loses the person's commands as soon as that is said, and the record its rows.
                await self._summing.record_at_once()
                await self._record.look_at(settled[0])
                await self._erasing.look_at(settled[0])
            if self._work is not None:
                await self._work.before_speaking(settled[0])
            committing.look(at_once=await self._announcer.announce(settled))

        self._in_hand = True
        try:
            if await self._lacks_what_was_cut(partition):
                return
            await retrying(
                lambda: partition.apply(batch, speak),
                "batch_not_applied",
                on=(Exception,),
                sleep=self._sleep,
                trace=True,
                partition=self.number,
            )
            committing.look()
        except Interrupted:
            return
        finally:
            self._in_hand = False
            self._ground.mailroom.done(batch)

    async def _lacks_what_was_cut(self, partition: Partition) -> bool:
        """Tell whether the log may have been cut before what has just been read. Raises `Interrupted`."""
        try:
            await self._ground.cuts.check(self.number, partition.applied_seq, self._sleep)
        except BehindCutError as error:
            self._stop_for(error)
        return self._fault is not None

    def _state(self) -> Condition:
        """Say how it stands."""
        differs = None if self._upkeep is None else self._upkeep.differs
        pauses = self._pace.pauses_because(self._ground.bound.failure, bool(self._in_hand or self._mailbox.waiting))
        return Condition(pauses, self._summing.differs, self._pace.idle_s, differs)

    def _note_applied(self, partition: Partition) -> None:
        self._pace.end()
        self._note_progress(partition)

    def _note_progress(self, partition: Partition) -> None:
        self.applied_seq = partition.applied_seq
        if partition.applied_seq >= self._target_seq:
            self._caught_up.set()

    @asynccontextmanager
    async def _relaying(self, partition: Partition, committing: Committing) -> AsyncIterator[None]:
        """Have what leaves the partition relayed by the primary, or dropped when another one has."""
        relay = self._relay = self._ground.relaying.relay(partition, self._announcer.chains, self._doubt)
        committing.on_entries = relay.wake
        try:
            await relay.become(self._primary)
            yield
        finally:
            self._relay = None
            await relay.close()

    @asynccontextmanager
    async def _leading(self, partition: Partition) -> AsyncIterator[None]:
        """Have done what the primary does."""
        self._work = PrimaryWork(self._ground, partition, self._stream, self._summing, self._erasing, self._sleep)
        async with self._work.going_on(self._primary):
            yield

    @asynccontextmanager
    async def _answering(self, partition: Partition) -> AsyncIterator[None]:
        """Have asks answered. At the end none is left: what cannot be answered any more is told so."""
        ground = self._ground
        answers = Answers(partition, time.time, self._read_position, ground.resolvers, self._state, self._record.read)
        asks = Asks(ground.bus, self.number, answers, ground.slow_asks, self._doubt)
        try:
            with suppress(Interrupted):
                await asks.open(self._sleep)
                self.answers.set()
                self.has_answered = True
            yield
        finally:
            await asks.stop()
            partition.leave()
            await asks.finish()

    def _read_position(self) -> int:
        """Give a sequence up to which the partition has nothing that is not applied."""
        waits = self._mailbox.waiting or self._in_hand
        return 0 if waits else self._ground.readers.position(self.number)
