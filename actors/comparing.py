"""The copies of a partition tell each other their sums, and whoever is wrong stops answering.

Each holder tells its marks (`actors/marks.py`) as it sets them; the primary sets one each minute, too, so that a
partition of which little is told is compared as well. Where two differ, they wait for what others say and until they
have applied all that is in the log now: if somebody was forgotten, the marks are gone by then, and nothing is wrong.
Then each holder judges by the same rule (`actors/verdict.py`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec

from actors.partition import Partition
from actors.store.digests import made_by
from actors.verdict import Vote, wrong_among
from bus import sums
from bus.connection import Bus
from bus.logger import get_logger
from bus.retrying import Interrupted, Sleep, retrying, sleeping_until
from bus.sums import SumMark, Sums
from bus.wire import Listening

log = get_logger(__name__)

TELL_EVERY_S: Final = 60.0
"""Seconds between two marks that the primary sets if little is told: so long what differs may stay unknown there."""

JUDGED_AFTER_S: Final = 1.0
"""Seconds in which other holders say what they have, before two that differ are judged."""

POLL_S: Final = 0.05
"""Seconds between looks whether all that is in the log has been applied."""

MAX_HOLDERS: Final = 16
"""Other holders that are listened to. There are rarely more than two."""


class DiffersError(Exception):
    """This copy of a partition is not as the others are."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(what)
        self.seq = seq
        """Where that was seen."""


