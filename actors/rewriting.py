"""Writing the log of a person anew, after a part of them was forgotten. The primary of the partition does it.

A message of the log cannot be changed, and often holds more than what goes. So what is left of the person is said anew,
as commands of llum's own (`schemas.commands.Restate`), and then all earlier messages of the person are erased:

1. What the person's earlier commands have left in the outbox, leaves: it cannot be made from the log any more.
2. Chunks are written, while the person's apps go on. Each holds the rows behind those of the chunk before. The last one
   is taken by nats-server only if nothing about the person has come since its rows were read; if something has, it is
   made again, with the little that is new. If that happens again and again, outcomes of the partition are held back for
   a moment, and who waits for them sends nothing meanwhile. So apps that tell all the time cannot hold it up for long.
3. The worker has applied the last chunk and the shard is on the disk. The new sum of the log is recorded.
4. The earlier messages are erased, and what other streams hold of the person that may be of the part.

Wherever it is interrupted, the shard says what is still to be done, and a shard that is made anew from the log comes to
the same: whichever of the earlier messages it meets, with the last chunk the person is what the chunks say.
"""

import asyncio
from contextlib import suppress
from typing import Final

import msgspec

from actors.absences import Doubt
from actors.leading import Leading
from actors.partition import Partition
from actors.settling import Settled
from actors.store.part_sql import FIRST_MARKS
from actors.store.restating import Marks
from actors.store.rewritings import Rewriting
from actors.store.shard import Shard
from actors.summing import Summing
from bus import failpoints, subjects
from bus.as_app import new_id
from bus.connection import Bus
from bus.erasing import erase, pages, renew, write_index
from bus.forgotten import PartCommand, Register
from bus.jetstream import WRONG_LAST_SEQUENCE, ApiError, JetStream, Stored
from bus.leases import RENEWING, lease
from bus.logger import get_logger
from bus.retrying import Interrupted, Sleep, retrying
from model.commands import STAND_ALONE
from schemas.apps import RESTATING_APP
from schemas.codec import encode
from schemas.effects import Notice
from schemas.parts import ForgetPart, LeftOver, Restate
from schemas.verbs import verb_of

log = get_logger(__name__)

CHUNK_BYTES: Final = 512 * 1024
"""Bytes of a chunk's rows, about; a larger row is a chunk of its own."""

LOOK_EVERY_S: Final = 0.05
"""Seconds between looks whether something has left."""

APPLIED_POLL_S: Final = 0.005
"""Seconds between looks whether something has been applied, which takes milliseconds."""

HOLD_BACK_AT: Final = 5
"""Attempts at the last chunk after which outcomes are held back: then those who wait for them send less."""

HOLD_BACK_S: Final = 0.1
"""Seconds for which outcomes of the partition are held back then: several times what the last chunk needs."""

APPLIED_WITHIN_S: Final = 60.0
"""Seconds for the last chunk: the shard's file is written anew with it. Then it is looked at what became of it."""

STORED_WITHIN_S: Final = 10.0

_RENEWED: Final = (subjects.REJECTED_STREAM, subjects.DEAD_LETTERS_STREAM)
"""Streams from which nats-server has dropped by itself what may be of the part."""

_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"

_notice: Final = msgspec.json.Decoder(Notice)
_forget_part: Final = msgspec.json.Decoder(ForgetPart)


class Saying:
    """One attempt to say a person anew: its chunks, one after the other."""

    def __init__(self, user: str, chunk_bytes: int | None = None) -> None:
        self.name = new_id()
        self.user = user
        self._chunk_bytes = chunk_bytes or CHUNK_BYTES
        self._marks: Marks = FIRST_MARKS
        self._number = 0
        self._read: Marks = FIRST_MARKS

    async def chunk(self, shard: Shard) -> Restate:
        """Read what comes next. It may be read again until `said` is called."""
        page = await shard.rewritings.page(self.user, self._marks, self._chunk_bytes)
        self._read = page.marks
        return Restate(
            id=f"{self.name}.{self._number}",
            attempt=self.name,
            number=self._number,
            rows=page.rows,
            last=await self._last(shard) if page.is_all else None,
        )

    async def _last(self, shard: Shard) -> LeftOver:
        return await shard.rewritings.left_over(self.user, shard.clock_us, shard.digest_key)

    def said(self) -> None:
        """Go on behind the chunk that was read last."""
        self._marks = self._read
        self._number += 1


