"""What an answer does while a plug-in resolves for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from actors.plugins.plugin import BOUNDS, PluginCall
from bus import rejections
from model.resolvers.registry import Resolved, Resolver, failed, given_by
from model.resolvers.summaries import SHIPPED
from schemas.definitions import ComponentDefinition
from schemas.errors import Code, LlumError
from schemas.queries import Ask
from schemas.replies import AskReply
from tests.actors.serving import Llum, serving
from tests.waiting import DEADLINE_S, eventually

NINE = Resolved(9)


class Held:
    """Stands in for a plug-in: resolves when the gate is opened."""

    bounds = BOUNDS

    def __init__(self) -> None:
        self.calls: list[PluginCall] = []
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gives: Callable[[], Resolved | LlumError] = lambda: NINE

    async def resolve(self, call: PluginCall, _deadline: float) -> None:
        self.calls.append(call)
        self.asked.set()
        await self.gate.wait()
        call.results = [self.gives() for _ in call.wanted]


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
async def llum(tmp_path: Path, held: Held) -> AsyncIterator[Llum]:
    resolver = Resolver("held", lambda *_: given_by(None), elsewhere=held)
    async with serving(tmp_path, resolvers={**SHIPPED, "held": resolver}) as one:
        components = [ComponentDefinition(name=name, value_type="JSON", resolver="held") for name in ("a", "b")]
        await one.make_person("alice", *components, "told")
        yield one


async def ask(llum: Llum, resolver: str | None = None, **more: object) -> AskReply:
    query = Ask(context=["c"], view=["a", "b"], resolver=resolver, **more)  # type: ignore[arg-type]
    reply = await llum.requests.ask("alice", "llum", query, DEADLINE_S)
    assert isinstance(reply, AskReply)
    return reply


@pytest.mark.parametrize("from_memory", [False, True])
async def test_others_go_on_meanwhile(llum: Llum, held: Held, from_memory: bool) -> None:
    """Nothing of the partition is held: tells of the same person are applied, and asks are answered."""
    for value in (1, 2):
        await llum.tell("a", value)
    if from_memory:
        await ask(llum, "count")
    asking = asyncio.create_task(ask(llum))
    await asyncio.wait_for(held.asked.wait(), DEADLINE_S)
    await llum.tell("a", 3)
    assert [one.value for one in (await ask(llum, "default")).components] == [3, None]
    assert not asking.done()
    held.gate.set()
    reply = await asking
    assert [one.value for one in reply.components] == [9, 9]
    (call,) = held.calls
    assert [len(one.bodies) for one in call.wanted] == [2, 0], "both in one call, with what was read before"


async def test_the_past_is_asked_without_holding_anything_either(llum: Llum, held: Held) -> None:
    """A model of the past is loaded, and then let go of."""
    await llum.tell("a", 1)
    seq = (await ask(llum, "default")).seq
    await llum.tell("a", 2)
    asking = asyncio.create_task(ask(llum, as_of_seq=seq))
    await asyncio.wait_for(held.asked.wait(), DEADLINE_S)
    await llum.tell("a", 3)
    held.gate.set()
    assert [one.value for one in (await asking).components] == [9, 9]
    assert [len(one.bodies) for one in held.calls[0].wanted] == [1, 0]


async def test_a_rule_waits_for_a_plugin_and_holds_up_nobody(llum: Llum, held: Held) -> None:
    """Its firing goes on when there is a value."""
    await llum.subscribe("a", "'' ~ '' : TELL ./c/told, explicit:<./c/a>")
    await llum.tell("a", 1)
    await asyncio.wait_for(held.asked.wait(), DEADLINE_S)
    await llum.tell("b", 1)
    assert await llum.values("told") == []
    held.gate.set()
    await llum.until("told", [9])


async def test_a_rule_whose_plugin_fails_is_reported(llum: Llum, held: Held) -> None:
    """As any rule that cannot get a value."""
    held.gives = lambda: failed("held", "it took more than 1 s")
    held.gate.set()
    await llum.subscribe("a", "'' ~ '' : TELL ./c/told, explicit:<./c/a>")
    await llum.tell("a", 1)

    async def reported() -> list[Code]:
        return [one.error.code for one in await rejections.read(llum.bus, "alice", None)]

    assert await eventually(reported) == [Code.RESOLVER_FAILED]
