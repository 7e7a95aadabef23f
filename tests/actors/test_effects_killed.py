"""Rules on real processes that are killed with signal 9: the worker, and nats-server."""

import asyncio
import random
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bus.notices import waiting_subjects
from schemas.commands import Tell
from schemas.evidence import NewEvidence
from schemas.queries import Ping
from schemas.replies import PingReply
from tests.actors.receiver import Receiver, receiving
from tests.actors.serving import PARTITIONS, Llum, speaking
from tests.actors.worker_process import WorkerProcess
from tests.effort import seed
from tests.nats_server import kill_and_restart
from tests.waiting import DEADLINE_S, eventually, until

TELLS = 150
KILLS = 6


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.mark.storm
async def test_nothing_is_lost_or_told_twice(tmp_path: Path, receiver: Receiver) -> None:
    """While tells come in, the worker is killed again and again, and nats-server now and then.

    Then every tell has been told on along the chain exactly once and in its order, and the receiver has every notice at
    least once, the first of each in its order.
    """
    chance = random.Random(seed())
    async with AsyncExitStack() as stack:
        server, llum = await stack.enter_async_context(speaking(tmp_path))
        workers = WorkerProcess(server, tmp_path)
        stack.push_async_callback(workers.end, Process.kill)
        await workers.start()
        await _make(llum, receiver)

        stored = [0]
        telling = asyncio.create_task(_tell_all(llum, stored))
        for number, mark in enumerate(sorted(chance.randrange(TELLS) for _ in range(KILLS))):
            await until(lambda mark=mark: stored[0] >= mark or telling.done(), f"{mark} tells are stored")  # type: ignore[misc]
            await workers.end(Process.kill)
            if number % 6 == 3:
                await kill_and_restart(server)
            await workers.start()
        await telling
        for component in ("b", "d"):
            await llum.until(component, list(range(TELLS)))

        async def delivered() -> bool:
            everything = set(_arrived(receiver)) >= set(range(TELLS))
            return everything and not await waiting_subjects(llum.bus, range(PARTITIONS))

        await eventually(delivered)
    arrived = _arrived(receiver)
    assert list(dict.fromkeys(arrived)) == list(range(TELLS))


def _arrived(receiver: Receiver) -> list[int]:
    return [int(one.url.rpartition("=")[2]) for one in receiver.received]


async def _make(llum: Llum, receiver: Receiver) -> None:
    async def serves() -> bool:
        reply = await llum.requests.ask("alice", "llum", Ping(), DEADLINE_S)
        return isinstance(reply, PingReply)

    await eventually(serves)
    await llum.make_person("alice", "a", "b", "d")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, explicit:<./c/a>")
    await llum.subscribe("b", "'' ~ '' : TELL ./c/d, explicit:<./c/b>")
    await llum.subscribe("d", f"'' ~ '' : NOTIFY '{receiver.url}/?n=' <./c/d>")


async def _tell_all(llum: Llum, stored: list[int]) -> None:
    for number in range(TELLS):
        command = Tell(id=f"n{number}", context=["c"], component="a", evidence=NewEvidence(value=number))
        await llum.requests.store("alice", "llum", command, timeout_s=DEADLINE_S)
        stored[0] = number + 1
