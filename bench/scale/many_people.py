"""A worker that knows many people, of whom some are active: its memory, and how long it takes to start."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple

import nats
import psutil

from bench import bus_load, people
from bench.bus_load import Aim
from bench.figures import Result, absolute
from bench.ground import BenchGround, Benchmark, log_being_filled, log_server
from bench.people import APP, CONTEXT, Addressed
from bench.scale.sharers import LAG_S, shard_bytes, sharer
from bench.stage import REPLY_PREFIX
from bus.subjects import ask_subject
from schemas.codec import encode
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.queries import Ask

COMPONENTS: Final = 5
TOLD: Final = 2
"""Components of each person that have a value."""

ASKS_AT_ONCE: Final = 64
MIB: Final = 2**20


class Population(NamedTuple):
    """What a worker with many people takes."""

    known: int
    active: int
    caught_up_s: float
    """Seconds to make all shards from the log."""
    started_s: float
    """Seconds to start with them."""
    started_mib: float
    """Private memory of the worker then."""
    active_mib: float
    """The same once so many are active."""
    broker_mib: float
    """Memory of nats-server, which has just read its log."""
    disk: int
    """Bytes of the shards."""


async def many_people_start(ground: BenchGround) -> Result:
    """Measure a start with the shards of many people."""
    found = await _population(ground)
    counted = (
        f"a worker's start with the shards of {found.known:,} people, {found.disk / 1e6:,.0f} MB, until it answers; "
        f"to make them from the log of {found.known * (TOLD + 1):,} commands took {found.caught_up_s:,.0f} s"
    )
    return Result(absolute("s", found.started_s), counted)


async def many_people_memory(ground: BenchGround) -> Result:
    """Measure a worker that knows many people, some of whom are active."""
    found = await _population(ground)
    each = (found.active_mib - found.started_mib) * MIB / found.active
    counted = (
        f"private memory of a worker that knows {found.known:,} people, {found.active:,} of them active: "
        f"{found.started_mib:,.0f} MiB at its start, and {each:,.0f} bytes for each active model of {COMPONENTS} "
        f"components, {TOLD} of them told; nats-server {found.broker_mib:,.0f} MiB"
    )
    return Result(absolute("MiB", found.active_mib), counted)


async def _population(ground: BenchGround) -> Population:
    return await ground.shared("many-people", partial(_measuring, ground))


@contextlib.asynccontextmanager
async def _measuring(ground: BenchGround) -> AsyncIterator[Population]:
    known, active = ground.sizes.known_people, ground.sizes.active_people
    data_dir, folder = ground.new_folder("many-people"), ground.new_folder("many-people-shards")
    async with log_being_filled(data_dir) as url:
        await people.store(url, _commands(known))
    async with log_server(data_dir) as server:
        url = server.url_as("operator")
        async with sharer(url, folder, "bench") as first:
            await asyncio.sleep(LAG_S)
            broker = psutil.Process(server.pid).memory_info().rss
        async with sharer(url, folder, "bench") as again:
            before = _private_bytes(again.started.pid)
            await _ask(url, active)
            after = _private_bytes(again.started.pid)
    yield Population(
        known=known,
        active=active,
        caught_up_s=first.seconds,
        started_s=again.seconds,
        started_mib=before / MIB,
        active_mib=after / MIB,
        broker_mib=broker / MIB,
        disk=shard_bytes([folder]),
    )


def _commands(known: int) -> Iterator[Addressed]:
    names = [people.component(number) for number in range(COMPONENTS)]
    components = [ComponentDefinition(name=name, description=f"What is known of {name}.") for name in names]
    made = ModelDefinition(contexts=[ContextDefinition(path=CONTEXT, components=components)])
    for number in range(known):
        yield people.person(number), people.making(made)
        for told in range(TOLD):
            yield people.person(number), people.tell(told, names[told])


async def _ask(url: str, active: int) -> None:
    """Ask about so many people, each once."""
    connection = await nats.connect(url)
    try:
        payload = encode(Ask(context=CONTEXT, view=[people.component(0)]))
        users = map(people.person, range(active))
        while some := [ask_subject(user, APP, "ask") for user in islice(users, ASKS_AT_ONCE)]:
            await _ask_all(connection, Aim(some, payload, REPLY_PREFIX))
    finally:
        await connection.close()


async def _ask_all(connection: Any, aim: Aim) -> None:
    await asyncio.gather(*(bus_load.request(connection, aim, number) for number in range(len(aim.subjects))))


def _private_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_full_info().uss)


BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "many_people_start": many_people_start,
    "many_people_memory": many_people_memory,
}
