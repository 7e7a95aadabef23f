"""Doing something with each of many things, a bounded number of them at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE: Final = 64
"""Requests under way: each waits for the disk, so that this many share one write of it."""


async def for_each(things: Iterable[T], use: Callable[[T], Awaitable[None]], at_once: int = AT_ONCE) -> None:
    """Call `use` with each, `at_once` at a time. What the first raises is raised, and nothing more is begun."""
    waiting = iter(things)
    workers = [asyncio.ensure_future(_work(waiting, use)) for _ in range(at_once)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def results(things: Iterable[T], find: Callable[[T], Awaitable[R]], at_once: int = AT_ONCE) -> list[R]:
    """Give what `find` gives for each, in the order of the things."""
    found: dict[int, R] = {}

    async def keep(numbered: tuple[int, T]) -> None:
        number, thing = numbered
        found[number] = await find(thing)

    await for_each(enumerate(things), keep, at_once)
    return [found[number] for number in sorted(found)]


async def _work(waiting: Iterator[T], use: Callable[[T], Awaitable[None]]) -> None:
    for thing in waiting:
        await use(thing)
