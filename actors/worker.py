"""A worker: a set of partitions that come and go."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from actors.announce import OnEvent
from actors.effects.relaying import Relaying
from actors.live import ActiveModels
from actors.mailbox import Mailroom
from actors.serving import Ground, Serving
from bus.connection import Bus
from bus.logger import get_logger
from bus.readers import LogReaders
from model.resolvers.registry import Resolvers
from model.resolvers.summaries import SHIPPED
from schemas.errors import Code, Transient

log = get_logger(__name__)


PROGRESS_EVERY_S = 1.0
"""Seconds between two words about a start that takes long."""

DRAIN_WITHIN_S = 20.0
"""Seconds that partitions may take to leave; `llum up` does not wait for so long."""


class _Life(NamedTuple):
    serving: Serving
    task: "asyncio.Task[None]"


class Worker:
    """Serves the partitions that were added and not removed, until `drain`. Make one with `open`.

    Other workers may hold the same partitions. For each, one of them should be told that it is the primary: two would
    relay the same twice, under the same ids; without one, what leaves the partition waits.
    """

    def __init__(self) -> None:
        self._lives: dict[int, _Life] = {}
        self._failed: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()
        self._ground: Ground

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
        on_event: OnEvent | None = None,
    ) -> "Worker":
        """Make a worker that serves nothing yet. `on_event` takes what live feeds are told. Raises `Transient`."""
        await asyncio.to_thread(shard_dir.mkdir, parents=True, exist_ok=True)
        worker = cls()
        mailroom = Mailroom(lambda: readers.wake())
        readers = LogReaders(bus, log_streams, mailroom.deliver, mailroom.room, worker._fail)
        relaying = await Relaying.open(bus, resolvers, allow_private_webhooks, worker._fail)
        actives = ActiveModels(max_active_models)
        worker._ground = Ground(bus, shard_dir, log_streams, resolvers, actives, readers, mailroom, relaying, on_event)
        return worker

    @property
    def partitions(self) -> list[int]:
        """Name the partitions that are served or about to be."""
        return sorted(self._lives)

    @property
    def progress(self) -> str:
        """Say how far partitions have got that do not answer yet. It changes as long as one of them gets on."""
        serving = [life.serving for life in self._lives.values()]
        waiting = [one for one in serving if not one.answers.is_set()]
        restored = [one.applied_seq for one in waiting if one.applied_seq >= 0]
        return (
            f"{len(serving) - len(waiting)} of {len(serving)} partitions answer, {len(restored)} others are open and "
            f"have applied the log up to {sum(restored)} in sum"
        )

    async def add(self, number: int, *, primary: bool = True) -> None:
        """Serve a partition. Returns when it answers: it has then applied all that was in the log.

        Those that are added at the same time are caught up with together. Raises `ShardError` when its file cannot be
        opened, `Transient` when the bus fails or it is removed before it answers. The others go on in any case.
        """
        if number in self._lives:
            raise ValueError(f"partition {number} is served already")
        serving = Serving(number, self._ground, primary)
        task = asyncio.create_task(serving.live())
        self._lives[number] = _Life(serving, task)
        task.add_done_callback(lambda _: self._ended(number, serving, task))
        try:
            await self._until_it_answers(serving, task)
        except asyncio.CancelledError:
            await self.remove(number)
            raise

    async def remove(self, number: int) -> None:
        """Serve a partition no longer. Returns when it has left: it has finished what was in hand and let all go.

        Does nothing when it is not served.
        """
        life = self._lives.get(number)
        if life is not None:
            life.serving.leave()
            await asyncio.wait([life.task])

    async def set_primary(self, number: int, primary: bool) -> None:
        """Be the primary of a served partition, or no longer. Returns when this worker relays nothing more of it.

        Make another worker the primary only after that, so that nothing is relayed twice.
        """
        await self._lives[number].serving.set_primary(primary)

    async def drain(self) -> None:
        """Remove all partitions, and end."""
        await asyncio.gather(*(self.remove(number) for number in self.partitions))
        await self._ground.readers.close()
        await self._ground.relaying.close()
        self._failed.cancel()

    async def failed(self) -> NoReturn:
        """Wait for what this worker cannot go on after, and raise it."""
        await asyncio.shield(self._failed)
        raise AssertionError("only an exception ends the waiting")

    async def _until_it_answers(self, serving: Serving, task: "asyncio.Task[None]") -> None:
        answering = asyncio.create_task(serving.answers.wait())
        awaited: list[asyncio.Future[Any]] = [task, answering, self._failed]
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answering.cancel()
        if task.done():
            task.result()
            raise Transient(Code.UNAVAILABLE, f"partition {serving.number} was removed before it answered")
        if self._failed.done():
            self._failed.result()

    def _ended(self, number: int, serving: Serving, task: "asyncio.Task[None]") -> None:
        """Forget a partition that has left. Whoever adds it learns why it never answered; later it is our failure."""
        del self._lives[number]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("partition_failed", partition=number, error=str(error))
            if serving.answers.is_set():
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
    partitions: Iterable[int],
    log_streams: int,
    max_active_models: int,
    on_ready: Callable[[], None],
    stop: asyncio.Event,
    on_step: Callable[[str], None] = lambda _: None,
    resolvers: Resolvers = SHIPPED,
    allow_private_webhooks: bool = False,
) -> None:
    """Serve these partitions as their primary until `stop` is set: then finish the batches in hand, commit and close.

    `on_ready` is called once every partition has caught up with what was in the log at the start and answers asks;
    until then `on_step` is told how far they have got.
    """
    worker = await Worker.open(
        bus,
        shard_dir=shard_dir,
        log_streams=log_streams,
        max_active_models=max_active_models,
        resolvers=resolvers,
        allow_private_webhooks=allow_private_webhooks,
    )
    serving = asyncio.create_task(_serve(worker, partitions, on_ready, on_step))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving
    finally:
        for task in (serving, stopping):
            task.cancel()
        await asyncio.gather(serving, stopping, return_exceptions=True)
        await _drain(worker)


async def _serve(
    worker: Worker, partitions: Iterable[int], on_ready: Callable[[], None], on_step: Callable[[str], None]
) -> NoReturn:
    """Boot: add each partition. Then serve until cancelled, and raise what cannot be gone on after."""
    telling = asyncio.create_task(_tell_progress(worker, on_step))
    try:
        await asyncio.gather(*(worker.add(number) for number in partitions))
    finally:
        telling.cancel()
    on_ready()
    await worker.failed()


async def _tell_progress(worker: Worker, on_step: Callable[[str], None]) -> NoReturn:
    told = ""
    while True:
        if worker.progress != told:
            told = worker.progress
            on_step(told)
        await asyncio.sleep(PROGRESS_EVERY_S)


async def _drain(worker: Worker) -> None:
    """Drain, but not for ever: one partition that does not leave must not keep a process that has failed."""
    try:
        async with asyncio.timeout(DRAIN_WITHIN_S):
            await worker.drain()
    except TimeoutError:
        log.error("not_drained", within_s=DRAIN_WITHIN_S, partitions=worker.partitions)
