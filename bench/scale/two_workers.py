"""What two workers that share a log cost, beside one that reads it alone."""

from collections.abc import Mapping
from statistics import median
from typing import Final

from bench import people
from bench.figures import Result, at_most, costing
from bench.ground import BenchGround, Benchmark, log_being_filled, log_server
from bench.in_turn import Side, in_turn
from bench.scale.sharers import SharersAtOnce

SHARING_BAR: Final = 1.15
"""How many times the CPU time of one worker two may take for the same log."""

ROUNDS: Final = 3


async def two_workers(ground: BenchGround) -> Result:
    """Measure the CPU time of catching up, of all processes; wall-clock time is told beside it."""
    sizes, data_dir = ground.sizes, ground.new_folder("shared-log")
    users = [people.person(number) for number in range(sizes.log_users)]
    async with log_being_filled(data_dir) as url:
        await people.store(url, people.models(users))
        commands = await people.store(url, people.tells_in_turn(users, sizes.shared_log_commands))
    async with log_server(data_dir) as server:
        two, one = (SharersAtOnce(ground, server, workers, commands) for workers in (2, 1))
        sides = [Side(each.turn, each.spent) for each in (two, one)]
        value, limit = await in_turn(min(ROUNDS, sizes.long_rounds), 0.0, *sides)
    figure = at_most(SHARING_BAR, "CPU s per million", value.figures, limit.figures)
    counted = (
        f"{commands:,} commands by two workers with empty shards, nats-server's time included; limit: by one. Until "
        f"both answered it took {median(two.seconds):.1f} s, {median(two.seconds) / median(one.seconds):.2f} of the "
        f"{median(one.seconds):.1f} s that one took"
    )
    return Result(costing(figure, value.cpu_us, limit.cpu_us), counted)


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"two_workers": two_workers}
