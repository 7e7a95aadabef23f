"""Partitions that come and go: added late, removed under load, held by two workers, handed from one to the other."""

import asyncio
import sqlite3
import time
from contextlib import suppress
from types import SimpleNamespace

import msgspec
import pytest

from actors import announce
from actors.effects import outbox
from actors.store.connection import ShardError
from bus import rejections
from bus.events import Events
from bus.jetstream import JetStream
from schemas.commands import Tell
from schemas.errors import Code, Transient
from schemas.events import Event
from schemas.evidence import NewEvidence
from schemas.queries import Ask
from schemas.replies import AskReply
from tests.actors.hosting import ALICE, BOB, HERS, HIS, Host
from tests.actors.receiver import receiving
from tests.waiting import DEADLINE_S, eventually, until

COPY = "'' ~ '' : TELL ./c/copy, inferred:<./c/a>"


async def unavailable(host: Host, user: str) -> bool:
    """Tell whether nobody answers for a person now."""
    try:
        await host.llum.requests.ask(user, "llum", Ask(context=["c"]), timeout_s=0.2)
    except Transient as error:
        return error.code is Code.UNAVAILABLE
    return False


async def test_a_worker_answers_for_what_was_added(host: Host) -> None:
    """And for nothing else, until that is added too; what is removed is answered no more, and can come back."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person(ALICE, "a")
    assert await unavailable(host, BOB)
    await worker.add(HIS)
    await host.llum.make_person(BOB, "a")
    await worker.remove(HERS)
    assert worker.partitions == [HIS]
    assert await unavailable(host, ALICE)
    await host.llum.tell("a", 1, BOB)
    await worker.add(HERS)
    await host.llum.tell("a", 1)
    assert await host.llum.values("a") == [1]


async def test_a_partition_that_is_added_late_catches_up_before_it_answers(host: Host) -> None:
    """The first answer has all that was told before; those that are served already are not held up meanwhile."""
    first = await host.worker("one")
    await asyncio.gather(first.add(HERS), first.add(HIS))
    await host.llum.make_person(ALICE, "a")
    await host.llum.make_person(BOB, "a")
    await first.remove(HERS)
    last_seq = await host.store_tells(300)
    adding = asyncio.create_task(first.add(HERS))
    reply = None
    while reply is None:
        with suppress(Transient):
            reply = await host.llum.requests.ask(ALICE, "llum", Ask(context=["c"], view=["a"]))
        await host.llum.tell("a", 1, BOB)
    await adding
    assert isinstance(reply, AskReply)
    assert (reply.seq, reply.components[0].value) == (last_seq, 299)


async def test_a_clock_that_is_put_forward_keeps_no_outcome_back(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after the worker has joined is news, however old it seems."""
    ahead = SimpleNamespace(time=lambda: time.time() + 3600.0)
    monkeypatch.setattr(announce, "time", ahead)
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person(ALICE, "a")
    await host.llum.tell("a", 1)
    assert await host.llum.values("a") == [1]


