"""Sharing the partitions with other workers: serve what is this worker's by what all of them say of themselves.

Every worker computes the same placement of the same words (`actors.placement`), and what follows from it for itself
(`actors.moving`). This makes it so: it adds, removes, and changes who is the primary, and says what has come of it.
"""

import asyncio
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final, Protocol

import msgspec

from actors.levels import LevelsMet, level_of, may_serve
from actors.moving import Announced, Duties, decide
from actors.placement import Host, Placement, place
from actors.share import Share
from bus import lines
from bus.connection import Bus
from bus.holders import ERASED, as_text
from bus.lines import LoggedPlacement
from bus.logger import get_logger
from bus.micro import WORKER_SERVICE, MicroService, ServiceEndpoint
from bus.operator_subjects import worker_subject
from bus.retrying import RETRY_S
from bus.subjects import ASK_QUEUE, query_subject_of
from bus.wire import Listening
from bus.workers import ALONE_BEAT_S, BEAT_S, KNOWN_AGAIN_S, Order, Workers, WorkerWord, as_bits, from_bits
from schemas.errors import SetupError, Transient

log = get_logger(__name__)

MOVES_AT_ONCE: Final = 4
"""Partitions that a worker takes over from others at the same time. What nobody answers for is not bounded by that."""

SETTLE_S: Final = 1.0
"""Seconds that a worker waits when it starts beside others: of those that start together each then knows all."""

YOUNG_S: Final = 10.0
"""Seconds after its start in which a worker leaves at once to others what it does not answer for yet. Workers that
start one after the other would otherwise read the same from the log. Later too much would be done for nothing."""

LOOK_AT_LEAST_EVERY_S: Final = 0.25


class SameWorkerError(SetupError):
    """Two workers run with the same identity."""


class Serves(Protocol):
    """What is needed of a worker."""

    @property
    def partitions(self) -> list[int]: ...

    @property
    def answering(self) -> frozenset[int]: ...

    @property
    def levels(self) -> LevelsMet: ...

    @property
    def erased(self) -> dict[int, int]: ...

    async def add(self, number: int, *, primary: bool = True) -> None: ...

    async def remove(self, number: int) -> None: ...

    async def set_primary(self, number: int, primary: bool) -> None: ...

    async def discard(self, number: int) -> None: ...


