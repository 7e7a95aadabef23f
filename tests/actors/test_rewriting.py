"""The log of a person is written anew after a part of them was forgotten: by the worker itself, whatever happens."""

import asyncio
import itertools
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from actors import rewriting
from actors.worker import Worker
from bus.aside import remove_shard
from bus.jetstream import JetStream
from bus.pings import ping
from bus.subjects import log_stream_of
from schemas.commands import Tell, Withdraw
from schemas.evidence import NewEvidence
from schemas.parts import ForgetPart, MeasurePartReply
from schemas.queries import MeasurePart
from tests.actors.hosting import ALICE, HERS, Host
from tests.actors.serving import PARTITIONS
from tests.waiting import DEADLINE_S, eventually

MARKER = "Xylophone-7"
STREAM = log_stream_of(HERS, PARTITIONS)
PART = ForgetPart(id="part", context=["c"], component="secret")


async def lived(host: Host) -> Worker:
    """Have a worker that holds a person with a component that is to go."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person(ALICE, "a", "secret")
    for value in range(5):
        await host.llum.tell("a", value)
        await host.llum.tell("secret", f"{MARKER}-{value}")
    await host.llum.refused(Withdraw(id=f"{MARKER}-refused", context=["c"], component="secret", seq=9999))
    return worker


async def waits(host: Host) -> bool:
    reply = await host.llum.requests.ask(ALICE, "llum", MeasurePart(), DEADLINE_S)
    assert isinstance(reply, MeasurePartReply), reply
    return reply.waits


async def rewritten(host: Host) -> None:
    async def done() -> bool:
        return not await waits(host)

    await eventually(done, "the log is written anew")


async def in_log(host: Host) -> list[str]:
    """Name the verbs of all that the log has about the person."""
    page, _ = await JetStream(host.llum.bus).page(STREAM, f"llum.log.*.{ALICE}.>", 1, 10_000)
    return [stored.subject.rsplit(".", 1)[1] for stored in page]


def found(folder: Path, *words: str) -> list[str]:
    """Name the files that hold one of these words."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in files if any(word.encode() in _bytes(path) for word in words)]


def _bytes(path: Path) -> bytes:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


async def test_nothing_is_left_of_the_part(host: Host) -> None:
    """Not in the shard, nor in nats-server's files; the rest is there, also when the shard is made anew."""
    worker = await lived(host)
    assert found(host.folder, MARKER)
    await host.llum.do(PART)
    await rewritten(host)
    assert set(await in_log(host)) == {"restate"}
    assert await host.llum.values("a") == list(range(5))
    await worker.remove(HERS)
    assert found(host.folder, MARKER) == []
    remove_shard(host.folder / "one" / f"{HERS}.db")
    await worker.add(HERS)
    assert await host.llum.values("a") == list(range(5))
    reply = await ping(host.llum.bus, HERS, DEADLINE_S)
    assert reply is not None
    assert reply.lost is None
    await rewritten(host)
    assert found(host.folder, MARKER) == []


async def test_apps_that_tell_all_the_time_do_not_hold_it_up(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they tell is accepted meanwhile, and is there afterwards, each piece once."""
    monkeypatch.setattr(rewriting, "CHUNK_BYTES", 2000)
    worker = await lived(host)
    told: list[int] = []
    enough = asyncio.Event()

    async def tell_on() -> None:
        for value in itertools.count(100):
            if enough.is_set():
                return
            await host.llum.tell("a", value)
            told.append(value)

    teller = asyncio.create_task(tell_on())
    await host.llum.do(PART)
    await rewritten(host)
    # Not cancelled: what had been sent by then would still be applied, some time.
    enough.set()
    await teller
    before = await host.llum.values("a")
    assert before[5 : 5 + len(told)] == told
    await worker.remove(HERS)
    remove_shard(host.folder / "one" / f"{HERS}.db")
    await worker.add(HERS)
    assert await host.llum.values("a") == before


async def test_a_second_part_that_comes_meanwhile_goes_too(host: Host) -> None:
    """However far the first one has got."""
    await lived(host)
    await asyncio.gather(
        host.llum.do(PART),
        host.llum.do(ForgetPart(id="second", context=["c"], component="a", seq=await seq_of(host, 3))),
    )
    await rewritten(host)
    assert await host.llum.values("a") == [0, 1, 2, 4]
    assert set(await in_log(host)) == {"restate"}


async def seq_of(host: Host, value: Any) -> int:
    return next(piece.seq for piece in await host.llum.evidence("a") if piece.value == value)


async def test_another_worker_that_holds_the_partition_ends_with_the_same(host: Host) -> None:
    """It reads the log behind the first one, and may find messages gone."""
    await lived(host)
    second = await host.worker("two")
    await second.add(HERS, primary=False)
    await host.llum.do(PART)
    await rewritten(host)
    await host.store_once("after")
    await host.llum.until("a", [0, 1, 2, 3, 4, "after"])

    async def left_nothing() -> bool:
        return not found(host.folder / "two", MARKER)

    await eventually(left_nothing, "the second worker has dropped what the first one has relayed")
    await second.remove(HERS)
    assert [piece.value for piece in (await host.held_by("two")).components[0].evidence or []][:5] == list(range(5))
    tell = Tell(id=f"{MARKER}", context=["c"], component="secret", evidence=NewEvidence(value=1))
    await host.llum.refused(tell)
