"""The two sides of a ratio in turn, in short rounds: what disturbs the machine, disturbs both."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import Final, NamedTuple

from bench.accounting import Spent, between

US: Final = 1e6


class Turn(NamedTuple):
    """What came of one side's turn."""

    figure: float
    """What is compared: a rate, or a time."""
    operations: float
    """How many were done in it: what the processes have cost is shared out among them."""


Work = Callable[[float], Awaitable[Turn]]
"""Works for so many seconds."""


class Side(NamedTuple):
    """One of the two sides."""

    work: Work
    spent: Callable[[], Spent]
    """Gives what its processes have cost so far."""
    warm_up_s: float = 0.0
    """Seconds of work before its turn. As long as work may be put off: the turn then holds as much as it causes."""
    rest_s: float = 0.0
    """Seconds after its turn in which nobody works: what was put off is done by then, and disturbs no other turn."""


class Measured(NamedTuple):
    """All turns of one side."""

    figures: Sequence[float]
    cpu_us: Spent
    """Microseconds of CPU per operation, by process: medians of the turns."""


async def in_turn(rounds: int, round_s: float, *sides: Side) -> list[Measured]:
    """Let each side work in every round, and every other round the other way round."""
    turns: list[list[tuple[float, Spent]]] = [[] for _ in sides]
    for number in range(rounds):
        for index in list(range(len(sides)))[:: -1 if number % 2 else 1]:
            turns[index].append(await _turn(sides[index], round_s))
    return [_measured(each) for each in turns]


async def _turn(side: Side, round_s: float) -> tuple[float, Spent]:
    if side.warm_up_s:
        await side.work(side.warm_up_s)
    before = side.spent()
    turn = await side.work(round_s)
    cost = between(before, side.spent())
    await asyncio.sleep(side.rest_s)
    return turn.figure, {name: seconds / turn.operations * US for name, seconds in cost.items()}


def _measured(turns: Sequence[tuple[float, Spent]]) -> Measured:
    names = {name: None for _, costs in turns for name in costs}
    costs = {name: median(cost.get(name, 0.0) for _, cost in turns) for name in names}
    return Measured([figure for figure, _ in turns], costs)
