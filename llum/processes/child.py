"""The supervisor's side of a child process: start it, know when it serves, start it again when it dies."""

import asyncio
import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from llum.failures import Fault
from llum.processes.early import StartedChild, start
from llum.processes.lifeline import Begin, FromChild, FromSupervisor, send_begin

KILLED: Final = "killed by"
"""How the end of a child by a signal is described."""

FIRST_PAUSE_S: Final = 0.1
"""Seconds before a dead child is started again: enough not to spin, too short to be noticed."""

MAX_PAUSE_S: Final = 5.0
"""Seconds that the pause grows to, doubling with every death."""

SETTLED_S: Final = 10.0
"""Seconds that a child must have lived for its next death to count as the first again."""

MAX_FAILED_STARTS: Final = 5
"""Starts in a row that never came to serve: then something is wrong that starting again does not mend."""


STEP_WITHIN_S: Final = 60.0
"""Seconds in which a child that starts must get on: a long log takes longer, but something is applied meanwhile."""

LOOK_EVERY_S: Final = 10.0
"""Seconds between two looks whether a child that serves answers, and seconds that it has for it each time."""

MISSED_LOOKS: Final = 6
"""Looks in a row without an answer after which a child is killed. No busy machine keeps one from its turn so long."""

END_POLL_S: Final = 0.01
"""Seconds between looks at a process that is about to end."""


class Process(Protocol):
    """What keeping alive needs of a child: llum's own processes and the nats-server have it."""

    @property
    def name(self) -> str: ...

    @property
    def pid(self) -> int | None: ...

    @property
    def last_words(self) -> str | None:
        """Why it failed to start, if it said so."""

    async def start(self) -> None:
        """Start it. Raises `ChildProcessError` if it should be tried again; anything else is final."""

    async def serving(self) -> None:
        """Return when it serves. Raises as `start` does; the error's text says how it ended."""

    async def answer(self) -> None:
        """Ask it for a sign of life, and return when it has given one. To be used while something waits for its end."""

    async def wait(self) -> str:
        """Wait for its end and say how it ended."""

    async def stop(self, within_s: float) -> None:
        """Ask it to drain, and kill it when the time is over."""

    def kill(self) -> None:
        """End it at once."""


class PythonChild:
    """One worker or edge with its lifeline; the first may have been started already."""

    def __init__(
        self, name: str, begin: Begin, descriptors: Sequence[int] = (), started: StartedChild | None = None
    ) -> None:
        self._name = name
        self._begin = begin
        self._descriptors = list(descriptors)
        self._started = started
        self._process: subprocess.Popen[bytes] | None = None
        self._nats_url: str | None = None
        self._alive = asyncio.Event()
        self.last_words: str | None = None
        self.first_link: str | None = None
        """What it has said of that when it came to serve."""

    @property
    def name(self) -> str:
        return self._name

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process, tell it what to be; it imports, and waits to be told where the nats-server answers."""
        self._process, line = self._started or start(self._name)
        self._started = None
        # One that has ended already is found by `serving`.
        with contextlib.suppress(ConnectionError):
            send_begin(line, self._begin, self._descriptors)
        self._reader, self._writer = await asyncio.open_connection(sock=line)
        if self._nats_url is not None:
            self.tell_nats_url(self._nats_url)

    def tell_nats_url(self, url: str) -> None:
        """Let the child go on. The address is kept for its successors."""
        self._nats_url = url
        if self._process is not None:
            self._writer.write(msgspec.json.encode(FromSupervisor(url)) + b"\n")

    async def serving(self) -> None:
        step = "importing"
        with contextlib.suppress(ConnectionError):
            while line := await self._next_line(step):
                message = msgspec.json.decode(line, type=FromChild)
                if message.ready:
                    self.first_link = message.first_link
                    return
                if message.step is not None:
                    step = message.step
                    continue
                self.last_words = message.error
                if message.fatal:
                    raise Fault(message.error or f"{self.name} cannot run here")
        raise ChildProcessError(await self.wait())

    async def _next_line(self, step: str) -> bytes:
        """Give what the child says next; kill it if it does not get on. Until it has an address it waits for us."""
        try:
            while True:
                address = self._nats_url
                try:
                    async with asyncio.timeout(STEP_WITHIN_S):
                        return await self._reader.readline()
                except TimeoutError:
                    if address is not None:
                        raise
        except TimeoutError:
            self.last_words = f"it did not get on for {STEP_WITHIN_S:g} s, at this step: {step}"
            self.kill()
            await self._exit_code()
            raise ChildProcessError(self.last_words) from None

    async def answer(self) -> None:
        self._alive.clear()
        self._writer.write(msgspec.json.encode(FromSupervisor(alive=True)) + b"\n")
        await self._alive.wait()

    async def wait(self) -> str:
        with contextlib.suppress(ConnectionError):
            while line := await self._reader.readline():
                if msgspec.json.decode(line, type=FromChild).alive:
                    self._alive.set()
        code = await self._exit_code()
        self._writer.close()
        return how_it_ended(code)

    async def stop(self, within_s: float) -> None:
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._exit_code(), within_s)
        except TimeoutError:
            self.kill()
            await self._exit_code()

    async def _exit_code(self) -> int:
        """Wait for the end of the process; the end of its lifeline comes a moment before."""
        assert self._process is not None, "wait comes after start"
        while (code := self._process.poll()) is None:  # noqa: ASYNC110 - no event tells it everywhere
            await asyncio.sleep(END_POLL_S)
        return code

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


async def keep_alive(child: Process, on_serving: Callable[[], None], on_death: Callable[[str, str], None]) -> None:
    """Run a child for ever: start it, report when it serves, start it again when it dies.

    Cancel this before stopping the child. Raises `Fault` when starting it again cannot help.
    """
    pause_s = FIRST_PAUSE_S
    failed_starts = 0
    while True:
        began = time.monotonic()
        served, how = await _one_life(child, on_serving)
        # What somebody kills from outside says nothing about whether it can start.
        failed_starts = 0 if served or KILLED in how else failed_starts + 1
        if failed_starts >= MAX_FAILED_STARTS:
            raise Fault(f"{child.name} does not start: {child.last_words or how}")
        if time.monotonic() - began > SETTLED_S:
            pause_s = FIRST_PAUSE_S
        on_death(child.name, how)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, MAX_PAUSE_S)


async def _one_life(child: Process, on_serving: Callable[[], None]) -> tuple[bool, str]:
    """Start the child and wait for its end: whether it ever served, and how it ended."""
    try:
        await child.start()
        await child.serving()
    except ChildProcessError as error:
        return False, str(error)
    on_serving()
    watch = asyncio.create_task(_kill_if_stuck(child))
    try:
        how = await child.wait()
    finally:
        watch.cancel()
        await asyncio.wait([watch])
    stuck = watch.done() and not watch.cancelled() and watch.result()
    return True, f"it did not answer for {MISSED_LOOKS * LOOK_EVERY_S:g} s, {how}" if stuck else how


async def _kill_if_stuck(child: Process) -> bool:
    """Look after a child that serves, and kill it when it has not answered for long. Returns when that was done."""
    missed = 0
    while missed < MISSED_LOOKS:
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await child.answer()
        except TimeoutError:
            missed += 1
        else:
            missed = 0
            await asyncio.sleep(LOOK_EVERY_S)
    child.kill()
    return True


def how_it_ended(code: int) -> str:
    """Say in words how a process ended."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"{KILLED} {signal.Signals(-code).name}"
    except ValueError:
        return f"{KILLED} signal {-code}"
