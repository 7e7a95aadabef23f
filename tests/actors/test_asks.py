"""Asks of a partition that must wait for the disk, when too many wait already."""

import asyncio
import gc
import tempfile
import warnings
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.answers import Answers
from actors.asks import MAX_SLOW_ASKS, MAX_SLOW_OF_ONE, Asks
from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.shard import Shard
from bus import lines
from bus.subjects import Address
from model.queries.ask import finish
from schemas.apps import ADMIN_APP
from schemas.codec import decode_reply
from schemas.commands import MakeModel
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.queries import Ask, Ping, Query
from schemas.replies import AskReply, Failed
from tests.actors import histories


class Replies:
    """Stands in for the bus: takes replies."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def publish_soon(self, _subject: str, data: bytes) -> None:
        self.sent.append(decode_reply(data))


def ask(asks: Asks, query: Query) -> None:
    verb = str(query.__struct_config__.tag)
    asks._on_ask(f"llum.query.3.alice.llum.{verb}".encode(), b"inbox", msgspec.json.encode(query))


@pytest.mark.parametrize("query", [Ask(as_of_seq=1), Ask(context=["a"], resolver="count"), Ping()])
async def test_an_ask_that_may_not_wait_leaves_nothing_behind(query: Query) -> None:
    """It is told to come again; no coroutine is made that nobody awaits. What is in memory is answered all the same."""
    with tempfile.TemporaryDirectory() as folder:
        partition = Partition(3, await Shard.open(Path(folder) / "one.db"), ActiveModels(10))
        make = MakeModel(id="1", definition=histories.DEFINITION)
        await partition.apply([histories.message(1, histories.START_US, "alice", ADMIN_APP, make)])
        replies = Replies()
        busy: Any = set(range(MAX_SLOW_ASKS))
        asks = Asks(replies, 3, Answers(partition, lambda: 2e9, lambda: 0), busy)  # type: ignore[arg-type]
        gc.collect()  # what earlier tests have left behind is no concern of this one
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            ask(asks, query)
            gc.collect()
        await partition.shard.close()
        assert [str(one.message) for one in warned if one.category is not ResourceWarning] == []
        (reply,) = replies.sent
        assert isinstance(reply, Failed)
        assert reply.error.code is Code.UNAVAILABLE
        ask(asks, Ask(context=["b"]))
        assert isinstance(replies.sent[-1], AskReply)


async def test_an_ask_that_is_sent_again_meanwhile_is_answered_once(tmp_path: Path) -> None:
    """Large answers take longer than their askers' patience; to begin them anew would make them slower still."""
    partition = Partition(3, await Shard.open(tmp_path / "one.db"), ActiveModels(10))
    make = MakeModel(id="1", definition=histories.DEFINITION)
    await partition.apply([histories.message(1, histories.START_US, "alice", ADMIN_APP, make)])
    replies, slow = Replies(), set[Any]()
    asks = Asks(replies, 3, Answers(partition, lambda: 2e9, lambda: 0), slow)  # type: ignore[arg-type]
    query = msgspec.json.encode(Ask(context=["a"], resolver="count"))
    inbox = b"_INBOX.edge.1"
    for reply_to in (inbox, inbox, b"_INBOX.edge.2"):
        asks._on_message(b"llum.query.3.alice.llum.ask", reply_to, b"", query)
    assert len(slow) == 2
    await asks.finish()
    assert len(replies.sent) == 2
    asks._on_message(b"llum.query.3.alice.llum.ask", inbox, b"", query)
    await asks.finish()
    assert len(replies.sent) == 3, "when it has been answered, the same ask is a new one"
    await partition.shard.close()


async def test_one_app_leaves_places_for_others(tmp_path: Path) -> None:
    """It may ask for what never comes; about others, and by other apps, asks are answered as ever."""
    partition = Partition(3, await Shard.open(tmp_path / "one.db"), ActiveModels(10))
    for seq, user in enumerate(("alice", "bob"), 1):
        make = MakeModel(id="1", definition=histories.DEFINITION)
        await partition.apply([histories.message(seq, histories.START_US, user, ADMIN_APP, make)])
    replies, slow = Replies(), set[Any]()
    asks = Asks(replies, 3, Answers(partition, lambda: 2e9, lambda: 0), slow)  # type: ignore[arg-type]
    never = msgspec.json.encode(Ask(context=["a"], min_seq=10**9))
    for number in range(MAX_SLOW_OF_ONE + 1):
        asks._on_message(b"llum.query.3.alice.llum.ask", f"_INBOX.edge.{number}".encode(), b"", never)
    (refused,) = replies.sent
    assert isinstance(refused, Failed)
    assert refused.error.code is Code.UNAVAILABLE
    assert len(slow) == MAX_SLOW_OF_ONE < MAX_SLOW_ASKS
    asks._on_message(b"llum.query.3.bob.llum.ask", b"_INBOX.edge.bob", b"", never)
    assert len(slow) == MAX_SLOW_OF_ONE + 1
    partition.leave()
    await asks.finish()
    assert {type(reply) for reply in replies.sent} == {Failed}
    ask(asks, Ask(context=["a"], resolver="count"))
    await asks.finish()
    assert isinstance(replies.sent[-1], AskReply), "those that have been answered take no place"
    await partition.shard.close()


async def test_others_go_on_while_much_is_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two slices of its evidence."""
    monkeypatch.setattr(finish, "DECODED_AT_ONCE", 1)
    partition = Partition(3, await Shard.open(tmp_path / "one.db"), ActiveModels(10))
    evidence = [NewEvidence(value=number) for number in range(100)]
    component = ComponentDefinition(name="c", value_type="number", evidence=evidence)
    definition = ModelDefinition(contexts=[ContextDefinition(path=["a"], components=[component])])
    make = MakeModel(id="1", definition=definition)
    await partition.apply([histories.message(1, histories.START_US, "alice", ADMIN_APP, make)])
    query = msgspec.json.encode(Ask(context=["a"], resolver="sum"))
    answer = Answers(partition, lambda: 2e9, lambda: 0).answer(Address(3, "alice", "llum", "ask"), query)
    assert not isinstance(answer, msgspec.Struct)
    answering: Any = asyncio.create_task(answer())  # type: ignore[arg-type]
    turns = 0
    while not answering.done():
        turns += 1
        await asyncio.sleep(0)
    assert (await answering).components[0].value == sum(range(100))
    assert turns >= 99
    await partition.shard.close()


async def test_a_ping_is_answered_when_all_asks_before_it_are_logged(tmp_path: Path) -> None:
    """Whoever takes a person out of the log files relies on it."""
    waiting: list[lines.Line] = []
    written: list[lines.Line] = []

    def flush() -> None:
        written.extend(waiting)
        waiting.clear()

    partition = Partition(3, await Shard.open(tmp_path / "one.db"), ActiveModels(10))
    replies, slow = Replies(), set[Any]()
    asks = Asks(replies, 3, Answers(partition, lambda: 2e9, lambda: 0), slow)  # type: ignore[arg-type]
    lines.lead(waiting.append, flush)
    try:
        for query in (Ask(context=["a"]), Ping()):
            ask(asks, query)
            await asks.finish()
    finally:
        lines.lead()
        await partition.shard.close()
    assert [line.verb for line in written if isinstance(line, lines.LoggedAsk)] == ["ask"]
    assert len(replies.sent) == 2
