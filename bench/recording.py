"""What it costs to record who asks: people who are asked once a minute each, with the record and without it.

A worker with 64 partitions and 20,000 people has 312 of them in each, who are asked 333 times a second in all. Here one
partition has all of that load: 312 people, and minutes that are 64 times as short. So there are as many asks and
messages in a second, as many people in a batch and as many asks in a window as there would be. Both sides are asked
side by side, each by its own nats-server and worker.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from functools import partial
from statistics import median
from typing import Any, Final, NamedTuple

import nats

from bench import accounting, bus_load, people
from bench.accounting import Spent, between
from bench.bus_load import Aim
from bench.figures import Result, at_most, costing
from bench.ground import BenchGround, Benchmark
from bench.processes import program
from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.installation import install
from bus.subjects import ask_subject
from schemas.codec import encode

AUDIT_BAR: Final = 1.05
TIMES: Final = 64
"""How much faster the clock of the record runs."""

MANY_PEOPLE: Final = 20_000
WINDOW_S: Final = 15 * 60 / TIMES
"""Seconds after which a person's asks are written who is asked the same all the time."""

ASKS_PER_S: Final = MANY_PEOPLE / 60
BURST_S: Final = 0.003
"""Seconds between two asks."""

ANSWER_PREFIX: Final = b'{"reply":"ask"'


class _Served(NamedTuple):
    """One side: whoever asks it, and what its processes have cost so far."""

    connection: Any
    pids: list[int]

    def spent(self) -> Spent:
        return accounting.spent(self.pids)


async def audit(ground: BenchGround) -> Result:
    """Measure the CPU time of an ask at the pace of 20,000 people, with the record and without it."""
    users = [people.person(number) for number in range(MANY_PEOPLE // TIMES)]
    subjects = [ask_subject(user, people.APP, "ask") for user in users]
    aim = Aim(subjects, encode(people.ask()), ANSWER_PREFIX)
    window_s = WINDOW_S * ground.sizes.slow_round_s
    async with contextlib.AsyncExitStack() as exits:
        sides = [await exits.enter_async_context(_served(ground, users, switch)) for switch in ("on", "off")]
        await _ask(sides, aim, window_s)
        rounds = [await _measured(sides, aim, window_s) for _ in range(ground.sizes.long_rounds)]
    on, off = ([one[index] for one in rounds] for index in (0, 1))
    figure = at_most(AUDIT_BAR, "µs", [sum(cost.values()) for cost in on], [sum(cost.values()) for cost in off])
    counted = (
        f"CPU time of an ask over the bus, all processes, where {MANY_PEOPLE:,} people are asked once a minute each; "
        "limit: the same by a worker that counts nothing"
    )
    return Result(costing(figure, _middle(on), _middle(off)), counted)


@contextlib.asynccontextmanager
async def _served(ground: BenchGround, users: list[str], switch: str) -> AsyncIterator[_Served]:
    folder = ground.new_folder(f"audit-{switch}")
    server = EmbeddedServer(folder, partitions=1)
    await server.start()
    try:
        await server.wait_ready()
        bus = await Bus.connect(server.url_as("operator"), name="bench")
        await install(bus, 1)
        await bus.close()
        await people.store(server.url_as("operator"), people.models(users))
        async with program("programs.recorder", server.url_as("operator"), str(folder), switch, str(TIMES)) as started:
            connection = await nats.connect(server.url_as("operator"))
            assert server.pid is not None, "it runs as long as the benchmark does"
            yield _Served(connection, [server.pid, started.pid])
            await connection.close()
    finally:
        await server.stop()


async def _measured(sides: list[_Served], aim: Aim, seconds: float) -> list[Spent]:
    """Give what an ask has cost on each side, in microseconds by process."""
    before = [side.spent() for side in sides]
    count = await _ask(sides, aim, seconds)
    costs = [between(start, side.spent()) for start, side in zip(before, sides, strict=True)]
    return [{name: cost / count * 1e6 for name, cost in each.items()} for each in costs]


async def _ask(sides: list[_Served], aim: Aim, seconds: float) -> int:
    """Ask each side about one person after the other, at the pace; give how often."""
    began, count = time.perf_counter(), 0
    under_way: set[asyncio.Task[bytes]] = set()
    while time.perf_counter() - began < seconds or not count:
        while count < (time.perf_counter() - began) * ASKS_PER_S:
            for side in sides:
                task = asyncio.create_task(bus_load.request(side.connection, aim, count))
                under_way.add(task)
                task.add_done_callback(partial(_seen, under_way))
            count += 1
        await asyncio.sleep(BURST_S)
    await asyncio.gather(*under_way)
    return count


def _seen(under_way: "set[asyncio.Task[bytes]]", task: "asyncio.Task[bytes]") -> None:
    under_way.discard(task)
    task.result()


def _middle(costs: list[Spent]) -> Spent:
    return {name: median(cost.get(name, 0.0) for cost in costs) for name in costs[0]}


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"audit": audit}
