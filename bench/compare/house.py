"""One checkout's llum with people in it, made and run by that checkout's own code."""

import asyncio
import contextlib
import itertools
import shutil
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import people
from bench.accounting import cpu_seconds, tree
from bench.compare.checkout import Checkout
from bench.compare.load import COMPONENT, BusLoad, HttpLoad, Load
from bench.failures import BenchError
from bench.processes import llum_up
from bench.sizes import IN_FLIGHT
from bus.subjects import partition_of
from llum.running import Running

PEOPLE = IN_FLIGHT
"""Each in a partition of their own, and some in every log stream: so a log with many people in it is read."""

OLD_S = 90.0
"""Seconds after which nobody waits for the outcome of a command any more: a worker then says nothing of it."""

COMMANDS_AT_ONCE = 2
"""Commands of the command line that run at the same time while people are made."""

NO_SUCH_OPTION = 2
"""Exit code of a command that does not know one of its options."""


class MeasuredOperation(NamedTuple):
    """What is done, and how often in a round at scale 1."""

    name: str
    per_round: int


OPERATIONS = (
    MeasuredOperation("bus tell", 20_000),
    MeasuredOperation("bus ask", 20_000),
    MeasuredOperation("HTTP tell", 10_000),
    MeasuredOperation("HTTP ask", 10_000),
)
CATCH_UP = MeasuredOperation("catch-up", 200_000)
"""So many that what a start costs, and how that varies, is little beside it."""


class Furnished(NamedTuple):
    """A llum that runs, and the loads on it by the names of the operations."""

    pids: list[int]
    loads: dict[str, Load]


class House:
    """The data folders of one checkout: one to speak to, one whose log is applied from the start again and again."""

    def __init__(self, checkout: Checkout, folder: Path) -> None:
        self.checkout = checkout
        self._served = folder / "served"
        self._log = folder / "log"
        self._users = _people(PEOPLE)
        self._tokens: list[str] = []
        self._starts: list[float] = []
        self._logged = 0
        self._filled_at = 0.0
        self._last: object = None

    async def furnish(self, log_commands: int) -> None:
        """Make the people, and a log of so many commands."""
        self._served.mkdir(parents=True)
        async with self._up(self._served):
            with ThreadPoolExecutor(COMMANDS_AT_ONCE) as pool:
                self._tokens = list(pool.map(self._settle, self._users))
        shutil.copytree(self._served, self._log)
        tells = ((self._users[n % PEOPLE], people.tell(n, COMPONENT, f"fill-{n}")) for n in range(log_commands))
        async with self._up(self._log, sync="10s") as running:
            self._logged = await people.store(running.nats, tells)
            self._last = people.tell(log_commands - 1, COMPONENT).evidence.value
        self._filled_at = time.monotonic()
        # Once to apply what was not applied when it was stopped: the next start has nothing to catch up with.
        await self._cost_of_start()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Furnished]:
        """Run its llum as long as the block lasts."""
        async with self._up(self._served) as running, BusLoad.opened(running.nats, self._users) as bus:
            http = HttpLoad(running.http, self._tokens)
            loads = (bus.tells, bus.asks, http.tells, http.asks)
            names = (operation.name for operation in OPERATIONS)
            yield Furnished(tree(running.pid), dict(zip(names, loads, strict=True)))

    async def catch_up(self) -> float:
        """Apply the whole log to empty shards; give the CPU seconds of each command, without those of a start."""
        await asyncio.sleep(self._filled_at + OLD_S - time.monotonic())
        self._starts.append(await self._cost_of_start())
        shutil.rmtree(self._log / "shards")
        return (await self._cost_of_start() - median(self._starts)) / self._logged

    async def _cost_of_start(self) -> float:
        async with self._up(self._log) as running:
            cost = cpu_seconds(tree(running.pid))
            async with BusLoad.opened(running.nats, self._users) as bus:
                if str(self._last).encode() not in await bus.last_told():
                    raise BenchError(f"{self.checkout.name} served before it had applied its whole log")
            return cost

    def _settle(self, user: str) -> str:
        """Make a person whose owner app is that of the measurements, and give a token for it."""
        self._command("admin", "person", "add", user)
        token = ("admin", "token", user, "--app", people.APP)
        try:
            return self._command(*token, "--owner")
        except _NoSuchOptionError:
            return self._command(*token)

    def _command(self, *arguments: str) -> str:
        done = self.checkout.llum(*arguments, data_dir=self._served)
        if done.returncode == NO_SUCH_OPTION:
            raise _NoSuchOptionError(done.stderr)
        if done.returncode:
            raise BenchError(f"llum {' '.join(arguments)} of {self.checkout.name} failed: {done.stderr.strip()}")
        return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""

    @contextlib.asynccontextmanager
    async def _up(self, data_dir: Path, **settings: str) -> AsyncIterator[Running]:
        async with llum_up(data_dir, self.checkout.root, self.checkout.python, **settings) as (running, _):
            yield running


def _people(count: int) -> list[str]:
    """Name one person for each of the first partitions."""
    found: dict[int, str] = {}
    for user in map(people.person, itertools.count()):
        found.setdefault(partition_of(user, people.PARTITIONS), user)
        if all(partition in found for partition in range(count)):
            return [found[partition] for partition in range(count)]
    raise AssertionError("there are more people than partitions")


class _NoSuchOptionError(BenchError):
    """The command does not know one of its options: it is that of an older checkout."""
