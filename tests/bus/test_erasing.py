"""Erasing: afterwards no byte of what was erased is in any file of nats-server, also after kill -9."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus import erasing, jetstream
from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.erasing import erase, erase_schedules, fill, let_go, pages, renew, write_index
from bus.jetstream import JetStream, Stored
from bus.kv import Bucket
from bus.schedules import plan, planned
from bus.streams import FIRST_SEQUENCE
from bus.subjects import DEAD_LETTERS_STREAM, REJECTED_STREAM, SCHEDULES_STREAM, TOKEN_BUCKET, filler_subject
from identity.tokens import Tokens
from schemas.effects import Firing
from schemas.errors import Transient
from tests.nats_server import installed_server, kill_and_restart
from tests.waiting import DEADLINE_S, eventually

ALICE, BOB = "llum.rejected.alice.probe", "llum.rejected.bob.probe"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    async with installed_server(tmp_path, 4, 2, EmbeddedServer(tmp_path, 0, 4)) as server:
        yield server


@pytest.fixture
async def bus(server: EmbeddedServer) -> AsyncIterator[Bus]:
    bus = await Bus.connect(server.url_as("operator"), name="test")
    yield bus
    await bus.close()


def found(folder: Path, word: bytes) -> list[str]:
    """Name the files that hold a word."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and word in path.read_bytes()]


async def expired(bucket: Bucket, key: str) -> None:
    async def gone() -> bool:
        return await bucket.get(key) is None

    await eventually(gone, f"{key} expires")