class Sharing:
    """Serves what is this worker's, from `run` until that is cancelled. `leave` hands all over first."""

    def __init__(self, bus: Bus, worker: Serves, partitions: int, share: Share) -> None:
        self._bus = bus
        self._worker = worker
        self._partitions = partitions
        self._share = share
        self._word = share.word
        self._begun_at = float("inf")
        self._said: tuple[WorkerWord | None, float] = (None, float("-inf"))
        self._known_at = float("-inf")
        self.workers = Workers(bus)
        self.workers.on_change.append(self._look_again)
        self._changed = asyncio.Event()
        self._adding: dict[int, asyncio.Task[None]] = {}
        self._changing: dict[int, asyncio.Task[None]] = {}
        """Partitions that are removed, or whose primary comes or goes."""
        self._primary: set[int] = set()
        self._left_over = set(range(partitions))
        """Of these an earlier run may have left files, and nobody here needs them so far."""
        self._placed: tuple[tuple[tuple[Host, ...], int], Placement] | None = None
        self._failed: BaseException | None = None
        self._level = 0
        """The level that was noted last."""
        self._settled = asyncio.Event()
        self._left = asyncio.Event()
        self._leaving = False
        self._listening: Listening | None = None
        self._service = MicroService(
            bus,
            WORKER_SERVICE,
            self._word.id,
            self._word.version or "0.0.0",
            "Applies commands to people's models, and answers asks.",
            [ServiceEndpoint("ask", query_subject_of("*"), ASK_QUEUE)],
            self._metadata,
        )

    async def open(self) -> None:
        """Say that this worker is there, and hear of the others. Raises `Transient`, `ApiError`."""
        self._listening = await self._bus.listen(worker_subject(self._word.id), self._on_order)
        await self._service.open()
        await self.workers.open()
        words = self.workers.present()
        self._say(words)
        if self._others(words):
            await asyncio.sleep(self._share.settle_s)
        self._begun_at = time.monotonic()

    async def run(self) -> None:
        """Serve until cancelled. Raises what the worker cannot go on after."""
        while True:
            self._changed.clear()
            self._look()
            if self._failed is not None:
                raise self._failed
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AT_LEAST_EVERY_S):
                    await self._changed.wait()

    async def settled(self) -> None:
        """Wait until all that is this worker's answers."""
        await self._settled.wait()

    async def leave(self) -> None:
        """Let others take over what is served, if there are any, as `run` goes on. Then say that this one has gone."""
        self._leaving = True
        self._word = msgspec.structs.replace(self._word, draining=True)
        self._look_again()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._share.hand_over_s):
                await self._left.wait()

    async def close(self) -> None:
        """Say that this worker has gone."""
        if self._listening is not None:
            await self._listening.stop()
        await self._service.close()
        await self.workers.close()
        for task in [*self._adding.values(), *self._changing.values()]:
            task.cancel()
        await asyncio.gather(*self._adding.values(), *self._changing.values(), return_exceptions=True)
        await self.workers.withdraw(self._word.id)

    def _has_heirs(self, words: Mapping[str, WorkerWord]) -> bool:
        return any(may_serve(word, level_of(words.values())) for word in self._others(words).values())

    def _look(self) -> None:
        """Do what has become this worker's to do, unless nothing can be known now."""
        if not self._bus.connected:
            return
        words = self.workers.present()
        self._check_alone(words)
        words[self._word.id] = self._own_word()
        self._note_level(words)
        placement = self._placement(words)
        announced = {name: Announced(from_bits(word.ready)) for name, word in words.items()}
        duties = decide(self._word.id, self._held(), placement, announced)
        if self._leaving and not (self._worker.partitions and self._has_heirs(words)):
            self._left.set()
        self._add(duties, placement, announced)
        self._leave(duties)
        self._lead(duties)
        self._note_settled(duties, announced)
        self._say(words)

    def _held(self) -> Collection[int]:
        """Give what is served here and may be needed by somebody until others answer for it."""
        is_young = time.monotonic() - self._begun_at < YOUNG_S
        return self._worker.answering if is_young else self._worker.partitions

    def _check_alone(self, words: Mapping[str, WorkerWord]) -> None:
        word = words.get(self._word.id)
        if word is not None and word.run != self._word.run and word.started > self._word.started:
            self._failed = SameWorkerError(
                f"another worker calls itself {word.id}, too: process {word.pid} on {word.host}",
                "Its data folder is a copy of this one's. Delete shards/worker.json in one of them.",
            )

    def _note_level(self, words: Mapping[str, WorkerWord]) -> None:
        level, newest = level_of(words.values()), self._word.newest_level
        if level != self._level and level > newest:
            what_now = "start a later llum here; until then others serve what would be this worker's"
            log.error("level_not_known", level=level, newest_known=newest, what_now=what_now)
        self._level = level

    def _placement(self, words: Mapping[str, WorkerWord]) -> Placement:
        serving = _serving(words)
        there = [Host(name, word.weight) for name, word in serving.items()]
        away = [Host(name, weight, away=True) for name, weight in self.workers.away().items() if name not in words]
        hosts = tuple(sorted(there + away))
        replicas = max(word.replicas for word in words.values())
        if self._placed is None or self._placed[0] != (hosts, replicas):
            placement = place(self._partitions, hosts, replicas)
            self._placed = ((hosts, replicas), placement)
            mine = sum(1 for one in placement if self._word.id in one)
            lines.write(LoggedPlacement(workers=len(there), away=len(away), replicas=replicas, partitions_here=mine))
            return placement
        return self._placed[1]

    def _add(self, duties: Duties, placement: Placement, announced: Mapping[str, Announced]) -> None:
        """Take what nobody answers for at once, and a few of the others at a time."""
        answered = _answered(announced, self._word.id)
        moving = sum(1 for number in self._adding if number in answered)
        missing = duties.hold - set(self._worker.partitions) - set(self._adding) - set(self._changing)
        for number in sorted(missing, key=lambda number: (number in answered, number)):
            if number in answered:
                if moving >= MOVES_AT_ONCE:
                    return
                moving += 1
            leads = number not in answered and placement[number][:1] == (self._word.id,)
            self._begin(self._adding, number, self._added(number, leads))

    async def _added(self, number: int, leads: bool) -> None:
        if leads:
            self._primary.add(number)
        try:
            await self._worker.add(number, primary=leads)
        except Transient as error:
            # What kind of its own it is cannot be mended by looking again: a file that cannot be opened, say.
            if type(error) is not Transient:
                raise
            # It was removed before it answered, or the bus is away: it is looked again what is to be served.
            self._primary.discard(number)
            await asyncio.sleep(RETRY_S)

    def _leave(self, duties: Duties) -> None:
        for number in set(self._worker.partitions) - duties.hold - set(self._changing):
            self._begin(self._changing, number, self._removed(number))

    async def _removed(self, number: int) -> None:
        """Leave a partition that others serve. Its file goes, too: nobody would erase there whoever is forgotten.

        A worker that ends keeps it: it will most likely be started again in a moment.
        """
        await self._worker.remove(number)
        self._primary.discard(number)
        if not self._leaving:
            await self._worker.discard(number)
        log.info("partition_left", partition=number)

    def _lead(self, duties: Duties) -> None:
        free = self._worker.answering - set(self._changing)
        for number in free:
            if (number in duties.primary) != (number in self._primary):
                self._begin(self._changing, number, self._led(number, number in duties.primary))

    async def _led(self, number: int, leads: bool) -> None:
        await self._worker.set_primary(number, leads)
        (self._primary.add if leads else self._primary.discard)(number)

    def _begin(
        self, tasks: "dict[int, asyncio.Task[None]]", number: int, doing: "asyncio._CoroutineLike[None]"
    ) -> None:
        task = asyncio.get_running_loop().create_task(doing)
        tasks[number] = task
        task.add_done_callback(lambda _: self._ended(tasks, number, task))

    def _ended(self, tasks: "dict[int, asyncio.Task[None]]", number: int, task: "asyncio.Task[None]") -> None:
        del tasks[number]
        error = None if task.cancelled() else task.exception()
        if error is not None and self._failed is None:
            self._failed = error
        self._look_again()

    def _note_settled(self, duties: Duties, announced: Mapping[str, Announced]) -> None:
        """Note when all that is this worker's answers; discard files of an earlier run that others answer for."""
        if duties.hold <= announced[self._word.id].ready:
            self._settled.set()
        self._left_over -= duties.hold
        for number in self._left_over & _answered(announced, self._word.id) - set(self._changing):
            self._left_over.discard(number)
            self._begin(self._changing, number, self._worker.discard(number))

    def _own_word(self) -> WorkerWord:
        levels = self._worker.levels
        self._word = msgspec.structs.replace(
            self._word,
            ready=as_bits(self._worker.answering),
            newest_level=levels.newest,
            met_level=levels.met,
            stopped=as_bits(levels.stopped),
        )
        return self._word

    def _others(self, words: Mapping[str, WorkerWord]) -> dict[str, WorkerWord]:
        return {name: word for name, word in words.items() if name != self._word.id}

    def _say(self, words: Mapping[str, WorkerWord]) -> None:
        """Say what is new at once, and the same again in time for nobody to miss it."""
        word, at = self._said
        beat_s = BEAT_S if self._others(words) else ALONE_BEAT_S
        now = time.monotonic()
        if now - self._known_at >= KNOWN_AGAIN_S or (word is not None and word.draining != self._word.draining):
            self.workers.note_known(self._word)
            self._known_at = now
        if word != self._own_word() or now - at >= beat_s:
            self.workers.say(self._word)
            self._said = (self._word, now)

    def _metadata(self) -> dict[str, str]:
        word = self._own_word()
        return {
            "host": word.host,
            "pid": str(word.pid),
            "partitions": str(len(from_bits(word.ready))),
            "draining": "true" if word.draining else "false",
            ERASED: as_text(self._worker.erased),
        }

    def _look_again(self) -> None:
        self._changed.set()

    def _on_order(self, _subject: bytes, reply: bytes, _headers: bytes, data: bytes) -> None:
        """Take what an operator wants: to drain this worker, or to have it serve again."""
        try:
            order = _order.decode(data)
        except msgspec.DecodeError as error:
            log.warning("order_not_understood", error=str(error))
            return
        try:
            self._share.keep_draining(order.drain)
        except SetupError as error:
            # Whoever has ordered it sees that nothing has changed.
            log.error("order_not_kept", error=str(error))
        else:
            self._word = msgspec.structs.replace(self._word, draining=order.drain or self._leaving)
            self._look_again()
        if reply:
            self._bus.publish_soon(reply, msgspec.json.encode(self._own_word()))


def _serving(words: Mapping[str, WorkerWord]) -> Mapping[str, WorkerWord]:
    """Choose those that are to serve. Where all are drained, or know too little, somebody must all the same."""
    level = level_of(words.values())
    knowing = {name: word for name, word in words.items() if word.newest_level >= level} or words
    return {name: word for name, word in knowing.items() if may_serve(word, level)} or knowing


def _answered(announced: Mapping[str, Announced], me: str) -> set[int]:
    """Give the partitions that others answer for."""
    return {number for name, said in announced.items() if name != me for number in said.ready}


_order: Final = msgspec.json.Decoder(Order)
