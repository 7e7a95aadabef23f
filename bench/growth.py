"""How much disk a million commands take: in the log, which keeps everything, and in the shards."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from bench import people
from bench.figures import Result, absolute
from bench.ground import PARTITIONS, BenchGround, Benchmark, log_being_filled
from bench.processes import measured

UNIT: Final = "MB per million commands"


class DiskTaken(NamedTuple):
    """What there is of commands, and what it takes on the disk."""

    commands: int
    log_bytes: int
    shard_bytes: int


async def log_growth(ground: BenchGround) -> Result:
    """Measure how the files of nats-server grow."""
    grown = await _grown(ground)
    return _scaled(grown.log_bytes, grown.commands)


async def shard_growth(ground: BenchGround) -> Result:
    """Measure how the files of the shards grow, once all is committed and they are closed."""
    grown = await _grown(ground)
    return _scaled(grown.shard_bytes, grown.commands)


def _scaled(size_bytes: int, commands: int) -> Result:
    counted = f"tells with a text of 25 letters, by one app; the growth over {commands:,} of them, scaled"
    return Result(absolute(UNIT, round(size_bytes / commands)), counted)


async def _grown(ground: BenchGround) -> DiskTaken:
    return await ground.shared("growth", partial(_growing, ground))


@contextlib.asynccontextmanager
async def _growing(ground: BenchGround) -> AsyncIterator[DiskTaken]:
    """Take the difference between a log and another twice as long: what empty files take is no growth."""
    users = [people.person(number) for number in range(ground.sizes.log_users)]
    data_dir, shard_dir = ground.new_folder("growth-log"), ground.new_folder("growth-shards")
    tells = people.tells_in_turn(users, ground.sizes.log_commands)
    half = ground.sizes.log_commands // 2
    few = await _taken(data_dir, shard_dir, [*people.models(users), *(next(tells) for _ in range(half))])
    many = await _taken(data_dir, shard_dir, list(tells))
    yield DiskTaken(*(later - earlier for earlier, later in zip(few, many, strict=True)))


async def _taken(data_dir: Path, shard_dir: Path, commands: list[people.Addressed]) -> DiskTaken:
    """Put commands into the log, have a worker apply them, and see what all takes then."""
    async with log_being_filled(data_dir) as url:
        stored = await people.store(url, commands)
        await measured("programs.worker", url, str(shard_dir), str(PARTITIONS))
    return DiskTaken(stored, _size(data_dir), _size(shard_dir / "shards"))


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"log_growth": log_growth, "shard_growth": shard_growth}