async def test_a_worker_leaves_while_asks_wait(host: Host) -> None:
    """Whoever waits for a sequence that will not come here is told so at once."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person(ALICE, "a")
    ask = host.llum.requests.ask(ALICE, "llum", Ask(context=["c"], min_seq=10**9))
    waiting = asyncio.create_task(ask)

    async def waits() -> bool:
        return bool(worker._ground.slow_asks)

    await eventually(waits)
    await worker.remove(HERS)
    with pytest.raises(Transient) as caught:
        await waiting
    assert caught.value.code is Code.UNAVAILABLE
    assert "leaves" in caught.value.error.message
    assert not worker._ground.slow_asks
    assert len(worker._ground.actives) == 0


async def test_asks_meet_no_gap_when_one_of_two_workers_leaves(host: Host) -> None:
    """Each is sent once, and answered: what the leaving worker has been given it answers."""
    one, two = await host.worker("one"), await host.worker("two")
    await asyncio.gather(one.add(HERS), two.add(HERS, primary=False))
    await host.llum.make_person(ALICE, "a")
    await host.llum.tell("a", 1)

    async def both_have_it() -> bool:
        return all([await host.llum.values("a") == [1] for _ in range(20)])

    await eventually(both_have_it, "both workers have applied the tell")
    subject, data = f"llum.ask.{ALICE}.llum.ask", msgspec.json.encode(Ask(context=["c"], view=["a"]))
    going = True

    async def ask_on() -> int:
        count = 0
        while going:
            answer = await host.llum.bus.inbox.request(subject, data, DEADLINE_S)
            assert not answer.no_responders
            assert msgspec.json.decode(answer.data)["components"][0]["value"] == 1
            count += 1
        return count

    asking = [asyncio.create_task(ask_on()) for _ in range(8)]
    for _ in range(5):
        await one.remove(HERS)
        await one.add(HERS)
    going = False
    assert sum(await asyncio.gather(*asking)) > 0


async def test_a_partition_that_is_removed_before_it_answers(host: Host) -> None:
    """Whoever adds it is told."""
    worker = await host.worker("one")
    adding = asyncio.create_task(worker.add(HERS))
    await asyncio.sleep(0)
    await worker.remove(HERS)
    with pytest.raises(Transient) as caught:
        await adding
    assert "removed before it answered" in caught.value.error.message
    assert worker.partitions == []
    await worker.add(HERS)


async def test_a_shard_that_cannot_be_opened(host: Host) -> None:
    """The error names the file; the other partitions are served, and this one when the cause is gone."""
    worker = await host.worker("one")
    path = host.folder / "one" / f"{HIS}.db"
    path.mkdir()
    results = await asyncio.gather(worker.add(HERS), worker.add(HIS), return_exceptions=True)
    assert results[0] is None
    assert isinstance(results[1], ShardError)
    assert str(path) in results[1].error.message
    assert worker.partitions == [HERS]
    await host.llum.make_person(ALICE, "a")
    path.rmdir()
    await worker.add(HIS)
    await host.llum.make_person(BOB, "a")


async def test_two_workers_hold_the_same(host: Host) -> None:
    """Both answer the same; only the primary relays, and the other keeps nothing of what has left."""
    one, two = await host.worker("one"), await host.worker("two")
    await asyncio.gather(one.add(HERS), two.add(HERS, primary=False))
    await host.llum.make_person(ALICE, "a", "copy")
    await host.llum.subscribe("a", COPY)
    await host.store_tells(50)
    await host.llum.until("copy", list(range(50)))
    replies = [await host.llum.requests.ask(ALICE, "llum", Ask(context=["c"], min_seq=1)) for _ in range(40)]
    assert {tuple(one.value for one in reply.components) for reply in replies} == {(49, 49)}  # type: ignore[union-attr]
    ids = await host.commands_of_rules()
    assert len(ids) == len(set(ids)) == 50
    await asyncio.gather(one.drain(), two.drain())
    assert await host.held_by("one") == await host.held_by("two")


async def test_the_primary_leaves_and_another_takes_over(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under load, again and again: each rule has told once and each notice has been sent once, and none is missing."""
    # Else what a busy machine does not record in time is sent again, under the same id.
    monkeypatch.setattr("actors.effects.relaying.HAND_OVER_WITHIN_S", DEADLINE_S)
    one, two = await host.worker("one"), await host.worker("two")
    await asyncio.gather(one.add(HERS), two.add(HERS, primary=False))
    await host.llum.make_person(ALICE, "a", "copy")
    async with receiving() as receiver:
        await host.llum.subscribe("a", COPY)
        await host.llum.subscribe("a", f"'' ~ '' : NOTIFY '{receiver.url}'")
        for turn in range(6):
            telling = asyncio.create_task(host.store_tells(30, first=turn * 30))
            old, new = (one, two) if turn % 2 == 0 else (two, one)
            await old.set_primary(HERS, False)
            await new.set_primary(HERS, True)
            await telling
        await host.llum.until("copy", list(range(180)))

        async def all_sent() -> bool:
            return len({received.headers["Llum-Id"] for received in receiver.received}) == 180

        await eventually(all_sent)
        assert len(receiver.received) == 180
    ids = await host.commands_of_rules()
    assert len(ids) == len(set(ids)) == 180


async def test_the_primary_goes_away_for_good(host: Host) -> None:
    """What it had not relayed, the other relays from its own outbox; without any primary it waits."""
    one, two = await host.worker("one"), await host.worker("two")
    await asyncio.gather(one.add(HERS), two.add(HERS, primary=False))
    await host.llum.make_person(ALICE, "a", "copy")
    await host.llum.subscribe("a", COPY)
    await host.store_tells(20)
    await one.remove(HERS)
    await host.store_tells(20, first=20)
    await host.llum.refused(Tell(id="bad", context=["none"], component="a", evidence=NewEvidence(value=1)))
    relayed = len(await host.commands_of_rules())
    assert relayed < 40
    assert await rejections.read(host.llum.bus, ALICE) == []
    await two.set_primary(HERS, True)
    await host.llum.until("copy", list(range(40)))
    ids = await host.commands_of_rules()
    assert len(ids) == len(set(ids)) == 40

    async def reported() -> bool:
        return len(await rejections.read(host.llum.bus, ALICE)) == 1

    await eventually(reported)


