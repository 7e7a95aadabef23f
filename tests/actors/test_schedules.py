"""Rules with a schedule: llum plans the next firing, nats-server says that it is time, the log says what comes of it.

Whatever dies in between changes nothing.

The rules fire every second or two, by the six-field form of the specification; the tests look at the commands in the
log, whose times are nats-server's.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.effects.stage import EffectsStage
from actors.store.shard import OutboxEntry
from bus import rejections, schedules
from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.jetstream import ApiError, JetStream
from bus.subjects import SCHEDULES_STREAM, command_subject, log_stream_of
from schemas.commands import DeleteComponent, DeleteRule, SetTimeZone
from schemas.effects import Firing
from schemas.errors import Code
from schemas.evidence import Evidence
from tests.actors.serving import PARTITIONS, Llum, serving, speaking, worker
from tests.nats_server import kill_and_restart
from tests.waiting import DEADLINE_S, eventually

FAR = 4_000_000_000
"""An instant that no test sees."""


class Running:
    """A nats-server with workers that come and go."""

    def __init__(self, server: EmbeddedServer, bus: Bus, llum: Llum, folder: Path) -> None:
        self.server = server
        self.bus = bus
        self.llum = llum
        self.folder = folder

    def worker(self, **options: Any) -> Any:
        return worker(self.server.url_as("operator"), self.folder / "shards", **options)

    async def schedules(self) -> set[tuple[str, str]]:
        return {(one.user, one.token) for one in await self.planned()}

    async def planned(self) -> list[Firing]:
        return [one for number in range(PARTITIONS) for one in await schedules.planned(self.bus, number)]

    async def firings(self) -> list[int]:
        """Give the instants of the firings that became commands, as often as they stand in the log."""
        found = []
        for number in range(PARTITIONS):
            stream = log_stream_of(number, PARTITIONS)
            found += (await JetStream(self.bus).page(stream, f"llum.log.{number}.*._cron.fire", 1, 1000))[0]
        return [int(msgspec.json.decode(stored.data)["id"].rpartition("-")[2]) for stored in found]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        server, llum = await stack.enter_async_context(speaking(tmp_path))
        yield Running(server, llum.bus, llum, tmp_path)


async def at_least(running: Running, count: int) -> list[Any]:
    async def enough() -> list[Any]:
        values = await running.llum.values("b")
        return values if len(values) >= count else []

    return list(await eventually(enough))


async def check_each_time_once(running: Running, evidence: list[Evidence], began: float) -> None:
    """See that there are no more firings than seconds since the rule was made, and no more evidence than firings.

    When a firing becomes a command, and in which second that is, depends on how busy the machine is. One that nobody
    has acknowledged is stored again, under its id, and counts once.
    """
    assert len(evidence) <= len(set(await running.firings()))
    assert len(evidence) <= evidence[-1].creation_time - began + 1


async def test_a_rule_fires_on_its_schedule_only(running: Running) -> None:
    """Not on tells; as of its time; and each time once."""
    llum, began = running.llum, time.time()
    async with running.worker():
        await llum.make_person("alice", "a", "b")
        await llum.allow_every_second()
        await llum.subscribe("a", """["* * * * * *"] '' ~ '' : TELL ./c/b, explicit:<./c/a>""")
        for number in range(30):
            await llum.tell("a", number)
        before = len(await llum.evidence("b"))
        values = await at_least(running, before + 2)
        evidence = await llum.evidence("b")
    assert values[-1] == 29
    await check_each_time_once(running, evidence, began)
    assert {piece.evidence_type for piece in evidence} == {"explicit"}


async def test_a_removed_rule_fires_no_more(running: Running) -> None:
    """Removed by itself, or with its component; nothing of it stays in the server."""
    llum = running.llum
    async with running.worker():
        await llum.make_person("alice", "a", "b", "d")
        await llum.allow_every_second()
        statement = """["* * * * * *"] '' ~ '' : TELL ./c/b, explicit:1"""
        token = await llum.subscribe("a", statement)
        await llum.subscribe("d", statement)
        await at_least(running, 2)
        await llum.do(DeleteRule(id=llum.next_id(), context=["c"], component="a", token=token))
        await llum.do(DeleteComponent(id=llum.next_id(), context=["c"], component="d"))

        async def gone() -> bool:
            found = await JetStream(running.bus).subjects(SCHEDULES_STREAM, ">")
            return not found

        await eventually(gone)


async def test_schedules_survive_kill_9_of_the_server(running: Running) -> None:
    """What has fired has fired once; then the schedule goes on."""
    llum, began = running.llum, time.time()
    async with running.worker():
        await llum.make_person("alice", "a", "b")
        await llum.allow_every_second()
        await llum.subscribe("a", """["* * * * * *"] '' ~ '' : TELL ./c/b, explicit:1""")
        for _ in range(3):
            before = len(await at_least(running, 1))
            await kill_and_restart(running.server)
            await at_least(running, before + 2)
        evidence = await llum.evidence("b")
    await check_each_time_once(running, evidence, began)


async def test_firings_wait_for_a_worker(running: Running) -> None:
    """What comes due while no worker runs is fired by the next, each once; until then no other is planned."""
    llum = running.llum
    async with running.worker():
        await llum.make_person("alice", "a", "b")
        await llum.allow_every_second()
        await llum.subscribe("a", """["* * * * * *"] '' ~ '' : TELL ./c/b, explicit:1""")
        await at_least(running, 1)

    async def missed() -> bool:
        page, _ = await JetStream(running.bus).page(SCHEDULES_STREAM, "llum.fired.>", 1, 100)
        assert len(page) <= 1
        return len(page) == 1 and await running.schedules() == set()

    await eventually(missed)
    async with running.worker():
        await at_least(running, 4)
        fired = await running.firings()
    assert len(fired) >= 4
    assert len(set(fired)) == len(fired)


async def test_schedules_are_those_of_the_models_after_a_start(running: Running) -> None:
    """A worker brings back what the server has lost, and removes what no model has."""
    llum = running.llum
    async with running.worker():
        await llum.make_person("alice", "a")
        token = await llum.subscribe("a", """["0 0 31 dec *"] '' ~ '' : TELL ./c/a, explicit:1""")

        async def there() -> bool:
            return await running.schedules() == {("alice", token)}

        await eventually(there)
    await schedules.remove(running.bus, 0, "alice", token)
    await schedules.remove(running.bus, 1, "alice", token)
    await schedules.plan(running.bus, 1, Firing("bob", ["c", "a"], "77", FAR))
    assert await running.schedules() == {("bob", "77")}
    async with running.worker():
        await eventually(there)


async def test_a_rebuilt_shard_keeps_its_schedules(running: Running) -> None:
    """The shard is only a view of the log: a schedule outlives it, and history does not fire again."""
    llum = running.llum
    async with running.worker():
        await llum.make_person("alice", "a", "b")
        await llum.allow_every_second()
        await llum.subscribe("a", """["* * * * * *"] '' ~ '' : TELL ./c/b, explicit:1""")
        before = len(await at_least(running, 2))
    for path in llum.shard_dir.iterdir():
        path.unlink()
    async with running.worker():
        await at_least(running, before + 2)
        fired = await running.firings()
        evidence = await llum.evidence("b")
    assert len(set(fired)) == len(fired)
    assert len(evidence) <= len(fired)


async def test_schedules_of_an_earlier_llum_are_replaced_at_a_start(running: Running) -> None:
    """nats-server itself fired those again and again, by a pattern; now the next firing alone is planned."""
    llum, jetstream = running.llum, JetStream(running.bus)
    async with running.worker():
        await llum.make_person("alice", "a")
        token = await llum.subscribe("a", """["0 0 31 dec *"] '' ~ '' : TELL ./c/a, explicit:1""")
        (plan,) = await eventually(running.planned)
        assert await schedules.planned_of(running.bus, "alice") == [plan]
        assert await schedules.planned_of(running.bus, "bob") == []
    (subject,) = await jetstream.subjects(SCHEDULES_STREAM, ">")
    old = {"Nats-Schedule": "0 0 0 31 12 *", "Nats-Schedule-Time-Zone": "UTC", "Nats-Schedule-TTL": "24h"}
    target = {"Nats-Schedule-Target": subject.replace("sched", "fired")}
    await jetstream.publish(
        subject, msgspec.json.encode({"user": "alice", "path": ["c", "a"], "token": token}), old | target
    )
    async with running.worker():

        async def replaced() -> bool:
            return [(one.at, one.cron) for one in await running.planned()] == [(plan.at, plan.cron)]

        await eventually(replaced)


async def test_the_next_firing_goes_by_the_zone_of_the_person_else_of_the_installation(running: Running) -> None:
    """A change plans anew: of the person's at once, of the installation's at the next start."""
    llum = running.llum

    async def goes_by(zone: str) -> int:
        async def planned() -> list[Firing]:
            return [one for one in await running.planned() if one.time_zone == zone]

        (one,) = await eventually(planned)
        return int(one.at) % 86_400

    async with running.worker():
        await llum.make_person("alice", "a")
        await llum.subscribe("a", """["0 9 * * *"] '' ~ '' : TELL ./c/a, explicit:1""")
        assert await goes_by("UTC") == 9 * 3600
        await llum.do(SetTimeZone(id=llum.next_id(), time_zone="Asia/Tokyo"))
        assert await goes_by("Asia/Tokyo") == 0
        await llum.do(SetTimeZone(id=llum.next_id()))
        assert await goes_by("UTC") == 9 * 3600
    async with running.worker(time_zone="Asia/Kathmandu"):
        assert await goes_by("Asia/Kathmandu") == 3 * 3600 + 15 * 60


async def test_a_firing_whose_worker_dies_before_it_is_dealt_with(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one is planned before: the worker after it deals with the firing, once, and the schedule goes on."""
    llum, begun = running.llum, asyncio.Event()

    async def dies(_stage: EffectsStage, _entry: OutboxEntry) -> None:
        begun.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(EffectsStage, "fire", dies)
        async with running.worker():
            await llum.make_person("alice", "a", "b")
            await llum.allow_every_second()
            await llum.subscribe("a", """["* * * * * *"] '' ~ '' : TELL ./c/b, explicit:1""")
            await asyncio.wait_for(begun.wait(), DEADLINE_S)
            (fired, *_) = await running.firings()
            page, _ = await JetStream(running.bus).page(SCHEDULES_STREAM, ">", 1, 100)
            assert [msgspec.json.decode(one.data)["at"] > fired for one in page] == [True]
    async with running.worker():
        await at_least(running, 3)
        instants = await running.firings()
        evidence = await llum.evidence("b")
    assert len(set(instants)) == len(instants)
    assert len(evidence) <= len(instants)


