"""Workers on one nats-server share its partitions: whoever comes gets some, whoever goes hands them over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.levels import LevelsMet
from actors.share import share_as
from actors.sharing import SameWorkerError, Sharing
from actors.worker import run_worker
from bus.connection import Bus
from bus.operator_subjects import worker_subject
from bus.requests import Requests
from bus.subjects import DEFAULT_LOG_STREAMS, partition_of
from bus.workers import Order, Workers, WorkerWord, from_bits, read_words
from schemas.errors import Code, SetupError, Transient
from schemas.levels import FIRST_LEVEL, Levels
from schemas.queries import Ask
from schemas.replies import AskReply
from tests.actors.serving import Llum
from tests.nats_server import installed_server
from tests.waiting import DEADLINE_S, eventually, until

PARTITIONS = 16
EVERYBODY = [f"person{number}" for number in range(24)]


class Running:
    """One worker with a connection of its own."""

    def __init__(self, name: str, task: "asyncio.Task[None]", stop: asyncio.Event, ready: asyncio.Event) -> None:
        self.name = name
        self.task = task
        self.ready = ready
        self._stop = stop
        self.drains: list[bool] = []

    async def end(self) -> None:
        """Stop it in order."""
        self._stop.set()
        await self.task


class Hall:
    """A nats-server, and the workers that a test starts beside it."""

    def __init__(self, url: str, llum: Llum, folder: Path, exits: AsyncExitStack) -> None:
        self.url = url
        self.llum = llum
        self.folder = folder
        self._exits = exits

    async def start(self, name: str, levels: Levels | None = None, **share: Any) -> Running:
        """Start a worker, and wait until it answers for what is its own."""
        bus = await Bus.connect(self.url, name=name)
        self._exits.push_async_callback(bus.close)
        ready, stop, drains = asyncio.Event(), asyncio.Event(), list[bool]()
        task = asyncio.create_task(
            run_worker(
                bus,
                shard_dir=self.folder / name,
                partitions=PARTITIONS,
                log_streams=DEFAULT_LOG_STREAMS,
                max_active_models=100,
                on_ready=ready.set,
                stop=stop,
                share=share_as(name, **{"keep_draining": drains.append, **share}),
                levels=levels or Levels(),
            )
        )
        running = Running(name, task, stop, ready)
        running.drains = drains
        self._exits.push_async_callback(_end, running)
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            waiting.cancel()
            await task
        return running

    async def served(self) -> dict[str, frozenset[int]]:
        """Give the partitions that each worker answers for, as it says."""
        return {word.id: from_bits(word.ready) for word in await read_words(self.llum.bus)}

    async def until_served(self, holds: Callable[[dict[str, frozenset[int]]], bool], what: str) -> None:
        async def reached() -> bool:
            return holds(await self.served())

        await eventually(reached, what)

    def files(self, name: str) -> set[int]:
        """Name the partitions of which a worker has a shard."""
        return {int(path.stem) for path in (self.folder / name).glob("*.db")}


async def _end(running: Running) -> None:
    running._stop.set()
    await asyncio.gather(running.task, return_exceptions=True)


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with installed_server(tmp_path, PARTITIONS) as server, AsyncExitStack() as exits:
        bus = await Bus.connect(server.url_as("operator"), name="test")
        exits.push_async_callback(bus.close)
        requests = Requests(bus)
        await requests.start()
        exits.push_async_callback(requests.close)
        yield Hall(server.url_as("worker"), Llum(bus, requests, tmp_path), tmp_path, exits)


class Tellers:
    """Tell and ask about everybody all the time, each their own count; what is acknowledged must be seen."""

    def __init__(self, llum: Llum) -> None:
        self.llum = llum
        self.told = dict.fromkeys(EVERYBODY, 0)
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        for user in EVERYBODY:
            await self.llum.make_person(user, "x")
        self._tasks = [asyncio.create_task(self._tell(user)) for user in EVERYBODY]

    async def _tell(self, user: str) -> None:
        """Tell the next number, and ask for what is known as of that."""
        while not self._stop.is_set():
            seq = (await self.llum.told("x", self.told[user] + 1, user)).seq
            self.told[user] += 1
            query = Ask(context=["c"], view=["x"], min_seq=seq)
            reply = await self.llum.requests.ask(user, "llum", query, DEADLINE_S)
            assert isinstance(reply, AskReply)
            assert (reply.components[0].value, reply.seq >= seq) == (self.told[user], True)
            await asyncio.sleep(0.01)

    async def end(self) -> None:
        """Stop, and see that everything told is there once and in order."""
        self._stop.set()
        await asyncio.gather(*self._tasks)
        for user in EVERYBODY:
            assert await self.llum.values("x", user) == list(range(1, self.told[user] + 1))


def is_shared(*names: str) -> Callable[[dict[str, frozenset[int]]], bool]:
    """Whether just these workers serve something, and each partition is served once."""

    def holds(served: dict[str, frozenset[int]]) -> bool:
        busy = {name for name, partitions in served.items() if partitions}
        return busy == set(names) and sorted(one for some in served.values() for one in some) == list(range(PARTITIONS))

    return holds


async def test_workers_share_the_partitions_while_people_tell_and_ask(hall: Hall) -> None:
    """Nothing is lost and no answer is behind, whoever comes and goes. What moved away leaves no file."""
    first = await hall.start("first")
    await hall.until_served(is_shared("first"), "one serves all")
    tellers = Tellers(hall.llum)
    await tellers.begin()
    second = await hall.start("second")
    await hall.until_served(is_shared("first", "second"), "two share")
    third = await hall.start("third")
    await hall.until_served(is_shared("first", "second", "third"), "three share")

    async def tidy() -> bool:
        served = await hall.served()
        return all(hall.files(name) <= served[name] for name in served)

    await eventually(tidy, "what moved away has left no file")
    await second.end()
    await hall.until_served(is_shared("first", "third"), "the second has handed over")
    await first.end()
    await hall.until_served(is_shared("third"), "the first has handed over, too")
    await tellers.end()
    await third.end()
    assert await hall.served() == {}


async def test_each_partition_is_served_as_often_as_anybody_wants(hall: Hall) -> None:
    """The largest number of replicas that a worker is told counts for all."""
    await hall.start("first")
    await hall.start("second", replicas=2)
    everything = frozenset(range(PARTITIONS))
    await hall.until_served(lambda served: set(served.values()) == {everything}, "both serve everything")
    tellers = Tellers(hall.llum)
    await tellers.begin()
    third = await hall.start("third")

    def twice(served: dict[str, frozenset[int]]) -> bool:
        return sorted(one for some in served.values() for one in some) == sorted([*everything, *everything])

    await hall.until_served(lambda served: len(served) == 3 and twice(served), "three serve everything twice")
    await third.end()
    await hall.until_served(lambda served: set(served.values()) == {everything}, "both serve everything again")
    await tellers.end()


async def test_a_worker_that_is_drained_serves_nothing_until_that_is_undone(hall: Hall) -> None:
    """It is told so again when it starts anew: what an operator wants is kept."""
    first = await hall.start("first")
    await hall.start("second")
    await hall.until_served(is_shared("first", "second"), "two share")
    order = msgspec.json.encode(Order(drain=True))
    answer = await hall.llum.bus.inbox.request(worker_subject("first"), order, DEADLINE_S)
    assert msgspec.json.decode(answer.data, type=WorkerWord).draining
    await hall.until_served(is_shared("second"), "the first serves nothing")
    assert first.drains == [True]
    await hall.llum.bus.inbox.request(worker_subject("first"), msgspec.json.encode(Order(drain=False)), DEADLINE_S)
    await hall.until_served(is_shared("first", "second"), "two share again")
    assert first.drains == [True, False]


async def test_where_all_are_drained_what_is_served_stays(hall: Hall) -> None:
    """Nobody else could have it."""
    await hall.start("first")
    await hall.llum.bus.inbox.request(worker_subject("first"), msgspec.json.encode(Order(drain=True)), DEADLINE_S)
    await hall.llum.make_person("alice", "x")
    await hall.llum.tell("x", 1)
    await hall.until_served(is_shared("first"), "the first still serves all")
    await hall.start("second")
    await hall.until_served(is_shared("second"), "the second has all")
    assert await hall.llum.values("x") == [1]


async def test_a_worker_that_is_drained_and_alone_serves_when_it_starts_anew(hall: Hall) -> None:
    """Somebody must, and what it has on its disk stays; when another one comes, that one takes all."""
    first = await hall.start("first")
    await hall.llum.make_person("alice", "x")
    await hall.llum.tell("x", 1)
    await first.end()
    files = hall.files("first")
    assert files
    await hall.start("first", draining=True)
    await hall.until_served(is_shared("first"), "it serves all the same")
    assert hall.files("first") >= files
    assert await hall.llum.values("x") == [1]
    await hall.start("second")
    await hall.until_served(is_shared("second"), "the other one has all")

    async def empty() -> bool:
        return not hall.files("first")

    await eventually(empty, "what moved away has left no file")


async def test_files_of_an_earlier_run_go_once_others_answer_for_them(hall: Hall) -> None:
    """What nobody answers for yet is kept until then."""
    first = await hall.start("first")
    for user in EVERYBODY:
        await hall.llum.make_person(user, "x")
    await first.end()
    assert len(hall.files("first")) > PARTITIONS / 2
    await hall.start("second")
    await hall.start("first")
    await hall.until_served(is_shared("first", "second"), "both share")

    async def tidy() -> bool:
        return hall.files("first") <= (await hall.served())["first"]

    await eventually(tidy, "what others serve has left no file")


async def test_an_order_that_cannot_be_kept_changes_nothing(hall: Hall) -> None:
    """Its answer says so."""

    def full(_drain: bool) -> None:
        raise SetupError("the disk is full")

    await hall.start("first", keep_draining=full)
    order = msgspec.json.encode(Order(drain=True))
    answer = await hall.llum.bus.inbox.request(worker_subject("first"), order, DEADLINE_S)
    assert not msgspec.json.decode(answer.data, type=WorkerWord).draining


async def test_of_two_workers_with_one_name_the_first_ends(hall: Hall) -> None:
    """A copied folder must not make two of one: the later one is the one that is meant."""
    first = await hall.start("first")
    bus = await Bus.connect(hall.url, name="copy")
    workers = Workers(bus)
    workers.say(share_as("first").word)
    with pytest.raises(SameWorkerError) as caught:
        await first.task
    assert "another worker calls itself first, too" in caught.value.message
    await bus.close()


async def test_an_order_that_cannot_be_read_changes_nothing(hall: Hall) -> None:
    """It is not answered either."""
    await hall.start("first")
    with pytest.raises(Transient):
        await hall.llum.bus.inbox.request(worker_subject("first"), b"{}", 0.3)
    await hall.until_served(is_shared("first"), "the first serves all as before")


class NeverReady:
    """Serves partitions that do not answer yet: there is much to apply."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.answering: frozenset[int] = frozenset()
        self.levels = LevelsMet(FIRST_LEVEL, FIRST_LEVEL)
        self.erased: dict[int, int] = {}
        self._leaving: dict[int, asyncio.Event] = {}

    @property
    def partitions(self) -> list[int]:
        return sorted(self.held)

    async def add(self, number: int, *, primary: bool = True) -> None:
        self.held.add(number)
        self._leaving[number] = asyncio.Event()
        await self._leaving[number].wait()
        raise Transient(Code.UNAVAILABLE, "it was removed before it answered")

    async def remove(self, number: int) -> None:
        self.held.discard(number)
        self._leaving[number].set()

    async def set_primary(self, number: int, primary: bool) -> None:
        raise AssertionError("what does not answer has no primary")

    async def discard(self, number: int) -> None:
        pass


