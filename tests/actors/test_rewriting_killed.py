"""A worker process that dies while it writes the log of a person anew.

Goal: wherever it dies, the next one finishes the work, and a shard that is made anew from the log gives the same model.
Method: a worker is started with a failpoint, and a part is forgotten. When it has died another one is started on the
same folder, or on one without shards, without a failpoint.
"""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from bus.failpoints import RewriteStep
from llum.processes.worker import FAILPOINT
from schemas.parts import ForgetPart, MeasurePartReply
from schemas.queries import MeasurePart, Ping
from schemas.replies import PingReply
from tests.actors.serving import Llum, speaking
from tests.actors.test_rewriting import MARKER, found
from tests.actors.worker_process import WorkerProcess
from tests.waiting import DEADLINE_S, eventually


class World:
    def __init__(self, llum: Llum, worker: WorkerProcess, folder: Path) -> None:
        self.llum = llum
        self.worker = worker
        self.folder = folder

    async def serves(self) -> None:
        async def answers() -> bool:
            reply = await self.llum.requests.ask("alice", "llum", Ping(), DEADLINE_S)
            return isinstance(reply, PingReply)

        await eventually(answers, "the worker serves")

    async def rewritten(self) -> None:
        async def done() -> bool:
            reply = await self.llum.requests.ask("alice", "llum", MeasurePart(), DEADLINE_S)
            return isinstance(reply, MeasurePartReply) and not reply.waits

        await eventually(done, "the log is written anew")

    def remove_shards(self) -> None:
        shutil.rmtree(self.folder / "shards")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with speaking(tmp_path) as (server, llum):
        worker = WorkerProcess(server, tmp_path)
        yield World(llum, worker, tmp_path)
        await worker.end()


@pytest.mark.parametrize("shards", ["kept", "made anew"])
@pytest.mark.parametrize("step", [*get_args(RewriteStep), "erasing:2"])
async def test_the_next_worker_finishes_it(world: World, step: str, shards: str) -> None:
    """Nothing of the part is left, all else is there, also when the shards are made anew after that."""
    await world.worker.start(**{FAILPOINT: step})
    await world.serves()
    await world.llum.make_person("alice", "a", "secret")
    for value in range(20):
        await world.llum.tell("a", value)
        await world.llum.tell("secret", f"{MARKER}-{value}")
    part = ForgetPart(id="part", context=["c"], component="secret")
    await world.llum.requests.store("alice", "llum", part)
    await world.worker.died()
    if shards == "made anew":
        world.remove_shards()
    await world.worker.start()
    await world.serves()
    await world.rewritten()
    assert await world.llum.values("a") == list(range(20))
    await world.worker.end()
    assert found(world.folder, MARKER) == []
    world.remove_shards()
    await world.worker.start()
    await world.serves()
    assert await world.llum.values("a") == list(range(20))
    await world.rewritten()
    assert found(world.folder, MARKER) == []
