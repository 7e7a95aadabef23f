"""How fast one worker applies a log that is there already."""

from collections.abc import Mapping
from itertools import count
from typing import Final

from bench import accounting, people
from bench.accounting import Spent
from bench.failures import BenchError
from bench.figures import Result, at_least, costing
from bench.ground import PARTITIONS, BenchGround, Benchmark, log_being_filled, log_server
from bench.in_turn import Side, Turn, in_turn
from bench.processes import measured
from bus.embedded import EmbeddedServer

CATCH_UP_BAR = 0.35


async def catch_up(ground: BenchGround) -> Result:
    """Measure a worker with empty shards, and bare consumers of the same messages, each in a fresh process."""
    sizes, data_dir = ground.sizes, ground.new_folder("catch-up")
    users = [people.person(number) for number in range(sizes.log_users)]
    async with log_being_filled(data_dir) as url:
        await people.store(url, people.models(users))
        commands = await people.store(url, people.tells_in_turn(users, sizes.log_commands - len(users)))
    if commands != sizes.log_commands:
        raise BenchError(f"{commands} of {sizes.log_commands} commands are in the log")
    async with log_server(data_dir) as server:
        working, reading = _Working(ground, server, commands), _Reading(server, commands)
        sides = [Side(one.turn, one.spent) for one in (working, reading)]
        value, limit = await in_turn(sizes.long_rounds, 0.0, *sides)
    figure = at_least(CATCH_UP_BAR, "commands/s", value.figures, limit.figures)
    counted = (
        f"{commands:,} commands by {len(users)} users, empty shards, until ready and committed; "
        "limit: nats-py ordered consumers with a callback, from subscribe to the last message"
    )
    return Result(costing(figure, value.cpu_us, limit.cpu_us), counted)


class _Fresh:
    """A program that is run anew in each turn and says what it has cost; and the nats-server that it reads from."""

    def __init__(self, name: str, server: EmbeddedServer, commands: int) -> None:
        self._name = name
        self._server = server
        self._commands = commands
        self._cpu_seconds = 0.0

    def spent(self) -> Spent:
        assert self._server.pid is not None, "it runs as long as the benchmark does"
        return {**accounting.spent([self._server.pid]), self._name: self._cpu_seconds}

    async def run(self, *arguments: str) -> Turn:
        found = await measured(f"programs.{self._name}", self._server.url_as("operator"), *arguments)
        if found["commands"] != self._commands:
            raise BenchError(f"the {self._name} found {found['commands']} of {self._commands} commands")
        self._cpu_seconds += found["cpu_seconds"]
        return Turn(self._commands / found["seconds"], self._commands)


class _Working(_Fresh):
    """A worker."""

    def __init__(self, ground: BenchGround, server: EmbeddedServer, commands: int) -> None:
        super().__init__("worker", server, commands)
        self._folders = (ground.new_folder(f"worker-{number}") for number in count())

    async def turn(self, _duration_s: float) -> Turn:
        return await self.run(str(next(self._folders)), str(PARTITIONS))


class _Reading(_Fresh):
    """The bare consumers."""

    def __init__(self, server: EmbeddedServer, commands: int) -> None:
        super().__init__("reader", server, commands)

    async def turn(self, _duration_s: float) -> Turn:
        return await self.run(str(self._commands))


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"catch_up": catch_up}
