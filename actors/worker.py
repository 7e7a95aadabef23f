"""A worker: a set of partitions that come and go."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from actors.absences import Absences
from actors.effects.relaying import Relaying
from actors.figures import Counters, WorkerFigures
from actors.ground import Ground
from actors.levels import LevelsHere, LevelsMet
from actors.life import Life
from actors.listeners import Listeners
from actors.live import ActiveModels
from actors.mailbox import Mailroom
from actors.share import Share
from actors.sharing import Sharing
from actors.snapshotting import USUAL_POLICY, SnapshotPolicy
from actors.store.digests import Digests
from bus.aside import remove_old, remove_shard
from bus.connection import Bus
from bus.logger import get_logger
from bus.readers import LogReaders
from bus.retrying import Interrupted
from bus.secret import DIGEST_KEY, secret
from identity.inboxes import WatchedInboxes
from model.resolvers.registry import Resolvers
from model.resolvers.summaries import SHIPPED
from schemas.errors import Code, Transient
from schemas.levels import Levels
from schemas.time_zones import UTC

log = get_logger(__name__)


PROGRESS_EVERY_S = 1.0
"""Seconds between two words about a start that takes long."""

CLEAR_ASIDE_EVERY_S = 3600.0
"""Seconds between two looks for shards that were set aside long ago."""

SCRUB_EVERY_S = 24 * 3600.0
"""Seconds between two scrubs of a shard, unless the operator sets another number."""

DRAIN_WITHIN_S = 20.0
"""Seconds that partitions may take to leave; `llum up` does not wait for so long."""


class _Held(NamedTuple):
    life: Life
    task: "asyncio.Task[None]"


class Worker:
    """Serves the partitions that were added and not removed, until `drain`. Make one with `open`.

    Other workers may hold the same partitions. For each, one of them should be told that it is the primary: two would
    relay the same twice, under the same ids; without one, what leaves the partition waits.
    """

    def __init__(self) -> None:
        self._held: dict[int, _Held] = {}
        self._failed: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()
        self._ground: Ground
        self._inboxes: WatchedInboxes
        self._looking: asyncio.Task[NoReturn]

    @classmethod
    async def open(
        cls,
        bus: Bus,
        *,
        shard_dir: Path,
        log_streams: int,
        max_active_models: int,
        resolvers: Resolvers = SHIPPED,
        allow_private_webhooks: bool = False,
        time_zone: str = UTC,
        snapshots: SnapshotPolicy = USUAL_POLICY,
        levels: Levels | None = None,
        log_days: int = 0,
    ) -> "Worker":
        """Make a worker that serves nothing yet. Raises `Transient`.

        `time_zone` is that of people who have set none. `levels`: what is known of them, and where partitions begin.
        `log_days` of the log are kept; 0: all of it.
        """
        await asyncio.to_thread(shard_dir.mkdir, parents=True, exist_ok=True)
        worker = cls()
        mailroom = Mailroom(lambda: readers.wake())
        readers = LogReaders(bus, log_streams, mailroom.deliver, mailroom.room, worker._fail)
        counters = Counters()
        relaying = await Relaying.open(bus, resolvers, allow_private_webhooks, time_zone, worker._fail, counters)
        actives = ActiveModels(max_active_models)
        digests = Digests(await secret(bus, DIGEST_KEY))
        worker._inboxes = WatchedInboxes(bus)
        may_answer = (await worker._inboxes.open()).may_answer
        listeners = await Listeners.open(bus)
        worker._ground = Ground(
            bus,
            shard_dir,
            log_streams,
            resolvers,
            actives,
            readers,
            mailroom,
            relaying,
            digests,
            may_answer,
            listeners,
            counters,
            Absences(lambda: bus.connected),
        )
        worker._ground.snapshots, worker._ground.log_days = snapshots, log_days
        worker._ground.levels = LevelsHere(levels)
        worker._looking = asyncio.create_task(worker._ground.cuts.look_again_and_again())
        return worker

    @property
    def partitions(self) -> list[int]:
        """Name the partitions that are served or about to be."""
        return sorted(self._held)

    @property
    def answering(self) -> frozenset[int]:
        """Name the partitions whose asks are answered."""
        return frozenset(number for number, held in self._held.items() if held.life.answers.is_set())

    @property
    def erased(self) -> dict[int, int]:
        """Say by partition which erasure was applied last and is on the disk; 0: none."""
        return {figures.number: figures.erased_seq for figures in self.figures.partitions}

    @property
    def levels(self) -> LevelsMet:
        """Say which levels are known and met here, and what has stopped for one that is not known."""
        return self._ground.levels.met

    @property
    def progress(self) -> str:
        """Say how far partitions have got that do not answer yet. It changes as long as one of them gets on."""
        lives = [held.life for held in self._held.values()]
        waiting = [life.serving for life in lives if not life.answers.is_set()]
        restored = [one.applied_seq for one in waiting if one.applied_seq >= 0]
        return (
            f"{len(lives) - len(waiting)} of {len(lives)} partitions answer, {len(restored)} others are open and "
            f"have applied the log up to {sum(restored)} in sum"
        )

    @property
    def figures(self) -> WorkerFigures:
        """How this worker stands, in numbers."""
        ground = self._ground
        return WorkerFigures(
            partitions=[held.life.figures for held in self._held.values()],
            active_models=len(ground.actives),
            uncommitted=ground.bound.messages,
            uncommitted_bytes=ground.bound.size,
            commits_fail=ground.bound.failure is not None,
            counters=ground.counters,
        )

    async def add(self, number: int, *, primary: bool = True) -> None:
        """Serve a partition. Returns when it answers: it has then applied all that was in the log.

        Those that are added at the same time are caught up with together. Raises `ShardError` when its file cannot be
        opened, `ShardTooNewError` when a later llum has written it, `Transient` when the bus fails or it is removed
        before it answers. The others go on in any case.
        """
        if number in self._held:
            raise ValueError(f"partition {number} is served already")
        life = Life(number, self._ground, primary)
        task = asyncio.create_task(life.live())
        self._held[number] = _Held(life, task)
        self._ground.counters.partitions_added += 1
        task.add_done_callback(lambda _: self._ended(life, task))
        try:
            with self._ground.beside.starting():
                await self._until_it_answers(life, task)
            life.has_answered = True
        except asyncio.CancelledError:
            await self.remove(number)
            raise

    async def remove(self, number: int) -> None:
        """Serve a partition no longer. Returns when it has left: it has finished what was in hand and let all go.

        Does nothing when it is not served.
        """
        held = self._held.get(number)
        if held is not None:
            held.life.leave()
            await asyncio.wait([held.task])

    async def set_primary(self, number: int, primary: bool) -> None:
        """Be the primary of a served partition, or no longer. Returns when this worker relays nothing more of it.

        Make another worker the primary only after that, so that nothing is relayed twice.
        """
        await self._held[number].life.set_primary(primary)

    async def discard(self, number: int) -> None:
        """Delete what is on the disk of a partition that is not served here: it is made anew from the log."""
        if number not in self._held:
            await asyncio.to_thread(remove_shard, self._ground.shard_of(number))

    async def drain(self) -> None:
        """Remove all partitions, and end."""
        await asyncio.gather(*(self.remove(number) for number in self.partitions))
        self._looking.cancel()
        await self._ground.readers.close()
        await self._ground.relaying.close()
        await self._ground.listeners.close()
        self._inboxes.close()
        self._ground.absences.close()
        self._failed.cancel()

    async def examine_log(self) -> NoReturn:
        """Say what the log has lost, whenever shards were made anew from it."""
        await self._ground.log_examiner.run(self._ground.bus)

    async def clear_aside(self) -> NoReturn:
        """Delete shards a week after they were set aside, for ever."""
        while True:
            try:
                await asyncio.to_thread(remove_old, self._ground.shard_dir, time.time())
            except OSError as error:
                log.warning("aside_not_removed", error=str(error))
            await asyncio.sleep(CLEAR_ASIDE_EVERY_S)

    async def scrub(self, every_s: float) -> NoReturn:
        """Read each shard about as often, one after the other: what has rotted on the disk is made anew. 0: never."""
        if not every_s:
            await asyncio.Event().wait()
        while True:
            numbers = self.partitions
            random.shuffle(numbers)
            for number in numbers:
                await asyncio.sleep(every_s / len(numbers))
                await self.scrub_one(number)
            if not numbers:
                await asyncio.sleep(every_s)

    async def scrub_one(self, number: int) -> str | None:
        """Read the shard of a partition, and give what is wrong with it; None: nothing, or it is not served now."""
        held = self._held.get(number)
        try:
            return None if held is None else await held.life.serving.scrub()
        except Interrupted:
            return None
        except Exception as error:  # noqa: BLE001 - whatever keeps it from being read: whoever serves it meets that
            log.warning("not_scrubbed", partition=number, error=str(error))
            return None

    async def failed(self) -> NoReturn:
        """Wait for what this worker cannot go on after, and raise it."""
        await asyncio.shield(self._failed)
        raise AssertionError("only an exception ends the waiting")

    async def _until_it_answers(self, life: Life, task: "asyncio.Task[None]") -> None:
        answering = asyncio.create_task(life.answers.wait())
        awaited: list[asyncio.Future[Any]] = [task, answering, self._failed]
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answering.cancel()
        if task.done():
            task.result()
            raise Transient(Code.UNAVAILABLE, f"partition {life.number} was removed before it answered")
        if self._failed.done():
            self._failed.result()

    def _ended(self, life: Life, task: "asyncio.Task[None]") -> None:
        """Forget a partition that has left. Whoever adds it learns why it never answered; later it is our failure."""
        del self._held[life.number]
        self._ground.counters.partitions_removed += 1
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("partition_failed", partition=life.number, error=str(error))
            if life.has_answered:
                self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)
            # It is raised by whoever waits, and nobody may.
            self._failed.exception()


async def run_worker(
    bus: Bus,
    *,
    shard_dir: Path,
    partitions: int,
    log_streams: int,
    max_active_models: int,
    on_ready: Callable[[], None],
    stop: asyncio.Event,
    share: Share,
    levels: Levels,
    on_step: Callable[[str], None] = lambda _: None,
    resolvers: Resolvers = SHIPPED,
    allow_private_webhooks: bool = False,
    time_zone: str = UTC,
    on_open: Callable[[Worker], None] = lambda _: None,
    scrub_every_s: float = SCRUB_EVERY_S,
    snapshots: SnapshotPolicy = USUAL_POLICY,
    log_days: int = 0,
) -> None:
    """Serve this worker's share of the partitions until `stop` is set: then let others take over, commit and close.

    `on_ready` is called once each of them has caught up with what was in the log at the start and answers asks;
    until then `on_step` is told how far they have got. `on_open` is given the worker before that.
    """
    worker = await Worker.open(
        bus,
        shard_dir=shard_dir,
        log_streams=log_streams,
        max_active_models=max_active_models,
        resolvers=resolvers,
        allow_private_webhooks=allow_private_webhooks,
        time_zone=time_zone,
        snapshots=snapshots,
        levels=levels,
        log_days=log_days,
    )
    on_open(worker)
    sharing = Sharing(bus, worker, partitions, share)
    worker._ground.absences.believed_for_s = sharing.workers.believed_for_s
    serving = asyncio.create_task(_serve(worker, sharing, on_ready, on_step, scrub_every_s))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            await _end_first(serving, asyncio.create_task(sharing.leave()))
        if serving.done():
            await serving
    finally:
        await _end(serving, stopping)
        await _drain(worker, sharing)


async def _end_first(serving: "asyncio.Task[NoReturn]", leaving: "asyncio.Task[None]") -> None:
    """Wait until all is handed over, unless what cannot be gone on after comes first."""
    await asyncio.wait([serving, leaving], return_when=asyncio.FIRST_COMPLETED)
    await _end(leaving)


async def _end(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(
    worker: Worker,
    sharing: Sharing,
    on_ready: Callable[[], None],
    on_step: Callable[[str], None],
    scrub_every_s: float,
) -> NoReturn:
    """Boot: serve what is this worker's. Then go on until cancelled, and raise what cannot be gone on after."""
    telling = asyncio.create_task(_tell_progress(worker, on_step))
    beside = (worker.clear_aside(), worker.examine_log(), worker.scrub(scrub_every_s))
    tasks = [telling, *(asyncio.create_task(one) for one in beside)]
    try:
        await sharing.open()
        async with asyncio.TaskGroup() as group:
            group.create_task(sharing.run())
            group.create_task(worker.failed())
            await sharing.settled()
            telling.cancel()
            on_ready()
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        await _end(*tasks)
    raise AssertionError("only an exception ends the serving")


async def _tell_progress(worker: Worker, on_step: Callable[[str], None]) -> NoReturn:
    told = ""
    while True:
        if worker.progress != told:
            told = worker.progress
            on_step(told)
        await asyncio.sleep(PROGRESS_EVERY_S)


async def _drain(worker: Worker, sharing: Sharing) -> None:
    """Drain, but not for ever: one partition that does not leave must not keep a process that has failed."""
    try:
        async with asyncio.timeout(DRAIN_WITHIN_S):
            await sharing.close()
            await worker.drain()
    except TimeoutError:
        log.error("not_drained", within_s=DRAIN_WITHIN_S, partitions=worker.partitions)
