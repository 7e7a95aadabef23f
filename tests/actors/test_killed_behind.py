"""A worker process that dies at a chosen step between a command and its commit.

Goal: wherever it dies, each acknowledged command is in the model exactly once, a repeat gets the outcome that was said,
and no ask after the restart is behind what was said before. Method: a worker is started with a failpoint, and told one
piece after the other by a sender that repeats each until it has heard its outcome. When the worker has died another one
is started on the same folder, without a failpoint.
"""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, get_args

import pytest

from bus.failpoints import DeathStep, arm
from llum.processes.worker import FAILPOINT
from schemas.commands import Correct, Tell, Withdraw
from schemas.evidence import NewEvidence
from schemas.queries import Ask, Ping
from schemas.replies import Accepted, AskReply, Outcome, PingReply
from tests.actors.serving import Llum, speaking
from tests.actors.worker_process import WorkerProcess
from tests.waiting import DEADLINE_S, eventually

STEPS: tuple[DeathStep, ...] = get_args(DeathStep)

TELLS = 6


class World:
    def __init__(self, llum: Llum, worker: WorkerProcess) -> None:
        self.llum = llum
        self.worker = worker
        self.said: dict[str, Outcome] = {}

    async def serves(self) -> None:
        async def answers() -> bool:
            reply = await self.llum.requests.ask("alice", "llum", Ping(), DEADLINE_S)
            return isinstance(reply, PingReply)

        await eventually(answers, "the worker serves")

    async def send(self, command: Tell | Correct | Withdraw) -> Outcome:
        outcome = await self.llum.requests.send("alice", "llum", command, DEADLINE_S)
        self.said.setdefault(command.id, outcome)
        return outcome

    async def evidence(self) -> list[Any]:
        """Ask once, for what the one that answers has, and nothing it should wait for."""
        query = Ask(context=["c"], view=["a"], include_evidence=True)
        reply = await self.llum.requests.ask("alice", "llum", query, DEADLINE_S)
        assert isinstance(reply, AskReply)
        pieces = reply.components[0].evidence or []
        return [(piece.seq, piece.value) for piece in pieces if piece.withdrawn is None]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        server, llum = await stack.enter_async_context(speaking(tmp_path))
        worker = WorkerProcess(server, tmp_path)
        stack.push_async_callback(worker.end, Process.kill)
        world = World(llum, worker)
        await worker.start()
        await world.serves()
        await world.llum.make_person("alice", "a", "b")
        await worker.end()
        yield world


def told(number: int) -> Tell:
    return Tell(id=f"t{number}", context=["c"], component="a", evidence=NewEvidence(value=number))


@pytest.mark.parametrize("failpoint", [*STEPS, "before_apply:4", "applied:4", "spoken:4"])
async def test_each_acknowledged_command_is_there_once(world: World, failpoint: str) -> None:
    """Whatever the step, and however much has been spoken of and not committed: nothing is lost, doubled or moved."""
    await world.worker.start(**{FAILPOINT: failpoint})
    await world.serves()
    telling = asyncio.create_task(_tell_all(world))
    await world.worker.died()
    spoken = dict(world.said)
    await world.worker.start()
    first = await world.evidence()
    assert {seq for seq, _ in first} >= {outcome.seq for outcome in spoken.values()}, "no ask is behind what was said"
    await telling
    assert await world.evidence() == [(world.said[f"t{number}"].seq, number) for number in range(TELLS)]
    for number in range(TELLS):
        again = await world.send(told(number))
        assert (again.seq, again.repeated) == (world.said[f"t{number}"].seq, True)


async def _tell_all(world: World) -> None:
    for number in range(TELLS):
        assert isinstance(await world.send(told(number)), Accepted)


@pytest.mark.parametrize("step", ["applied", "spoken"])
async def test_a_repeat_across_a_kill_gets_the_first_outcome(world: World, step: str) -> None:
    """Of what is told, corrected and withdrawn: results too, and refusals whose reason is gone meanwhile."""
    await world.worker.start(**{FAILPOINT: f"{step}:5"})
    await world.serves()
    tell = told(1)
    accepted = await world.send(tell)
    correct = Correct(id="c", context=["c"], component="a", value=7)
    withdraw = Withdraw(id="w", context=["c"], component="a", seq=accepted.seq)
    refused = Withdraw(id="x", context=["c"], component="a", seq=accepted.seq + 10)
    sending = asyncio.create_task(_send_all(world, [correct, refused, withdraw, told(2), told(3)]))
    await world.worker.died()
    await world.worker.start()
    await sending
    for command in (tell, correct, refused, withdraw):
        again, first = await world.send(command), world.said[command.id]
        again.repeated = first.repeated = False
        assert again == first
    assert [value for _, value in await world.evidence()] == [7, 2, 3]


@pytest.mark.parametrize("failpoint", ["applied", "spoken", "committed", "before_apply:2", "committed:2"])
async def test_who_waits_for_rules_hears_after_a_kill(world: World, failpoint: str) -> None:
    """Wherever it dies between the tell and what its rule has told: that is told once, and the outcome comes."""
    await world.worker.start()
    await world.serves()
    await world.llum.subscribe("a", "'' ~ '' : TELL ./c/b, explicit:<./c/a>")
    await world.worker.end()
    await world.worker.start(**{FAILPOINT: failpoint})
    await world.serves()
    telling = asyncio.create_task(world.llum.settled(told(1)))
    await world.worker.died()
    await world.worker.start()
    outcome = await telling
    await world.llum.until("b", [1])
    again = await world.llum.settled(told(1))
    assert (again.seq, again.repeated) == (outcome.seq, True)
    await world.llum.settled(told(2))
    await world.llum.until("b", [1, 2])


async def _send_all(world: World, commands: list[Any]) -> None:
    for command in commands:
        await world.send(command)


def test_a_failpoint_that_does_not_exist_is_a_mistake() -> None:
    """A test that names a wrong step would pass without a kill."""
    with pytest.raises(ValueError, match="not one of"):
        arm("appplied")
