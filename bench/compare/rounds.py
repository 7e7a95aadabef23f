"""Rounds: every operation on both checkouts, each round in the other order."""

import asyncio
import time
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

IDLE = "idle second"
"""What llum costs in a second in which nobody wants anything. It is counted by itself and taken off the operations: how
much of it would stand among them depends on how fast this machine is, not on what an operation does."""

IDLE_S = 4.0
"""Seconds of a round in which that is seen."""

Costs = dict[str, list[float]]
"""Microseconds of CPU time of one operation in each round, by the name of the operation."""


async def measure(houses: Sequence[House], rounds: int, scale: float, progress: Callable[[str], None]) -> list[Costs]:
    """Give the costs of each house's operations."""
    costs: list[Costs] = [{name: [] for name in (*(one.name for one in (*OPERATIONS, CATCH_UP)), IDLE)} for _ in houses]
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
        idle = await _idle(open_houses)
        for side, per_second in idle.items():
            costs[side][IDLE].append(per_second * US)
        for name, per_round in OPERATIONS:
            count = max(TURNS, round(per_round * scale))
            for side, spent in (await _in_turns(open_houses, name, count, idle)).items():
                costs[side][name].append(spent / count * US)


async def _idle(houses: dict[int, Furnished]) -> dict[int, float]:
    """Give the CPU seconds that each house takes in a second, once it has begun and nobody wants anything."""
    await asyncio.sleep(SETTLED_S)
    before, started = _spent(houses), time.monotonic()
    await asyncio.sleep(IDLE_S)
    elapsed = time.monotonic() - started
    return {side: (after - before[side]) / elapsed for side, after in _spent(houses).items()}


async def _in_turns(houses: dict[int, Furnished], name: str, count: int, idle: dict[int, float]) -> dict[int, float]:
    """Do the operation so often in each house; give the CPU seconds that each has taken beyond `idle`, put-off work
    included.
    """
    for house in houses.values():
        await house.loads[name](round(count * WARM_UP_SHARE))
    await asyncio.sleep(SETTLED_S)
    before, started = _spent(houses), time.monotonic()
    for turn in range(TURNS):
        for side in list(houses)[:: -1 if turn % 2 else 1]:
            await houses[side].loads[name](count // TURNS)
    await asyncio.sleep(SETTLED_S)
    elapsed = time.monotonic() - started
    return {side: after - before[side] - idle[side] * elapsed for side, after in _spent(houses).items()}


def _spent(houses: dict[int, Furnished]) -> dict[int, float]:
    return {side: cpu_seconds(house.pids) for side, house in houses.items()}