async def test_two_workers_fire_once(running: Running) -> None:
    """Both take firings and both plan, as when each takes the other for gone."""
    llum, began = running.llum, time.time()
    async with running.worker():
        await llum.make_person("alice", "a", "b")
        await llum.allow_every_second()
        await llum.subscribe("a", """["* * * * * *"] '' ~ '' : TELL ./c/b, explicit:1""")
        async with worker(running.server.url_as("operator"), running.folder / "other"):
            before = len(await at_least(running, 2))
            await at_least(running, before + 2)
        await at_least(running, before + 3)
        evidence = await llum.evidence("b")
        ids = await running.firings()
    assert len(evidence) <= len(set(ids))
    assert len(evidence) <= evidence[-1].creation_time - began + 1


async def test_an_unknown_time_zone_is_reported(tmp_path: Path) -> None:
    """The model knows no zones, so the owner learns of it among the rejected commands; nothing is planned."""
    async with serving(tmp_path) as llum:
        await llum.make_person("alice", "a")
        await llum.subscribe("a", """["TZ=Mars/Olympus 0 9 * * *"] '' ~ '' : TELL ./c/a, explicit:1""")

        async def reported() -> list[Any]:
            return list(await rejections.read(llum.bus, "alice"))

        (report,) = await eventually(reported)
        assert await schedules.planned(llum.bus, 0) == await schedules.planned(llum.bus, 1) == []
    assert report.error.code is Code.BAD_RULE
    assert "Mars/Olympus" in report.error.message


@pytest.mark.parametrize(
    "headers",
    [
        {"Nats-Schedule": "@at 2000-01-01T00:00:00Z", "Nats-Schedule-Target": "llum.log.0.bob.x.tell"},
        {"Nats-TTL": "1s"},
        {"Nats-Rollup": "sub"},
    ],
)
async def test_no_command_can_bring_a_schedule(running: Running, headers: dict[str, str]) -> None:
    """The log refuses the headers with which a command could publish as somebody else."""
    with pytest.raises(ApiError):
        await JetStream(running.bus).publish(command_subject("alice", "probe", "tell"), b"{}", headers)
