"""When the rows of one partition are committed: about once a second, at 1,000 commands, or at once.

At once when something must leave (effects leave after their commit only), when something must be on the disk before it
is said, when the role of the primary changes hands, and at the end. While the disk takes nothing the rows wait, and it
is tried again; the bound on what may wait then pauses applying.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from actors.figures import Counters
from actors.partition import Partition
from actors.store.batch import Unwritable
from actors.uncommitted import Bound
from bus.logger import get_logger
from bus.retrying import Interrupted, Sleep, retrying

log = get_logger(__name__)

COMMIT_AFTER_S: Final = 1.0
"""Seconds that a command waits for its commit, while the disk keeps up: so much is applied again after a crash."""

REJECTIONS_AFTER_S: Final = 0.2
"""The same where a rejection waits to leave: whoever sent the command looks for it. A flood of them costs little."""

COMMIT_AT: Final = 1000
"""Commands at which rows are committed without waiting: larger transactions save little."""


class Committing:
    """Commits what one partition has applied."""

    def __init__(
        self, partition: Partition, bound: Bound, writing: asyncio.Semaphore, sleep: Sleep, counters: Counters
    ) -> None:
        self.on_entries: Callable[[], None] = lambda: None
        """Called when the outbox has more."""
        self.on_refused: Callable[[Unwritable], None] = lambda _: None
        """Called when SQLite refuses rows for what they are: to try again is in vain."""
        self._partition = partition
        self._bound = bound
        self._writing = writing
        self._sleep = sleep
        self._counters = counters
        self._due = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        """How long the timer was set for."""
        self._ends = False
        self._tried = asyncio.Event()
        """Set, and replaced, after each commit and at the end."""

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Commit whenever it is time. What the disk does not take at the end is left to the log."""
        self._partition.flush = self.flush
        self._bound.hurry.add(self._due.set)
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._end()
            await task
            self._bound.hurry.discard(self._due.set)
            await self._commit_rest()

    def look(self, *, at_once: bool = False) -> None:
        """See whether something must be committed now, or in a while. Called when something has been applied."""
        waiting = self._partition.waiting
        if at_once or waiting.messages >= COMMIT_AT:
            self._due.set()
        elif waiting.messages:
            self._wait(REJECTIONS_AFTER_S if waiting.gathering.batch.outbox else COMMIT_AFTER_S)

    async def flush(self) -> None:
        """Have all committed that is applied now, however long that takes. Raises `Interrupted` at the end.

        It may be cancelled: what is being written is not.
        """
        applied_seq = self._partition.applied_seq
        while self._partition.committed_seq < applied_seq:
            if self._ends:
                raise Interrupted
            self._due.set()
            await self._tried.wait()

    async def _run(self) -> None:
        try:
            while True:
                await self._due.wait()
                self._due.clear()
                self._forget_timer()
                if self._ends:
                    return
                await self._until_written()
                self._wake()
                self.look()
        except Interrupted:
            self._end()

    def _end(self) -> None:
        self._ends = True
        self._due.set()
        self._wake()

    def _wake(self) -> None:
        self._tried.set()
        self._tried = asyncio.Event()

    async def _until_written(self) -> None:
        number = self._partition.number
        await retrying(self._commit, "batch_not_written", on=(Exception,), sleep=self._sleep, partition=number)

    async def _commit(self) -> None:
        if self._partition.is_careful:
            return
        waiting = self._partition.waiting
        async with contextlib.nullcontext() if waiting.forgets else self._writing:
            started, ended = time.perf_counter(), waiting.ended
            try:
                batch = await self._partition.commit()
            except Unwritable as error:
                self.on_refused(error)
                raise
            except Exception as error:
                self._bound.failure = f"{type(error).__name__}: {error}"
                self._counters.commits_failed += 1
                raise
        self._bound.failure = None
        if batch is not None:
            self._counters.commit_commands.note(waiting.ended - ended)
            self._counters.commit_s.note(time.perf_counter() - started)
        if batch is not None and batch.outbox:
            self.on_entries()

    async def _commit_rest(self) -> None:
        try:
            await self._partition.commit_all()
        except Exception as error:  # noqa: BLE001 - whatever it is: the log has the commands
            log.warning("batch_not_written", error=str(error), partition=self._partition.number)
        self._partition.waiting.leave()

    def _wait(self, seconds: float) -> None:
        # One that was set for no longer ends first.
        if self._timer is not None and self._timer_s <= seconds:
            return
        loop = asyncio.get_running_loop()
        if self._timer is None or self._timer.when() > loop.time() + seconds:
            self._forget_timer()
            self._timer, self._timer_s = loop.call_later(seconds, self._due.set), seconds

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