class Comparing:
    """Compares one partition in one worker with the other holders' copies.

    `log_end` gives the last sequence of the partition in the log; `on_wrong` is called when this copy is the wrong one.
    """

    def __init__(
        self,
        bus: Bus,
        partition: Partition,
        first: Sums,
        is_primary: Callable[[], bool],
        log_end: Callable[[], Awaitable[int]],
        on_wrong: Callable[[DiffersError], None],
        sleep: Sleep,
    ) -> None:
        self._bus = bus
        self._partition = partition
        self._marks = partition.waiting.marks
        self._first = msgspec.structs.replace(first, made_by=made_by())
        self._is_primary = is_primary
        self._log_end = log_end
        self._on_wrong = on_wrong
        self._sleep = sleep
        self._others: dict[str, Sums] = {}
        self._heard: dict[str, dict[int, SumMark]] = {}
        """The marks of the other holders."""
        self._wrong: dict[str, str] = {}
        """What is wrong with other holders, for people."""
        self._told: dict[int, object] = {}
        self._judging: dict[int, asyncio.Task[None]] = {}

    @property
    def differs(self) -> str | None:
        """What is wrong with copies that others hold, for people; None: nothing that is known."""
        return "; ".join(self._wrong.values()) or None

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Tell and compare, as long as the block lasts. Begin when all that was in the log has been applied."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            tasks = [task, *self._judging.values()]
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        listening: Listening | None = None
        try:
            listening = await retrying(self._hear, "sums_wait", sleep=self._sleep, partition=self._partition.number)
            self._tell(asks=True)
            waited_s = 0.0
            while True:
                await self._sleep(JUDGED_AFTER_S)
                waited_s += JUDGED_AFTER_S
                if waited_s >= TELL_EVERY_S:
                    waited_s = 0.0
                    if self._is_primary():
                        self._partition.waiting.mark()
                self._tell_new()
        except Interrupted:
            return
        finally:
            if listening is not None:
                await listening.stop()

    async def _hear(self) -> Listening:
        return await sums.hear(self._bus, self._partition.number, self._on_message)

    def _tell(self, *, asks: bool = False) -> None:
        """Tell all marks."""
        self._told = dict(self._marks.kept)
        self._say(list(self._told), asks=asks)

    def _tell_new(self) -> None:
        kept = self._marks.kept
        new = [seq for seq in kept if self._told.get(seq) != kept[seq]]
        if new:
            self._told = dict(kept)
            self._say(new)
            for seq in new:
                self._compare(seq)

    def _say(self, seqs: list[int], *, asks: bool = False) -> None:
        kept = self._marks.kept
        marks = [SumMark(seq, f"{kept[seq].log:032x}", kept[seq].state) for seq in seqs]
        told = msgspec.structs.replace(self._first, primary=self._is_primary(), marks=marks, asks=asks)
        sums.tell(self._bus, self._partition.number, told)

    def _on_message(self, _subject: bytes, _reply: bytes, _headers: bytes, data: bytes) -> None:
        told = sums.decode(data)
        if told is None or told.holder == self._first.holder or not self._is_known(told.holder):
            return
        before = self._others.get(told.holder)
        if before is None or before.life != told.life:
            self._heard[told.holder] = {}
        self._others[told.holder] = told
        if told.stopped is not None:
            self._wrong[told.holder] = told.stopped
        heard = self._heard[told.holder]
        for mark in told.marks:
            heard.pop(mark.seq, None)
            heard[mark.seq] = mark
            self._look_at(mark.seq)
        while len(heard) > len(self._marks.kept) + MAX_HOLDERS:
            del heard[next(iter(heard))]
        if told.asks:
            self._tell()

    def _is_known(self, holder: str) -> bool:
        return holder in self._others or len(self._others) < MAX_HOLDERS

    def _look_at(self, seq: int) -> None:
        """Compare where another holder has set a mark, or set one there, if that is still to be applied."""
        applied_seq = self._partition.applied_seq
        if seq > applied_seq:
            self._marks.want(seq)
        elif seq == applied_seq and seq not in self._marks.kept:
            self._partition.waiting.mark()
            self._tell_new()
        else:
            self._compare(seq)

    def _compare(self, seq: int) -> None:
        votes = self._votes(seq)
        if len({vote.value for vote in votes.values()}) > 1:
            if seq not in self._judging:
                task = self._judging[seq] = asyncio.create_task(self._judge(seq))
                task.add_done_callback(lambda _: self._judging.pop(seq, None))
        elif len(votes) > 1:
            for holder in votes.keys() & self._wrong.keys():
                del self._wrong[holder]

    def _votes(self, seq: int) -> dict[str, Vote]:
        """Give what is said of a sequence by those whose state is made as ours is; nothing if we have no mark there."""
        own = self._marks.kept.get(seq)
        if own is None:
            return {}
        mine = self._first
        votes = {mine.holder: Vote((own.log, own.state), self._is_primary(), mine.anew_until >= seq)}
        for holder, told in self._others.items():
            mark = self._heard[holder].get(seq)
            if mark is not None and told.made_by == mine.made_by:
                votes[holder] = Vote((int(mark.log, 16), mark.state), told.primary, told.anew_until >= seq)
        return votes

    async def _judge(self, seq: int) -> None:
        with suppress(Interrupted):
            self._tell(asks=True)
            await self._sleep(JUDGED_AFTER_S)
            end = await retrying(self._log_end, "sums_wait", sleep=self._sleep, partition=self._partition.number)
            while self._partition.applied_seq < end:
                await self._sleep(POLL_S)
            votes = self._votes(seq)
            for holder in wrong_among(votes) if votes else ():
                self._say_wrong(holder, seq)

    def _say_wrong(self, holder: str, seq: int) -> None:
        number = self._partition.number
        if holder == self._first.holder:
            self._on_wrong(DiffersError(seq, f"partition {number}: at {seq} this copy is not as the others are"))
            return
        self._wrong[holder] = f"partition {number}: the copy of worker {holder} differs at {seq}, and is made anew"
        log.error("replica_differs", partition=number, seq=seq, holder=holder)


async def stopped(bus: Bus, number: int, told: Sums, leaving: asyncio.Event) -> None:
    """Serve nothing, and say so again and again, until the partition is to leave."""
    with suppress(Interrupted):
        while not leaving.is_set():
            sums.tell(bus, number, told)
            await sleeping_until(leaving)(JUDGED_AFTER_S)