async def catching_up(hall: Hall, name: str) -> tuple[NeverReady, Sharing]:
    """Have a worker begin with its share."""
    bus = await Bus.connect(hall.url, name=name)
    hall._exits.push_async_callback(bus.close)
    serves = NeverReady()
    sharing = Sharing(bus, serves, PARTITIONS, share_as(name))
    await sharing.open()
    running = asyncio.create_task(sharing.run())
    hall._exits.push_async_callback(sharing.close)
    hall._exits.callback(running.cancel)
    return serves, sharing


@pytest.mark.parametrize("young_s", [float("inf"), 0.0])
async def test_only_a_young_worker_leaves_what_nobody_answers_for(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, young_s: float
) -> None:
    """Two that start one after the other do not apply the same; one that has got far keeps what it has."""
    monkeypatch.setattr("actors.sharing.YOUNG_S", young_s)
    everything = set(range(PARTITIONS))
    first, sharing = await catching_up(hall, "first")
    await until(lambda: first.held == everything, "the first begins with all")
    second, _ = await catching_up(hall, "second")
    await until(lambda: bool(second.held), "the second begins with its share")
    if young_s:
        await until(lambda: not first.held & second.held, "the first leaves that to the second")
        assert first.held | second.held == everything
    else:
        await until(lambda: {"first", "second"} == hosts(sharing), "the first has heard of the second")
        await until(lambda: not sharing._changed.is_set(), "and has done what follows")
        assert first.held == everything


def hosts(sharing: Sharing) -> set[str]:
    """Name the workers that a worker has placed partitions on last."""
    assert sharing._placed is not None
    return {host.id for host in sharing._placed[0][0]}


def test_everybody_is_in_many_partitions() -> None:
    """The tests above would say little if all were in one."""
    assert len({partition_of(user, PARTITIONS) for user in EVERYBODY}) > PARTITIONS / 2