class LogRewriting:
    """Writes anew the log of those people of one partition of whom a part was forgotten."""

    def __init__(
        self,
        bus: Bus,
        partition: Partition,
        stream: str,
        summing: Summing,
        sleep: Sleep,
        doubt: Doubt,
    ) -> None:
        """`doubt`: whether somebody may have been forgotten who is in what is held."""
        self._bus = bus
        self._doubt = doubt
        self._jetstream = JetStream(bus)
        self._partition = partition
        self._shard = partition.shard
        self._waiting = partition.shard.rewritings
        self._stream = stream
        self._summing = summing
        self._sleep = sleep
        self._register = Register(bus)
        self.holds_back = False
        """Whether somebody tells so much that outcomes are to be held back for a moment."""
        self._work = asyncio.Event()
        self.leading = Leading(self._run)

    async def before_speaking(self, settled: Settled) -> None:
        """Look whether a part of somebody was forgotten. Hold outcomes back for a moment if that is needed."""
        if type(settled.incoming.command) in STAND_ALONE:
            self._work.set()
        if self.holds_back:
            await self._sleep(HOLD_BACK_S)

    async def _run(self) -> None:
        self._work.set()
        with suppress(Interrupted):
            while True:
                await self._work.wait()
                self._work.clear()
                await retrying(
                    self._rewrite_all,
                    "log_not_rewritten",
                    on=(Exception,),
                    sleep=self._sleep,
                    partition=self._partition.number,
                )

    async def _rewrite_all(self) -> None:
        for one in await self._waiting.all():
            await self._rewrite(one)

    async def _rewrite(self, one: Rewriting) -> None:
        await self._until_left(one)
        if one.kept is None:
            await self._say_anew(one.user)
            # Who is said anew is in the list again, to be erased.
            self._work.set()
            return
        failpoints.reached("said_anew")
        await self._record(one)
        await self._summing.record_at_once()
        failpoints.reached("sum_recorded")
        erased = await self._erase_log(one, one.kept)
        await self._erase_effects(one)
        await self._waiting.end(one)
        log.info("log_rewritten", user=one.user, seq=one.seq, erased=erased, partition=self._partition.number)

    async def _record(self, one: Rewriting) -> None:
        """Record which parts were forgotten, so that an older backup forgets them, too. The log still has it."""
        subject = subjects.log_subject(self._partition.number, one.user, "*", verb_of(ForgetPart))
        async for page in pages(self._jetstream, self._stream, subject, is_whole=True):
            for message in page:
                if message.seq <= one.seq and (command := _part_command(message)) is not None:
                    await self._register.record_part(command)

    async def _until_left(self, one: Rewriting) -> None:
        while await self._waiting.leaves(one.user, one.seq):
            await self._sleep(LOOK_EVERY_S)

    async def _say_anew(self, user: str) -> None:
        """Write all that is left of a person into the log. Returns when it has been applied, or counts for nothing."""
        attempt, stored, tries = Saying(user), None, 0
        try:
            while stored is None and await self._waiting.waits(user):
                chunk = await attempt.chunk(self._shard)
                if chunk.last is None:
                    await self._store(user, chunk)
                    attempt.said()
                    failpoints.reached("chunk_said")
                else:
                    stored = await self._end(attempt)
                    tries += 1
                    self.holds_back = tries >= HOLD_BACK_AT
        finally:
            self.holds_back = False
        if stored is not None:
            failpoints.reached("chunk_said")
            await self._until_committed(stored)

    async def _end(self, attempt: Saying) -> int | None:
        """Store the last chunk, and give its sequence; None: something about the person has come meanwhile."""
        last_seq = await self._committed_up_to(attempt.user)
        chunk = await attempt.chunk(self._shard)
        # Whoever has been forgotten by then is not said anew.
        if chunk.last is None or not await self._waiting.waits(attempt.user):
            return None
        return await self._store(attempt.user, chunk, last_seq)

    async def _committed_up_to(self, user: str) -> int:
        """Wait until all about a person that is in the log now is in the shard, and give the last sequence of it."""
        last = await self._jetstream.last(self._stream, self._subjects(user))
        last_seq = 0 if last is None else last.seq
        await self._until_committed(last_seq)
        return last_seq

    async def _until_committed(self, seq: int) -> None:
        async with asyncio.timeout(APPLIED_WITHIN_S):
            while self._partition.applied_seq < seq:
                await self._sleep(APPLIED_POLL_S)
        await self._partition.flush()

    async def _store(self, user: str, chunk: Restate, last_seq: int | None = None) -> int | None:
        """Store a chunk, and give its sequence; None: something about the person has come after `last_seq`."""
        expected = {}
        if last_seq is not None:
            expected = {_EXPECTED: str(last_seq), f"{_EXPECTED}-Subject": self._subjects(user)}
        subject = subjects.log_subject(self._partition.number, user, RESTATING_APP, verb_of(chunk))
        await self._doubt.over()
        try:
            return await self._jetstream.publish(subject, encode(chunk), expected, STORED_WITHIN_S)
        except ApiError as error:
            if error.err_code == WRONG_LAST_SEQUENCE:
                return None
            raise

    async def _erase_log(self, one: Rewriting, kept: frozenset[int]) -> int:
        def is_old(message: Stored) -> bool:
            return message.seq not in kept

        def go_on(_erased: int) -> bool:
            failpoints.reached("erasing")
            return True

        count = await erase(self._bus, self._stream, self._subjects(one.user), one.seq, is_old, go_on)
        await write_index(self._bus, self._stream)
        return count

    async def _erase_effects(self, one: Rewriting) -> None:
        """Erase what is beside the log, and what nats-server keeps of it, while nobody else writes these streams anew.

        Else what they have just read would be there again. A replica that is behind may hide some of it when it is
        erased: that is not written anew.
        """
        gone = (subjects.rejected_subject(one.user, ""), subjects.dead_letter_subject(one.user, ""))
        async with lease(self._bus, RENEWING) as held:
            await self._erase_messages(one)
            for stream in _RENEWED:
                await renew(self._bus, stream, lambda message: message.subject.startswith(gone), held.check)

    async def _erase_messages(self, one: Rewriting) -> None:
        """Erase what was refused, notices of what went, and those that were given up."""
        reduced = await self._waiting.reduced(one.user)

        def is_of_part(message: Stored) -> bool:
            try:
                return _notice.decode(message.data).seq in reduced
            except msgspec.DecodeError:
                return True

        user = one.user
        await erase(self._bus, subjects.REJECTED_STREAM, subjects.rejected_subject(user, "*"))
        await erase(self._bus, subjects.DEAD_LETTERS_STREAM, subjects.dead_letter_subject(user, ">"))
        await erase(self._bus, subjects.EFFECTS_STREAM, subjects.notice_subject("*", user, ">"), which=is_of_part)
        for stream in (subjects.EFFECTS_STREAM, subjects.SCHEDULES_STREAM):
            await write_index(self._bus, stream)

    def _subjects(self, user: str) -> str:
        """Match all about a person in this partition."""
        return subjects.log_subject(self._partition.number, user, "*", "*")


def _part_command(message: Stored) -> PartCommand | None:
    """Read what forgot a part; None: it was no whole command, and was refused. So are those of apps that may not."""
    address = subjects.parse_address(message.subject)
    try:
        command = _forget_part.decode(message.data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return PartCommand(address.user, address.app, message.data, command.id)
