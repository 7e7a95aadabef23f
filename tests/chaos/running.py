"""Faults in an order that a seed decides, under load; then what is there is compared with what was acknowledged."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bus.connection import Bus
from bus.pings import ping
from bus.requests import Requests
from bus.subjects import partition_of
from tests.chaos.load import Findings, Person
from tests.chaos.stage import PARTITIONS, WORKERS, Held, Stage
from tests.system.harness import with_login
from tests.waiting import eventually

STOPPED_S = 3.0
"""Seconds that a process is stopped: longer than until it counts as gone."""

CALM_S = 1.0
"""Seconds of load between the end of a fault and the next one."""

PING_WITHIN_S = 0.25


@dataclass
class Report:
    """What has come of it."""

    findings: Findings = field(default_factory=Findings)
    faults: list[str] = field(default_factory=list)
    failovers_s: list[float] = field(default_factory=list)
    """Seconds from each kill of a worker until asks to all partitions were answered."""
    tells: int = 0
    asks: int = 0
    compared: int = 0
    """Replicas of partitions that were compared with what the log gives."""

    def lines(self) -> Iterator[str]:
        yield f"{len(self.faults)} faults: {', '.join(self.faults)}"
        yield f"{self.tells} acknowledged tells, {self.asks} asks, {self.compared} replicas compared"
        yield self.findings.counts()
        if self.failovers_s:
            times = sorted(self.failovers_s)
            yield (
                f"failover after {len(times)} kills of a worker: median {times[len(times) // 2]:.2f} s, "
                f"longest {times[-1]:.2f} s"
            )
        for name, found in vars(self.findings).items():
            yield from (f"{name}: {sentence}" for sentence in found[:20])


class Chaos:
    """One run. `seed` decides on the faults."""

    def __init__(self, folder: Path, seed: int, replicas: int = 2) -> None:
        self.stage = Stage(folder / "llum", replicas)
        self.report = Report()
        self._random = random.Random(seed)
        self._bus: Bus

    async def run(self, *, faults: int, kills: int = 0) -> Report:
        """Have so many faults of all kinds, and first so many kills of a worker."""
        stage = self.stage
        await asyncio.to_thread(stage.start_all)
        self._bus = await Bus.connect(self._url(), name="chaos")
        requests = Requests(self._bus)
        await requests.start()
        people = [Person(user, requests, self.report.findings) for user in _one_in_each_partition()]
        for person in people:
            await person.make()
        stop = asyncio.Event()
        load = [asyncio.create_task(person.go_on(stop)) for person in people]
        try:
            await self._have_faults(people, faults, kills)
        finally:
            stop.set()
            await asyncio.gather(*load)
        for person in people:
            await person.check()
        self.report.tells, self.report.asks = sum(len(one.seqs) for one in people), sum(one.asks for one in people)
        await requests.close()
        await self._bus.close()
        await asyncio.to_thread(self._compare)
        return self.report

    async def _have_faults(self, people: list[Person], faults: int, kills: int) -> None:
        for _ in range(kills):
            await self._have(self._kill_worker, people)
        kinds = [self._kill_worker, self._stop_worker, self._end_worker, self._kill_server, self._stop_server]
        for _ in range(faults):
            await self._have(self._random.choice(kinds), people)

    async def _have(self, fault: Callable[[list[Person]], Awaitable[str]], people: list[Person]) -> None:
        self.report.faults.append(await fault(people))
        await eventually(self._all_answer, f"all partitions answer after {self.report.faults[-1]}")
        await asyncio.sleep(CALM_S)

    async def _all_answer(self) -> bool:
        replies = await asyncio.gather(*(ping(self._bus, number, PING_WITHIN_S) for number in range(PARTITIONS)))
        return None not in replies

    async def _kill_worker(self, people: list[Person]) -> str:
        name = self._random.choice(WORKERS)
        self.stage.kill_worker(name)
        began = time.monotonic()
        await asyncio.gather(*(person.ask() for person in people))
        self.report.failovers_s.append(time.monotonic() - began)
        await asyncio.to_thread(self.stage.start_worker, name)
        return f"kill {name}"

    async def _stop_worker(self, _people: list[Person]) -> str:
        name = self._random.choice(WORKERS)
        await self._stop(self.stage.workers[name].send_signal)
        return f"stop {name}"

    async def _end_worker(self, _people: list[Person]) -> str:
        name = self._random.choice(WORKERS)
        await asyncio.to_thread(self.stage.end_worker, name)
        await asyncio.to_thread(self.stage.start_worker, name)
        return f"restart {name}"

    async def _kill_server(self, _people: list[Person]) -> str:
        name = self._random.choice(self.stage.places).name
        self.stage.kill_server(name)
        await asyncio.sleep(CALM_S)
        await asyncio.to_thread(self.stage.restart_server, name)
        return f"kill {name}"

    async def _stop_server(self, _people: list[Person]) -> str:
        name = self._random.choice(self.stage.places).name
        await self._stop(self.stage.servers[name].send_signal)
        return f"stop {name}"

    async def _stop(self, send_signal: Callable[[int], None]) -> None:
        send_signal(signal.SIGSTOP)
        await asyncio.sleep(STOPPED_S)
        send_signal(signal.SIGCONT)

    def _compare(self) -> None:
        """See that all replicas hold the same, and that the log gives that, too."""
        for name in WORKERS:
            self.stage.end_worker(name)
        self.stage.start_worker("replay")
        self.stage.end_worker("replay")
        replayed = self.stage.held("replay")
        for name in WORKERS:
            for number, held in self.stage.held(name).items():
                self._compare_one(name, number, held, replayed.get(number))

    def _compare_one(self, name: str, number: int, held: Held, replayed: Held | None) -> None:
        if replayed is not None and held.applied_seq < replayed.applied_seq:
            # It was given up some time ago, and read on from there it would be the same again.
            return
        self.report.compared += 1
        if held != replayed:
            self.report.findings.diverged.append(f"partition {number} of {name}: {held}, replayed: {replayed}")

    def _url(self) -> str:
        credentials = self.stage.data_dir / "credentials.json"
        return ",".join(with_login(one, credentials) for one in self.stage.url.split(","))


def _one_in_each_partition() -> list[str]:
    found: dict[int, str] = {}
    number = 0
    while len(found) < PARTITIONS:
        user = f"person{number}"
        found.setdefault(partition_of(user, PARTITIONS), user)
        number += 1
    return list(found.values())
