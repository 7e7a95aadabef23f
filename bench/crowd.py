"""Tells about many people, each about another: what it costs that not everybody's model is at hand."""

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from bench import accounting, people
from bench.accounting import tree
from bench.bus_load import ANSWER_WITHIN_S
from bench.failures import BenchError
from bench.figures import Result, at_least, costing
from bench.ground import BenchGround, Benchmark, log_being_filled
from bench.in_turn import Side, Turn, in_turn
from bench.processes import llum_up
from bench.sizes import IN_FLIGHT
from bus.connection import Bus
from bus.subjects import REPLY_TO_HEADER, command_subject
from schemas.codec import encode

CROWD_BAR: Final = 0.7
ACCEPTED_PREFIX: Final = b'{"outcome":"accepted"'


async def tell_crowd(ground: BenchGround) -> Result:
    """Measure as many tells as there are people in a crowd: each about another, and all about a few of them."""
    sizes, data_dir = ground.sizes, ground.new_folder("crowd")
    users = [people.person(number) for number in range(sizes.crowd)]
    few = users[: sizes.log_users]
    async with log_being_filled(data_dir) as url:
        await people.store(url, people.models(users))
    async with llum_up(data_dir) as (running, _):
        bus = await Bus.connect(running.nats, name="bench-crowd")
        try:
            tells = _Tells(bus, sizes.crowd)
            await tells.start()
            spent = partial(_spent, running.pid)
            sides = [Side(partial(tells.turn, those), spent, rest_s=sizes.lag_s) for those in (users, few)]
            value, limit = await in_turn(sizes.long_rounds, 0.0, *sides)
        finally:
            await bus.close()
    figure = at_least(CROWD_BAR, "tells/s", value.figures, limit.figures)
    counted = (
        f"{len(users):,} tells over the bus, {IN_FLIGHT} in flight, each about another person; "
        f"limit: about {len(few)} people"
    )
    return Result(costing(figure, value.cpu_us, limit.cpu_us), counted)


def _spent(pid: int) -> accounting.Spent:
    return accounting.spent(tree(pid))


class _Tells:
    """Tells over one connection, each sent when the outcome of an earlier one has come."""

    def __init__(self, bus: Bus, count: int) -> None:
        self._bus = bus
        self._count = count
        self._inbox = bus.new_inbox()
        self._headers = f"NATS/1.0\r\n{REPLY_TO_HEADER}: {self._inbox}\r\n\r\n".encode()
        self._numbers = itertools.count()
        self._subjects: list[bytes] = []
        self._left = 0
        self._done: asyncio.Future[None] | None = None

    async def start(self) -> None:
        await self._bus.listen(self._inbox, self._on_outcome)
        await self._bus.flush()

    async def turn(self, users: Sequence[str], _duration_s: float) -> Turn:
        """Tell so often, about each of these people in turn."""
        turns = itertools.islice(itertools.cycle(users), self._count)
        self._subjects = [command_subject(user, people.APP, "tell").encode() for user in turns]
        self._left, self._done = self._count, asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        for _ in range(min(IN_FLIGHT, self._count)):
            self._send()
        await asyncio.wait_for(self._done, ANSWER_WITHIN_S + self._count)
        return Turn(self._count / (time.perf_counter() - began), self._count)

    def _send(self) -> None:
        number = next(self._numbers)
        tell = people.tell(number, people.component(number))
        if not self._bus.publish_soon(self._subjects.pop(), encode(tell), b"", self._headers):
            self._fail(BenchError("the connection takes no tells"))

    def _on_outcome(self, _subject: bytes, _reply: bytes, _headers: bytes, data: bytes) -> None:
        if not data.startswith(ACCEPTED_PREFIX):
            self._fail(BenchError(f"a tell was answered {data[:200]!r}"))
        self._left -= 1
        if self._subjects:
            self._send()
        elif not self._left and self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _fail(self, error: BenchError) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(error)


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"tell_crowd": tell_crowd}