def size_of_blocks(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.blk"))


async def publish_both(bus: Bus, times: int) -> None:
    jetstream = JetStream(bus)
    for number in range(times):
        for subject in (ALICE, BOB):
            await jetstream.publish(subject, b"MARK of " + subject.encode(), {"Header": f"HEAD of {subject} {number}"})


async def test_what_is_erased_is_in_no_file(tmp_path: Path, server: EmbeddedServer, bus: Bus) -> None:
    """Neither subject nor headers nor payload; what others have is all there, also after kill -9."""
    await publish_both(bus, 100)
    await server.stop()
    await server.start()
    await server.wait_ready()
    await bus.wait_connected(DEADLINE_S)
    assert await erase(bus, REJECTED_STREAM, "llum.rejected.alice.*") == 100
    await write_index(bus, REJECTED_STREAM)
    assert found(tmp_path, b"alice") == []
    await kill_and_restart(server)
    await bus.wait_connected(DEADLINE_S)
    assert await JetStream(bus).count(REJECTED_STREAM, "llum.rejected.>") == 100
    assert found(tmp_path, b"alice") == []
    assert await erase(bus, REJECTED_STREAM, "llum.rejected.alice.*") == 0


async def test_later_messages_can_be_spared(bus: Bus) -> None:
    """And those that are not chosen."""
    await publish_both(bus, 10)
    last = FIRST_SEQUENCE + 9
    assert await erase(bus, REJECTED_STREAM, ALICE, up_to=last) == 5
    assert await erase(bus, REJECTED_STREAM, ALICE, which=lambda message: b"HEAD" not in message.headers) == 0
    assert await JetStream(bus).count(REJECTED_STREAM, ALICE) == 5


async def test_two_who_erase_the_same_do_not_get_into_each_others_way(bus: Bus) -> None:
    """What the other one has just erased is gone. A sweep and an operator may do so, or two workers."""
    await publish_both(bus, 300)
    erased = await asyncio.gather(*(erase(bus, REJECTED_STREAM, ALICE) for _ in range(4)))
    assert sum(erased) == 300
    assert await JetStream(bus).count(REJECTED_STREAM, ALICE) == 0


async def test_what_nats_server_has_dropped_by_itself_is_erased_by_renewing(tmp_path: Path, bus: Bus) -> None:
    """Values that were overwritten, deleted or have expired; the living keep their value and the rest of their time."""
    tokens, bucket = Tokens(bus), Bucket(bus, "LLUM_TOKENS")
    await tokens.issue("alice", "old", 7, 1000)
    for revoked in await tokens.list("alice"):
        await tokens.revoke(revoked)
    kept = await tokens.issue("bob", "kept", 7, 1000)
    await bucket.put("a", b"alice", None)
    await bucket.put("a", b"{}", None)
    await bucket.put("b", b"alice", 1)
    await expired(bucket, "b")
    assert found(tmp_path, b"alice")
    await renew(bus, "KV_LLUM_TOKENS")
    assert found(tmp_path, b"alice") == []
    identity = await Tokens(bus).look_up(kept)
    assert identity is not None
    assert identity.user == "bob"
    assert await bucket.get("a") == b"{}"
    assert size_of_blocks(tmp_path) < 100_000


async def test_a_stream_that_holds_nothing_lets_its_files_go(tmp_path: Path, server: EmbeddedServer, bus: Bus) -> None:
    """With all that was dropped, and without filling a block. One that holds something keeps its files."""
    jetstream = JetStream(bus)
    assert await let_go(bus, REJECTED_STREAM), "nothing was ever in it"
    await publish_both(bus, 100)
    assert not await let_go(bus, REJECTED_STREAM)
    assert await jetstream.count(REJECTED_STREAM, "llum.rejected.>") == 200
    await jetstream.call(f"STREAM.PURGE.{REJECTED_STREAM}", {"filter": "llum.rejected.>"})
    bucket = Bucket(bus, "LLUM_TOKENS")
    await bucket.put("alice", b"alice", 1)
    await expired(bucket, "alice")
    for stream in (REJECTED_STREAM, "KV_LLUM_TOKENS"):
        await renew(bus, stream)
        assert await jetstream.count(stream, ">") == 0
    assert size_of_blocks(tmp_path) < 10_000
    assert found(tmp_path, b"alice") == []
    await kill_and_restart(server)
    await bus.wait_connected(DEADLINE_S)
    assert found(tmp_path, b"alice") == []
    await publish_both(bus, 1)
    assert await jetstream.count(REJECTED_STREAM, "llum.rejected.>") == 2


async def test_renewing_keeps_order_and_can_be_repeated(tmp_path: Path, bus: Bus) -> None:
    """Of a stream that keeps every message."""
    jetstream = JetStream(bus)
    for number in range(200):
        await jetstream.publish(f"llum.dead.bob.{number % 3}", str(number).encode(), {"Nats-Msg-Id": str(number)})
    for _ in range(2):
        await renew(bus, DEAD_LETTERS_STREAM)
        page, more = await jetstream.page(DEAD_LETTERS_STREAM, "llum.dead.>", 1, 500)
        assert not more
        assert [message.data for message in page] == [str(number).encode() for number in range(200)]


async def test_what_comes_while_a_stream_is_written_anew_is_there(bus: Bus) -> None:
    """Whenever it comes: before, between and after the filling. Once."""
    jetstream, sent, goes_on = JetStream(bus), 0, True
    await publish_both(bus, 100)

    async def go_on() -> None:
        nonlocal sent
        while goes_on:
            await jetstream.publish("llum.rejected.carol.probe", str(sent).encode())
            sent += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(go_on())
        for _ in range(5):
            await renew(bus, REJECTED_STREAM)
        goes_on = False
    assert await jetstream.count(REJECTED_STREAM, ALICE) == 100
    told = [
        message.data async for page in pages(jetstream, REJECTED_STREAM, "llum.rejected.carol.*") for message in page
    ]
    assert sorted(map(int, told)) == list(range(sent))


async def test_a_replica_that_is_behind_does_not_make_a_stream_shorter(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives what it has as if that were all: what it has not yet is waited for, and never purged."""
    jetstream, page, calls = JetStream(bus), JetStream.page, 0
    await publish_both(bus, 100)

    async def behind(self: JetStream, stream: str, subject: str, seq: int, count: int) -> tuple[list[Stored], bool]:
        nonlocal calls
        calls += 1
        found, more = await page(self, stream, subject, seq, count)
        return ([], False) if calls % 3 == 1 else (found[:7], False) if calls % 3 == 2 else (found, more)

    monkeypatch.setattr(JetStream, "page", behind)
    await renew(bus, REJECTED_STREAM)
    assert await jetstream.count(REJECTED_STREAM, "llum.rejected.>") == 200

    async def never(*_: object) -> tuple[list[Stored], bool]:
        return [], False

    monkeypatch.setattr(JetStream, "page", never)
    monkeypatch.setattr(erasing, "BEHIND_S", 0.2)
    with pytest.raises(Transient, match="behind"):
        await renew(bus, REJECTED_STREAM)
    assert await jetstream.count(REJECTED_STREAM, ALICE) == 100


async def test_what_comes_during_the_filling_and_is_not_wanted_is_erased(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be in the block that what is written anew is in, too."""
    monkeypatch.setattr(Bus, "max_payload", property(lambda _: 1024 * 1024))
    publish, fillings = JetStream.publish, 0
    await publish_both(bus, 10)
    await erase(bus, REJECTED_STREAM, ALICE)

    async def publish_too(self: JetStream, subject: str, *rest: Any) -> int:
        nonlocal fillings
        seq = await publish(self, subject, *rest)
        if subject == filler_subject(REJECTED_STREAM):
            fillings += 1
            if fillings == 8:
                await publish(self, ALICE, b"MARK", {"Header": "alice"})
        return seq

    monkeypatch.setattr(JetStream, "publish", publish_too)
    await renew(bus, REJECTED_STREAM, lambda message: message.subject == ALICE)
    assert fillings > 8
    assert found(tmp_path, b"alice") == []
    assert await JetStream(bus).count(REJECTED_STREAM, BOB) == 10


async def test_a_server_that_is_killed_after_the_filling_loses_nothing(
    server: EmbeddedServer, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is there again nobody answers: that is no end of the stream."""
    await publish_both(bus, 100)

    async def fill_and_kill(bus: Bus, stream: str) -> list[int]:
        sequences = await fill(bus, stream)
        await kill_and_restart(server)
        await bus.wait_connected(DEADLINE_S)
        return sequences

    monkeypatch.setattr(erasing, "fill", fill_and_kill)
    with suppress(Transient):
        await renew(bus, REJECTED_STREAM)
    assert await JetStream(bus).count(REJECTED_STREAM, "llum.rejected.>") >= 200


async def test_what_a_replica_hides_that_is_behind_is_erased_too(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives the first messages alone, as if they were all. Neither it nor a list of keys misses what was there."""
    bucket, page = Bucket(bus, TOKEN_BUCKET), JetStream.page
    await publish_both(bus, 3)
    for name in ("a", "b", "c"):
        await bucket.put(f"{name}.alice.app", b"value")
    behind = 0

    async def lagging(self: JetStream, stream: str, subject: str, seq: int, count: int) -> tuple[list[Stored], bool]:
        nonlocal behind
        messages, more = await page(self, stream, subject, seq, count)
        behind += 1
        return (messages, more) if behind % 3 == 0 else (messages[:1], False)

    monkeypatch.setattr(Bus, "in_cluster", True)
    monkeypatch.setattr(JetStream, "page", lagging)
    assert await erase(bus, REJECTED_STREAM, ALICE) == 3
    assert await JetStream(bus).count(REJECTED_STREAM, ALICE) == 0
    behind = 0
    assert len(await bucket.list("*.alice.*", is_whole=True)) == 3


async def test_where_a_replica_is_lost_another_one_is_asked(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing, and nobody says that it is gone: the first one that is asked here."""
    await publish_both(bus, 3)
    asked: set[str] = set()

    async def lost_at_first(self: Bus, subject: str, *args: Any) -> None:
        if subject in asked or "DIRECT" not in subject:
            await publish(self, subject, *args)
        asked.add(subject)

    publish = Bus.publish
    monkeypatch.setattr(Bus, "in_cluster", True)
    monkeypatch.setattr(Bus, "publish", lost_at_first)
    monkeypatch.setattr(jetstream, "EARLY_S", 0.01)
    messages, more = await JetStream(bus).page(REJECTED_STREAM, ALICE, 1, 10)
    assert (len(messages), more) == (3, False)
    last = await JetStream(bus).direct_last(REJECTED_STREAM, ALICE)
    assert last is not None
    assert last.seq == messages[-1].seq


@pytest.mark.parametrize("lost", [0, 3, 6])
async def test_a_message_that_is_lost_on_the_way_is_noticed(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    """The first of a batch, one in the middle, the last: what was not read is not purged."""
    await publish_both(bus, 7)
    collect = jetstream._collect

    def lose(messages: list[Stored], done: "asyncio.Future[bytes]", answer: jetstream.RawAnswer) -> None:
        collect(messages, done, answer)
        if done.done():
            messages[lost : lost + 1] = []

    monkeypatch.setattr(jetstream, "_collect", lose)
    with pytest.raises(Transient, match="lost on the way"):
        await JetStream(bus).page(REJECTED_STREAM, ALICE, 1, 10)
    with pytest.raises(Transient, match="lost on the way"):
        await renew(bus, REJECTED_STREAM)
    assert [await JetStream(bus).count(REJECTED_STREAM, subject) for subject in (ALICE, BOB)] == [7, 7]


async def test_a_schedule_that_is_erased_ends(tmp_path: Path, server: EmbeddedServer, bus: Bus) -> None:
    """nats-server keeps no trace of it, also when it writes down what it has to do."""
    for user in ("alice", "bob"):
        for at in (4_000_000_000, 4_000_000_001):
            await plan(bus, 1, Firing(user, ["Personal", "firstname"], "7", at))
    assert await erase_schedules(bus, "llum.sched.*.alice.>") == 1
    await renew(bus, SCHEDULES_STREAM)
    assert await JetStream(bus).subjects(SCHEDULES_STREAM, ">") == {"llum.sched.1.bob.7"}
    assert found(tmp_path, b"alice") == []
    await server.stop()
    assert found(tmp_path, b"alice") == []
    await server.start()
    await server.wait_ready()


async def test_of_a_schedule_that_has_fired_renewing_leaves_nothing(
    tmp_path: Path, server: EmbeddedServer, bus: Bus
) -> None:
    """nats-server drops it by itself. What waits and what is planned for others stays, and fires when it is time."""
    jetstream = JetStream(bus)

    async def fired(user: str) -> bool:
        return bool(await jetstream.subjects(SCHEDULES_STREAM, f"llum.fired.1.{user}.7"))

    for user in ("alice", "carol"):
        await plan(bus, 1, Firing(user, ["Personal", "firstname"], "7", 1_000_000_000))
        await eventually(lambda user=user: fired(user))
    later = Firing("bob", ["Personal", "firstname"], "7", 4_000_000_000, 5, "0 0 7 * * *", "UTC")
    await plan(bus, 1, later)
    await erase(bus, SCHEDULES_STREAM, "llum.fired.*.alice.>")
    assert found(tmp_path, b"alice")
    for _ in range(2):
        await renew(bus, SCHEDULES_STREAM)
    assert found(tmp_path, b"alice") == []
    assert await planned(bus, 1) == [later]
    assert await fired("carol")
    await kill_and_restart(server)
    await bus.wait_connected(DEADLINE_S)
    assert found(tmp_path, b"alice") == []
    assert await planned(bus, 1) == [later]
    await plan(bus, 1, msgspec.structs.replace(later, at=1_000_000_001))
    await eventually(lambda: fired("bob"))
    assert await planned(bus, 1) == []


async def test_a_plan_that_is_written_anew_comes_when_it_is_due(bus: Bus) -> None:
    """It has the headers that make it a schedule."""
    jetstream, soon = JetStream(bus), int(time.time()) + 2
    await plan(bus, 1, Firing("bob", ["Personal", "firstname"], "7", soon))
    await renew(bus, SCHEDULES_STREAM)

    async def fired() -> list[Stored]:
        return (await jetstream.page(SCHEDULES_STREAM, "llum.fired.1.bob.7", 1, 10))[0]

    (message,) = await eventually(fired)
    assert msgspec.json.decode(message.data, type=Firing).at == soon


async def test_a_later_plan_of_a_rule_is_not_replaced_by_an_earlier_one(bus: Bus) -> None:
    """Two workers may both plan, and one of them be behind."""
    earlier, later = (Firing("bob", ["a"], "7", 4_000_000_000 + seq, seq) for seq in (5, 6))
    for one in (earlier, later, earlier):
        await plan(bus, 1, one)
    assert await planned(bus, 1) == [later]
