"""Beginning with snapshots instead of the whole log, and moving a large partition to another worker."""

import asyncio
import random
import shutil
import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Final

import msgspec

from bench import people
from bench.failures import BenchError
from bench.figures import Result, absolute, at_least
from bench.ground import PARTITIONS, BenchGround, Benchmark, log_being_filled, log_server
from bench.in_turn import Side, Turn, in_turn
from bench.people import Addressed
from bench.processes import measured
from bench.scale.sharers import LAG_S, sharer
from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.operator_subjects import worker_subject
from bus.shard_snapshots import request_snapshot
from bus.subjects import partition_of
from bus.workers import Order, from_bits, read_words
from schemas.commands import Tell
from schemas.evidence import NewEvidence

SNAPSHOT_BAR: Final = 10.0
"""How many times as fast as the log alone a snapshot is to be."""

ROUNDS: Final = 3
MADE_WITHIN_S: Final = 600.0
MOVED_WITHIN_S: Final = 1800.0
LOOK_EVERY_S: Final = 0.05

LARGE: Final = 0
"""The partition that is moved."""

MANY_WORDS: Final = 4096
VALUE_WORDS: Final = 640
"""Words of a value: about four kilobytes, which zlib makes a third of."""

READERS: Final = 100
"""People of that partition."""


async def from_snapshot(ground: BenchGround) -> Result:
    """Measure a worker with an empty folder that finds snapshots of everything, and one that finds none."""
    sizes, bare, snapped = ground.sizes, ground.new_folder("log-alone"), ground.folder / "with-snapshots"
    users = [people.person(number) for number in range(sizes.log_users)]
    async with log_being_filled(bare) as url:
        await people.store(url, people.models(users))
        commands = await people.store(url, people.tells_in_turn(users, sizes.shared_log_commands))
    await asyncio.to_thread(shutil.copytree, bare, snapped)
    async with log_server(snapped) as server, log_server(bare) as other:
        async with sharer(server.url_as("operator"), ground.new_folder("maker"), "maker"):
            stored = await _make_snapshots(server, range(PARTITIONS))
        begin = _Beginning(ground, "snapshots", server, commands), _Beginning(ground, "log", other, commands)
        sides = [Side(each.turn, dict) for each in begin]
        value, limit = await in_turn(min(ROUNDS, sizes.long_rounds), 0.0, *sides)
    seconds = [commands / min(each.figures) for each in (value, limit)]
    counted = (
        f"{commands:,} commands, empty shards, until ready; snapshots of all of it, {stored / 1e6:,.0f} MB in all; "
        f"limit: from the log alone. At most {seconds[0]:.2f} s and {seconds[1]:.2f} s"
    )
    return Result(at_least(SNAPSHOT_BAR, "commands/s", value.figures, limit.figures), counted)


async def move_partition(ground: BenchGround) -> Result:
    """Measure how long a large partition takes from the order to drain its worker until another one answers for it."""
    data_dir, large = ground.new_folder("large"), ground.sizes.large_partition_bytes
    async with log_being_filled(data_dir) as url:
        users = [user for user in map(people.person, range(READERS * PARTITIONS)) if _is_moved(user)]
        await people.store(url, people.models(users))
        await people.store(url, _large_tells(users, large))
    async with log_server(data_dir) as server:
        url, first, second = server.url_as("operator"), ground.new_folder("first"), ground.new_folder("second")
        async with sharer(url, first, "first"), sharer(url, second, "second", "draining"):
            await asyncio.sleep(LAG_S)
            stored = await _make_snapshots(server, [LARGE])
            seconds = await _moved(server)
            moved = (second / "shards" / f"{LARGE}.db").stat().st_size
    counted = (
        f"from the order until another worker answered, with a new snapshot: {moved / 1e6:,.0f} MB of shard, "
        f"{stored / 1e6:,.0f} MB compressed, {moved / 1e6 / seconds:,.0f} MB/s. It answers all the time"
    )
    return Result(absolute("s", seconds), counted)


class _Beginning:
    """One side: a worker that begins with nothing in its folder."""

    def __init__(self, ground: BenchGround, name: str, server: EmbeddedServer, commands: int) -> None:
        self._url = server.url_as("operator")
        self._commands = commands
        self._folders = (ground.new_folder(f"from-{name}-{number}") for number in count())

    async def turn(self, _duration_s: float) -> Turn:
        found = await measured("programs.worker", self._url, str(next(self._folders)), str(PARTITIONS))
        if found["commands"] != self._commands:
            raise BenchError(f"the worker has {found['commands']} of {self._commands} commands")
        return Turn(self._commands / found["seconds"], self._commands)


async def _make_snapshots(server: EmbeddedServer, partitions: range | list[int]) -> int:
    """Have snapshots made of these partitions, and give their bytes in the store."""
    bus = await Bus.connect(server.url_as("operator"), name="bench")
    try:
        for number in partitions:
            made = await request_snapshot(bus, number, MADE_WITHIN_S)
            if made is None or made.failure is not None:
                raise BenchError(f"no snapshot of partition {number}: {made and made.failure}")
        streams = Path(server.log_file).parent.parent / "nats" / "jetstream"
        return sum(file.stat().st_size for file in streams.rglob("OBJ_LLUM_SNAPSHOTS/msgs/*.blk"))
    finally:
        await bus.close()


async def _moved(server: EmbeddedServer) -> float:
    """Order the first to serve nothing more, and give the seconds until only the second answers for the partition."""
    bus = await Bus.connect(server.url_as("operator"), name="bench")
    try:
        began = time.perf_counter()
        for name, drain in (("second", False), ("first", True)):
            await bus.inbox.request(worker_subject(name), msgspec.json.encode(Order(drain)), MADE_WITHIN_S)
        while await _who_answers(bus) != {"second"}:
            if time.perf_counter() - began > MOVED_WITHIN_S:
                raise BenchError(f"the partition has not moved within {MOVED_WITHIN_S:g} s")
            await asyncio.sleep(LOOK_EVERY_S)
        return time.perf_counter() - began
    finally:
        await bus.close()


async def _who_answers(bus: Bus) -> set[str]:
    return {word.id for word in await read_words(bus) if LARGE in from_bits(word.ready)}


def _is_moved(user: str) -> bool:
    return partition_of(user, PARTITIONS) == LARGE


def _large_tells(users: list[str], size: int) -> Iterator[Addressed]:
    """Tell texts of random words, always the same, until the shard has about that size."""
    chance = random.Random(0)  # noqa: S311 - no secret
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(MANY_WORDS)]
    told = 0
    for number in count():
        if told >= size:
            return
        value = " ".join(chance.choices(words, k=VALUE_WORDS))
        told += len(value)
        name = people.component(number // len(users))
        evidence = NewEvidence(value=value)
        yield (
            users[number % len(users)],
            Tell(id=f"tell-{number}", context=people.CONTEXT, component=name, evidence=evidence),
        )


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"from_snapshot": from_snapshot, "move_partition": move_partition}
