"""All kinds of faults. Each has a name; it is had, is over again, and says what it was in one line."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from bus.connection import Bus
from bus.requests import Requests
from tests.chaos.forgetting import Forgotten
from tests.chaos.links import Direction, Link
from tests.chaos.load import Person
from tests.chaos.report import Report
from tests.chaos.stage import CRAMPED, EDGES, WORKERS, Stage

CLOCK_STEPS_S: Final = (-86400.0, -3600.0, -90.0, 90.0, 3600.0, 86400.0)

DELAYS_S: Final = (0.02, 0.1, 0.3)

BACK: Final[dict[Direction, Direction]] = {"there": "back", "back": "there"}

SILENCES: Final[dict[str, tuple[Direction, ...]]] = {
    "to": ("there",),
    "from": ("back",),
    "to and from": ("there", "back"),
}
"""In which directions nothing arrives."""


UNPLUGGED: Final = 0.5
"""How often a worker that is away while somebody is forgotten is unplugged, and not stopped."""


class Lasting(NamedTuple):
    """How long faults last."""

    stopped_s: float = 3.0
    """Longer than until a worker counts as gone."""
    away_s: float = 60.0
    """That a worker is stopped while somebody is forgotten."""
    calm_s: float = 1.0
    """Load without any fault, between the end of one and the next."""


class Faults:
    """Has faults; `chance` decides on all that is to be decided."""

    def __init__(
        self, stage: Stage, bus: Bus, requests: Requests, report: Report, chance: random.Random, lasting: Lasting
    ) -> None:
        self._stage = stage
        self._bus = bus
        self._requests = requests
        self._report = report
        self._chance = chance
        self._lasting = lasting
        self._servers = tuple(stage.servers_by_name)
        self._forgotten: list[Forgotten] = []
        self.people: list[Person] = []
        """One of each partition: when all are answered, nothing is out of service."""

    def kinds(self) -> dict[str, Callable[[], Awaitable[str]]]:
        """Give what can be had on this machine, and note what cannot."""
        found: dict[str, Callable[[], Awaitable[str]]] = {
            "kill-worker": self.kill_worker,
            "kill-edge": lambda: self._kill(EDGES),
            "kill-server": lambda: self._kill(self._servers),
            "stop-worker": lambda: self._stop(WORKERS),
            "stop-edge": lambda: self._stop(EDGES),
            "stop-server": lambda: self._stop(self._servers),
            "restart-worker": lambda: self._restart(WORKERS),
            "restart-edge": lambda: self._restart(EDGES),
            "restart-server": lambda: self._restart(self._servers),
            "cut-client": lambda: self._cut(self._links_of_a_client()),
            "cut-servers": lambda: self._cut(self._links_between_servers()),
            "silent-client": lambda: self._silence(self._links_of_a_client()),
            "silent-servers": lambda: self._silence(self._links_between_servers()),
            "slow-client": lambda: self._slow(self._links_of_a_client()),
            "slow-servers": lambda: self._slow(self._links_between_servers()),
            "unplug-worker": self._unplug_worker,
            "unplug-edge": lambda: self._unplug(EDGES),
            "unplug-server": lambda: self._unplug(self._servers),
            "step-clock": self._step_clock,
            "forget": self._forget,
        }
        if self._stage.disk is not None:
            found["full-disk"] = self._fill_disk
        else:
            self._report.not_had.append("full-disk: this user may not mount a disk, or this is not Linux")
        if not self._stage.hosts.can_unplug:
            unplugging = [kind for kind in found if kind.startswith("unplug-")]
            self._report.not_had += [f"{kind}: hosts are {self._stage.hosts.how}" for kind in unplugging]
            found = {kind: fault for kind, fault in found.items() if kind not in unplugging}
        return found

    def count_forgotten(self) -> None:
        """Count who was forgotten, and of whom nats-servers still have bytes."""
        self._report.forgotten = len(self._forgotten)
        self._report.left_in_servers = len([one for one in self._forgotten if one.left(self._servers)])

    async def kill_worker(self) -> str:
        """kill -9, and measure until somebody answers for all again: also what lay in its sockets unanswered."""
        name = self._chance.choice(WORKERS)
        self._stage.processes[name].send_signal(signal.SIGSTOP)
        lying = asyncio.gather(*(person.numbers.ask() for person in self.people))
        await asyncio.sleep(0)
        await self._bus.flush()
        began = time.monotonic()
        await asyncio.to_thread(self._stage.kill_one, name)
        await asyncio.gather(*(person.numbers.ask() for person in self.people))
        self._report.failovers_s.append(time.monotonic() - began)
        await lying
        self._report.lying_s.append(time.monotonic() - began)
        await asyncio.to_thread(self._stage.start_one, name)
        return name

    async def restart_everything(self, until_all_answer: Callable[[], Awaitable[None]]) -> str:
        """End each process in order and start it again, one after the other, as for an upgrade."""
        for name in self._stage.names:
            await asyncio.to_thread(self._stage.end_one, name)
            await asyncio.to_thread(self._stage.start_one, name)
            await until_all_answer()
        return "of all processes"

    async def _kill(self, names: tuple[str, ...]) -> str:
        name = self._chance.choice(names)
        await asyncio.to_thread(self._stage.kill_one, name)
        await asyncio.sleep(self._chance.random())
        await asyncio.to_thread(self._stage.start_one, name)
        return name

    async def _stop(self, names: tuple[str, ...]) -> str:
        name = self._chance.choice(names)
        process = self._stage.processes[name]
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(self._lasting.stopped_s)
        process.send_signal(signal.SIGCONT)
        return name

    async def _restart(self, names: tuple[str, ...]) -> str:
        name = self._chance.choice(names)
        await asyncio.to_thread(self._stage.end_one, name)
        await asyncio.to_thread(self._stage.start_one, name)
        return name

    async def _unplug_worker(self) -> str:
        """Have a worker's host reach nobody, and measure until somebody answers for all, whom asks come to."""
        name = self._chance.choice(WORKERS)
        self._stage.hosts.unplug(name)
        began = time.monotonic()
        await asyncio.gather(*(person.numbers.ask() for person in self.people))
        self._report.unplugged_s.append(time.monotonic() - began)
        await asyncio.sleep(max(0.0, began + self._lasting.stopped_s - time.monotonic()))
        self._stage.hosts.plug(name)
        return name

    async def _unplug(self, names: tuple[str, ...]) -> str:
        name = self._chance.choice(names)
        self._stage.hosts.unplug(name)
        await asyncio.sleep(self._lasting.stopped_s)
        self._stage.hosts.plug(name)
        return name

    def _links_of_a_client(self) -> "_Links":
        """Choose a worker or an edge, and its links to one server or to all."""
        name = self._chance.choice((*WORKERS, *EDGES))
        servers = self._chance.choice((self._servers, (self._chance.choice(self._servers),)))
        there = [self._stage.links[name, server] for server in servers]
        return _Links(f"{name} and {', '.join(servers)}", there, [])

    def _links_between_servers(self) -> "_Links":
        """Choose a server, and its links to one of the others or to both. Either of two may have connected."""
        one = self._chance.choice(self._servers)
        all_others = tuple(server for server in self._servers if server != one)
        others = self._chance.choice((all_others, (self._chance.choice(all_others),)))
        there = [self._stage.routes[one, other] for other in others]
        back = [self._stage.routes[other, one] for other in others]
        return _Links(f"{one} and {', '.join(others)}", there, back)

    async def _cut(self, links: "_Links") -> str:
        for link in links.all:
            link.cut()
        with links.mended():
            await asyncio.sleep(self._lasting.stopped_s)
        return links.name

    async def _silence(self, links: "_Links") -> str:
        """Have nothing arrive in one direction or both, whoever has connected."""
        which = self._chance.choice(list(SILENCES))
        for link in links.there:
            link.silence(SILENCES[which])
        for link in links.back:
            link.silence(BACK[each] for each in SILENCES[which])
        with links.mended():
            await asyncio.sleep(self._lasting.stopped_s)
        return f"{links.name}, {which} the latter"

    async def _slow(self, links: "_Links") -> str:
        delay_s = self._chance.choice(DELAYS_S)
        for link in links.all:
            link.delay_s = delay_s
        with links.mended():
            await asyncio.sleep(self._lasting.stopped_s)
        return f"{links.name} by {delay_s:g} s"

    async def _fill_disk(self) -> str:
        disk = self._stage.disk
        assert disk is not None, "only then is this a kind"
        await asyncio.to_thread(disk.be_full)
        await asyncio.sleep(self._lasting.stopped_s)
        await asyncio.to_thread(disk.be_roomy)
        return f"of {CRAMPED}"

    async def _step_clock(self) -> str:
        name, ahead_s = self._chance.choice((*WORKERS, *EDGES)), self._chance.choice(CLOCK_STEPS_S)
        self._stage.step_clock(name, ahead_s)
        await asyncio.sleep(self._lasting.stopped_s)
        self._stage.step_clock(name, 0.0)
        return f"of {name} by {ahead_s:+g} s"

    async def _forget(self) -> str:
        mark = f"{self._chance.getrandbits(64):016x}"
        person = Forgotten(mark, self._stage, self._bus, self._requests, self._report.findings)
        await person.live()
        self._forgotten.append(person)
        name = await person.holder()
        if self._stage.hosts.can_unplug and self._chance.random() < UNPLUGGED:
            await person.be_forgotten_while_unplugged(name, self._lasting.away_s)
            return f"somebody while {name} is unplugged"
        await person.be_forgotten_while_stopped(name, self._lasting.away_s)
        return f"somebody while {name} is stopped"


class _Links(NamedTuple):
    """Links by which two sides reach each other: those that the one has made, and those that the other has made."""

    name: str
    there: list[Link]
    back: list[Link]

    @property
    def all(self) -> Iterable[Link]:
        return (*self.there, *self.back)

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Have them mended at the end."""
        try:
            yield
        finally:
            for link in self.all:
                link.mend()
