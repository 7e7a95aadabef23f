"""Running the generators of the model: they yield what they need from outside, and are sent it.

`drive` runs one to its end. An answer is run in steps instead: most need nothing, or only what is at hand, and are done
without a coroutine (`go_on`); the others must begin while their partition is held (`begin`) and may end after that
(`finish`). What reading raises goes to the caller, never into a generator: a model knows nothing of full disks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from actors.plugins.together import resolve_together
from model.elsewhere import Together
from model.reads import AsOf, Decisions, Follow, Followed, Found, Pause, Read, Recorded
from model.resolvers.registry import Resolve, resolved_or_refused
from model.state import Model
from schemas.asked import AskedRow

Need = TypeVar("Need")
Met = TypeVar("Met")
Result = TypeVar("Result")

Driven = Generator[Any, Any, Result]
NotAtHand = list[Read] | Follow | AsOf | Pause | Together | Recorded | Decisions


class EvidenceStore(Protocol):
    """Where evidence is read, and what else is stored beside a model."""

    async def read(self, reads: Sequence[Read]) -> list[Found]:
        """Read."""

    async def follow(self, wanted: Follow) -> list[Followed]:
        """Find what follows from evidence."""

    async def decisions(self, wanted: Decisions) -> list[bytes]:
        """Read what was decided about apps."""


class Done(msgspec.Struct, Generic[Result], frozen=True, gc=False):
    """What a generator has returned."""

    result: Result


async def drive(generator: Generator[Need, Met, Result], meet: Callable[[Need], Awaitable[Met]]) -> Result:
    """Run a generator to its end, and give its result."""
    try:
        need = next(generator)
        while True:
            need = generator.send(await meet(need))
    except StopIteration as done:
        result: Result = done.value
        return result
    finally:
        generator.close()


def go_on(answering: Driven[Result], met: object = None) -> NotAtHand | Done[Result]:
    """Send what was needed, and go on while all is at hand. Gives what is not, or the result. Raises as the answer."""
    try:
        need = answering.send(met)
        while True:
            if type(need) is not Resolve:
                wanted: NotAtHand = need
                return wanted
            need = answering.send(resolved_or_refused(need))
    except StopIteration as done:
        return Done(done.value)


async def begin(answering: Driven[Result], load: Callable[[AsOf], Awaitable[Model | None]]) -> NotAtHand | Done[Result]:
    """Go on until there is evidence to read. Up to then the answer looks at the model: hold the partition meanwhile."""
    need = go_on(answering)
    while isinstance(need, AsOf):
        need = go_on(answering, await load(need))
    return need


async def no_record(_wanted: Recorded) -> list[AskedRow]:
    """There is none for what llum asks for itself."""
    return []


async def finish(
    answering: Driven[Result],
    stored: EvidenceStore,
    need: NotAtHand | Done[Result],
    recorded: Callable[[Recorded], Awaitable[list[AskedRow]]] = no_record,
) -> Result:
    """Read what the answer needs until it is done; `recorded` reads who asked. Raises as the answer, and as reading."""
    while not isinstance(need, Done):
        assert not isinstance(need, AsOf), "models of the past are loaded at the beginning"
        if isinstance(need, Pause):
            await asyncio.sleep(0)
            need = go_on(answering)
        elif isinstance(need, Together):
            need = go_on(answering, await resolve_together(need))
        elif isinstance(need, Follow):
            need = go_on(answering, await stored.follow(need))
        elif isinstance(need, Recorded):
            need = go_on(answering, await recorded(need))
        elif isinstance(need, Decisions):
            need = go_on(answering, await stored.decisions(need))
        else:
            need = go_on(answering, await stored.read(need))
    return need.result
