"""Rounds: every operation on both checkouts, each round in the other order."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from bench.accounting import cpu_seconds
from bench.compare.house import CATCH_UP, OPERATIONS, Furnished, House

TURNS = 20
"""Parts of an operation's share of a round, taken in turn with the other checkout: what disturbs one, disturbs both."""

WARM_UP_SHARE = 0.1
"""Part of an operation's share of a round that is done before and not counted."""

SETTLED_S = 1.5
"""Seconds after which llum has written what it has put off. An idle llum costs next to nothing meanwhile."""

US = 1e6

Costs = dict[str, list[float]]
"""Microseconds of CPU time of one operation in each round, by the name of the operation."""


async def measure(houses: Sequence[House], rounds: int, scale: float, progress: Callable[[str], None]) -> list[Costs]:
    """Give the costs of each house's operations."""
    costs: list[Costs] = [{one.name: [] for one in (*OPERATIONS, CATCH_UP)} for _ in houses]
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}")
        order = list(range(len(houses)))[:: -1 if number % 2 else 1]
        await _speak(houses, order, scale, costs)
        for side in order:
            costs[side][CATCH_UP.name].append(await houses[side].catch_up() * US)
    return costs


async def _speak(houses: Sequence[House], order: Sequence[int], scale: float, costs: list[Costs]) -> None:
    async with AsyncExitStack() as stack:
        open_houses = {side: await stack.enter_async_context(houses[side].open()) for side in order}
        for name, per_round in OPERATIONS:
            count = max(TURNS, round(per_round * scale))
            for side, spent in (await _in_turns(open_houses, name, count)).items():
                costs[side][name].append(spent / count * US)


async def _in_turns(houses: dict[int, Furnished], name: str, count: int) -> dict[int, float]:
    """Do the operation so often in each house; give the CPU seconds that each has taken, put-off work included."""
    for house in houses.values():
        await house.loads[name](round(count * WARM_UP_SHARE))
    await asyncio.sleep(SETTLED_S)
    before = _spent(houses)
    for turn in range(TURNS):
        for side in list(houses)[:: -1 if turn % 2 else 1]:
            await houses[side].loads[name](count // TURNS)
    await asyncio.sleep(SETTLED_S)
    return {side: after - before[side] for side, after in _spent(houses).items()}


def _spent(houses: dict[int, Furnished]) -> dict[int, float]:
    return {side: cpu_seconds(house.pids) for side, house in houses.items()}