async def test_who_follows_keeps_no_more_than_what_waits(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its outbox is emptied as far as the primary has got, so that it does not grow for ever."""
    monkeypatch.setattr(outbox, "FOLLOW_EVERY_S", 0.01)
    one, two = await host.worker("one"), await host.worker("two")
    await asyncio.gather(one.add(HERS), two.add(HERS, primary=False))
    await host.llum.make_person(ALICE, "a", "copy")
    await host.llum.subscribe("a", COPY)
    await host.store_tells(20)
    await host.llum.until("copy", list(range(20)))

    async def empty() -> bool:
        with sqlite3.connect(host.folder / "two" / f"{HERS}.db") as connection:
            return bool(connection.execute("SELECT count(*) FROM outbox").fetchone() == (0,))

    await eventually(empty)


async def test_firings_are_taken_by_whoever_is_a_primary(host: Host) -> None:
    """Schedules follow the primary: a worker that only follows takes none."""
    one, two = await host.worker("one"), await host.worker("two")
    await one.add(HERS)
    await host.llum.make_person(ALICE, "a", "copy")
    await host.llum.allow_every_second()
    await host.llum.subscribe("a", """["* * * * * *"] '' ~ '' : TELL ./c/copy, explicit:1""")

    async def fired(count: int) -> bool:
        return len(await host.llum.values("copy")) >= count

    await eventually(lambda: fired(1))
    await two.add(HERS, primary=False)
    await one.remove(HERS)
    so_far = len(await host.commands_of_rules())

    async def missed() -> bool:
        page, _ = await JetStream(host.llum.bus).page("LLUM_SCHEDULES", "llum.fired.>", 1, 100)
        return len(page) >= 1

    await eventually(missed)
    assert len(await host.commands_of_rules()) == so_far
    await two.set_primary(HERS, True)
    await eventually(lambda: fired(so_far + 2))


async def test_live_feeds_are_told_by_the_primary(host: Host) -> None:
    """What each command has changed, once, while somebody listens; a refused or repeated one has changed nothing."""
    one, two = await host.worker("one"), await host.worker("two")
    await asyncio.gather(one.add(HERS), two.add(HERS, primary=False))
    heard: list[Event] = []
    async with Events(host.llum.bus).listening(ALICE, heard.append):
        await host.llum.make_person(ALICE, "a")
        tell = Tell(id="told", context=["c"], component="a", evidence=NewEvidence(value=1))
        await host.llum.do(tell)
        await host.llum.do(tell)
        await host.llum.refused(Tell(id="bad", context=["none"], component="a", evidence=NewEvidence(value=1)))
        await host.store_tells(1)
        await until(lambda: len(heard) == 3, "the events of the first primary")
        await one.set_primary(HERS, False)
        await two.set_primary(HERS, True)
        seq = await host.store_tells(1)
        await until(lambda: len(heard) == 4, "the event of the second")
    assert [(event.verb, event.paths) for event in heard] == [
        ("make_model", [[], ["c"], ["c", "a"]]),
        ("tell", [["c", "a"]]),
        ("tell", [["c", "a"]]),
        ("tell", [["c", "a"]]),
    ]
    assert heard[0].before == 0, "there was no model"
    assert [event.before for event in heard[1:]] == [event.seq for event in heard[:-1]], "whoever tells of them"
    last = heard[-1]
    assert (last.user, last.app, last.seq) == (ALICE, "llum", seq)
    assert abs(last.time - time.time()) < 3600, "seconds since 1970"


async def test_nobody_is_told_of_people_whom_nobody_listens_for(host: Host) -> None:
    """Their commands leave no message on the bus; nor do those of somebody who was listened for and is no more."""
    worker = await host.worker("one")
    await asyncio.gather(worker.add(HERS), worker.add(HIS))
    await host.llum.make_person(ALICE, "a")
    await host.llum.make_person(BOB, "a")
    on_the_bus: list[bytes] = []
    listening = await host.llum.bus.listen("llum.event.>", lambda subject, *_: on_the_bus.append(subject))
    async with Events(host.llum.bus).listening(BOB, lambda _: None):
        await host.llum.tell("a", 1)
        await host.llum.tell("a", 2, BOB)
        await until(lambda: bool(on_the_bus), "the event about Bob")
        worker._ground.listeners.until[BOB] = 0.0
    await host.llum.tell("a", 3, BOB)
    await host.llum.bus.flush()
    await listening.stop()
    assert on_the_bus == [b"llum.event.bob"]


async def test_a_partition_is_added_once(host: Host) -> None:
    """Adding it twice is a mistake of whoever does; removing what is not there is none."""
    worker = await host.worker("one")
    await worker.add(HERS)
    with pytest.raises(ValueError, match="served already"):
        await worker.add(HERS)
    await worker.remove(HIS)
    await host.llum.make_person(ALICE, "a")
