"""What a model costs: in memory, and to bring it there."""

import time
from collections.abc import Mapping
from statistics import median
from typing import Final

import aiosqlite

from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.shard import Shard
from bench import bus_load, people, residents
from bench.failures import BenchError
from bench.figures import Result, absolute, at_most
from bench.ground import BenchGround, Benchmark
from bench.processes import measured
from bus.log import LogMessage
from bus.subjects import log_subject
from schemas.codec import encode
from schemas.commands import Command
from schemas.verbs import verb_of

MEMORY_BAR_BYTES = 8000
ACTIVATION_BAR = 3.0
COLD_ASKS = 200
MS = 1e3

ONE_ROW = "SELECT key, seq, time_us FROM user WHERE name = ?"

BATCH = 500
"""Models made in one transaction."""


async def memory(ground: BenchGround) -> Result:
    """Measure how a process grows with the models that it activates, once so many are active that the first rest."""
    count = ground.sizes.resident_models
    warm = count // 2
    shard_file = ground.new_folder("resident") / "0.db"
    shard = await Shard.open(shard_file)
    await _fill(shard, warm + count)
    await shard.close()
    found = await measured("programs.resident", str(shard_file), str(warm), str(count))
    counted = (
        f"private memory per active model of {people.COMPONENTS} components, half in contexts of the person's own, "
        f"all asked for; over {count:,} models after {warm:,}"
    )
    return Result(absolute("bytes", round(found["bytes"]), MEMORY_BAR_BYTES), counted)


async def activate(ground: BenchGround) -> Result:
    """Measure the first ask about a person since llum was started, one at a time."""
    stage = await ground.stage()
    await stage.answer_to(stage.asks(stage.busy_people()))
    cold: list[float] = []
    warm: list[float] = []
    for user in stage.cold_people(COLD_ASKS):
        for times in (cold, warm):
            began = time.perf_counter()
            await bus_load.request(stage.connection, stage.asks([user]))
            times.append((time.perf_counter() - began) * MS)
    counted = f"p50 of the first ask over the bus, round trip included (the second takes {median(warm):.2f} ms)"
    return Result(absolute("ms", median(cold)), counted)


async def activation(ground: BenchGround) -> Result:
    """Measure how a partition brings a model into memory, and how long one row takes through a connection."""
    shard_file = ground.new_folder("activation") / "0.db"
    shard = await Shard.open(shard_file)
    await _fill(shard, ground.sizes.cold_models)
    await shard.close()
    shard = await Shard.open(shard_file)
    cold: list[float] = []
    one: list[float] = []
    async with aiosqlite.connect(shard_file) as connection:
        partition = Partition(0, shard, ActiveModels(ground.sizes.cold_models))
        for number in range(ground.sizes.cold_models):
            began = time.perf_counter()
            async with partition.reading(people.person(number)) as live:
                loaded = time.perf_counter()
            if live is None or live.model is None:
                raise BenchError(f"the shard has no model of {people.person(number)}")
            await connection.execute_fetchall(ONE_ROW, (people.person(number),))
            cold.append((loaded - began) * MS)
            one.append((time.perf_counter() - loaded) * MS)
    await shard.close()
    counted = (
        f"p50 of {len(cold):,} models of {people.COMPONENTS} components, from the shard into memory; "
        "limit: a read of one row by its key through aiosqlite"
    )
    return Result(at_most(ACTIVATION_BAR, "ms", cold, one), counted)


async def _fill(shard: Shard, count: int) -> None:
    partition = Partition(0, shard, ActiveModels(BATCH))
    for first in range(0, count, BATCH):
        users = [people.person(number) for number in range(first, min(first + BATCH, count))]
        commands = residents.commands(users)
        await partition.apply(
            [_logged(*command, seq) for seq, command in enumerate(commands, partition.applied_seq + 1)]
        )
        await partition.commit_all()


def _logged(user: str, command: Command, seq: int) -> LogMessage:
    subject = log_subject(0, user, people.sender_of(command), verb_of(command))
    return LogMessage(seq, time.time_ns() // 1000, 0, subject, encode(command), None)


COLD_BENCHMARKS: Final[Mapping[str, Benchmark]] = {"activate": activate}
"""What needs a llum that nobody has asked anything yet."""

BENCHMARKS: Final[Mapping[str, Benchmark]] = {"memory": memory, "activation": activation}
