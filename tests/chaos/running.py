"""Faults in an order that a seed decides, under load; then what is there is compared with what was acknowledged."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from bus.connection import Bus
from bus.pings import ping
from bus.requests import Requests
from bus.subjects import partition_of
from tests.chaos import checking
from tests.chaos.faults import Faults, Lasting
from tests.chaos.http_load import Edges, HttpPerson, PreferencesWriter
from tests.chaos.load import Person
from tests.chaos.report import Report
from tests.chaos.stage import EDGES, PARTITIONS, WORKERS, Stage
from tests.system.harness import with_login
from tests.waiting import eventually

PING_WITHIN_S: Final = 0.25

READY_WITHIN_S: Final = 5.0

HTTP_PEOPLE: Final = 3
PREFERENCE_WRITERS: Final = 2


class Chaos:
    """One run. `seed` decides on the faults."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        replicas: int = 2,
        lasting: Lasting | None = None,
        on_fault: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_fault` is told of each fault that is over."""
        self.stage = Stage(folder / "llum", replicas)
        self.report = Report(hosts=self.stage.hosts.how)
        self._chance = random.Random(seed)
        self._lasting = lasting or Lasting()
        self._on_fault = on_fault
        self._bus: Bus

    async def run(
        self, *, faults: int, kills: int = 0, kinds: Collection[str] | None = None, rolling: bool = False
    ) -> Report:
        """Have so many kills of a worker, so many faults of these kinds or of all, and perhaps everything restarted."""
        await self.stage.open_links()
        try:
            await asyncio.to_thread(self.stage.start_all)
            async with self._load() as having:
                await self._have_faults(having, faults, kills, kinds)
                if rolling:
                    await self._have("rolling-restart", lambda: having.restart_everything(self._until_all_answer))
                await asyncio.to_thread(checking.make_snapshots, self.stage)
                await asyncio.sleep(self._lasting.calm_s)
        finally:
            self.stage.close_links()
        return self.report

    @asynccontextmanager
    async def _load(self) -> AsyncIterator[Faults]:
        """Have people told and asked; at the end see what is there."""
        stage, findings = self.stage, self.report.findings
        self._bus = await Bus.connect(self._url(), name="chaos")
        requests = Requests(self._bus)
        await requests.start()
        edges = Edges([stage.url_of(name) for name in EDGES])
        having = Faults(stage, self._bus, requests, self.report, self._chance, self._lasting)
        having.people = [Person(user, requests, findings) for user in _one_in_each_partition()]
        by_http = [HttpPerson(f"visitor{number}", requests, findings, edges) for number in range(HTTP_PEOPLE)]
        writers = [
            PreferencesWriter(f"key {number}", self._bus, requests, findings, edges)
            for number in range(PREFERENCE_WRITERS)
        ]
        for person in (*having.people, *by_http):
            await person.make()
        for visitor in by_http:
            visitor.token = await asyncio.to_thread(self._token_for, visitor.user)
        everybody: list[Person | PreferencesWriter] = [*having.people, *by_http, *writers]
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as load:
            for one in everybody:
                load.create_task(one.go_on(stop))
            try:
                yield having
            finally:
                stop.set()
        for one in everybody:
            await one.check()
            self.report.acknowledged[one.kind] += one.acknowledged
            self.report.asks += one.asks
            self.report.derived += len(one.fives) if isinstance(one, Person) else 0
        await edges.close()
        await requests.close()
        await self._compare()
        await asyncio.to_thread(having.count_forgotten)
        await self._bus.close()

    def _token_for(self, user: str) -> str:
        return self.stage.cli("admin", "token", user, "--app", "visitor", "--owner").stdout.strip()

    async def _have_faults(self, having: Faults, faults: int, kills: int, chosen: Collection[str] | None) -> None:
        for _ in range(kills):
            await self._have("kill-worker", having.kill_worker)
        kinds = having.kinds()
        for name in _drawn([name for name in kinds if chosen is None or name in chosen], faults, self._chance):
            await self._have(name, kinds[name])

    async def _have(self, kind: str, fault: Callable[[], Awaitable[str]]) -> None:
        self.report.faults.append(f"{kind} {await fault()}")
        await self._until_all_answer()
        self._on_fault(self.report.faults[-1])
        await asyncio.sleep(self._lasting.calm_s)

    async def _until_all_answer(self) -> None:
        after = self.report.faults[-1] if self.report.faults else "the start"
        await eventually(self._all_answer, f"all partitions and edges answer after {after}")

    async def _all_answer(self) -> bool:
        replies = await asyncio.gather(*(ping(self._bus, number, PING_WITHIN_S) for number in range(PARTITIONS)))
        return None not in replies and all([await self._is_ready(name) for name in EDGES])

    async def _is_ready(self, edge: str) -> bool:
        timeout = aiohttp.ClientTimeout(total=READY_WITHIN_S)
        try:
            async with aiohttp.request("GET", f"{self.stage.url_of(edge)}/ready", timeout=timeout) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def _compare(self) -> None:
        """See that all replicas hold the same, and that the log and snapshots give that, too."""
        stage = self.stage
        for name in WORKERS:
            await asyncio.to_thread(stage.end_one, name)
        restored = await asyncio.to_thread(checking.held_anew, stage, checking.RESTORED)
        await checking.delete_snapshots(self._bus)
        replayed = await asyncio.to_thread(checking.held_anew, stage, checking.REPLAYED)
        await asyncio.to_thread(checking.Comparing(stage, self.report).compare, restored, replayed)

    def _url(self) -> str:
        credentials = self.stage.data_dir / "credentials.json"
        return ",".join(with_login(one, credentials) for one in self.stage.url.split(","))


def _drawn(kinds: list[str], count: int, chance: random.Random) -> Iterator[str]:
    """Draw faults so that each kind comes before any comes twice."""
    while count > 0:
        chance.shuffle(kinds)
        yield from kinds[:count]
        count -= len(kinds)


def _one_in_each_partition() -> list[str]:
    found: dict[int, str] = {}
    number = 0
    while len(found) < PARTITIONS:
        user = f"person{number}"
        found.setdefault(partition_of(user, PARTITIONS), user)
        number += 1
    return list(found.values())
