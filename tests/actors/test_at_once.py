"""What is applied in the moment in which it arrives, and what goes to the partition's loop instead."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from actors.live import ActiveModels
from actors.mailbox import MAX_AT_ONCE, Mailroom
from actors.partition import Partition
from actors.store.entries import REJECTION
from actors.store.shard import Shard
from bus.log import LogMessage
from model import fold
from schemas.commands import Command, Forget, MakeModel, Tell, Withdraw
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.replies import Accepted, Refused
from tests.actors import histories
from tests.actors.hosting import HERS, Host
from tests.waiting import DEADLINE_S, until

OTHER = HERS + 1

DEFINITION = ModelDefinition(
    contexts=[ContextDefinition(path=["a"], components=[ComponentDefinition(name="x", value_type="number")])]
)


def told(seq: int, command: Command | bytes, user: str = "alice") -> LogMessage:
    return histories.message(seq, histories.START_US + seq, user, "llum", command)


def tell(id: str, value: Any = 1) -> Tell:
    return Tell(id=id, context=["a"], component="x", evidence=NewEvidence(value=value))


@pytest.fixture
async def partition(tmp_path: Path) -> AsyncIterator[Partition]:
    """Alice has a model, in memory, with one tell in it; all is committed."""
    made = Partition(3, await Shard.open(tmp_path / "3.db"), ActiveModels(10))
    await made.apply([told(1, MakeModel(id="make", definition=DEFINITION)), told(2, tell("first"))])
    await made.commit_all()
    yield made
    await made.shard.close()


async def test_a_tell_is_applied_at_once(partition: Partition) -> None:
    """So is one that is refused. Their rows wait for their commit like all others."""
    accepted, refused = partition.apply_at_once(told(3, tell("a"))), partition.apply_at_once(told(4, tell("b", "text")))
    assert accepted is not None
    assert type(accepted.outcome) is Accepted
    assert refused is not None
    assert type(refused.outcome) is Refused
    assert (partition.applied_seq, partition.committed_seq) == (4, 2)
    await partition.commit_all()
    assert partition.committed_seq == 4
    assert [entry.seq for entry in await partition.shard.outbox(10) if entry.kind == REJECTION] == [4]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(told(3, tell("first")), id="a repeat may be in the shard"),
        pytest.param(told(3, Withdraw(id="w", context=["a"], component="x", seq=2)), id="evidence is read"),
        pytest.param(told(3, Forget(id="f")), id="a forget is committed by itself"),
        pytest.param(told(3, tell("a"), "bob"), id="a model that is not in memory"),
        pytest.param(told(3, b"{"), id="no command"),
        pytest.param(told(2, tell("first")), id="what was applied before"),
    ],
)
async def test_what_must_wait_is_not_touched(partition: Partition, message: LogMessage) -> None:
    """Then nothing is done at all: the loop applies it."""
    assert partition.apply_at_once(message) is None
    assert (partition.applied_seq, partition.committed_seq) == (2, 2)
    await partition.apply([message])
    assert partition.applied_seq == message.seq


async def test_a_model_of_somebody_new_is_made_at_once(partition: Partition) -> None:
    """What is told to it next is applied at once, too, and all of it is there after a start."""
    made = partition.apply_at_once(told(3, MakeModel(id="make", definition=DEFINITION), "bob"))
    assert made is not None
    assert made.outcome == Accepted(id="make", seq=3, result=True)
    assert partition.apply_at_once(told(4, tell("a"), "bob")) is not None
    await partition.commit_all()
    assert {name: one.model is not None for name, one in (await partition.shard.load(["alice", "bob"])).items()} == {
        "alice": True,
        "bob": True,
    }


async def test_whoever_was_heard_of_before_is_not_taken_for_new(partition: Partition, tmp_path: Path) -> None:
    """Be it now or before a start, and be it that all they sent was refused: their models are looked for first."""
    await partition.apply([told(3, tell("a"), "bob")])
    for user in ("alice", "bob"):
        partition._actives.passivate(partition.number, user)
    await partition.commit_all()
    anew = MakeModel(id="anew", definition=DEFINITION)
    assert [partition.apply_at_once(told(4, anew, user)) for user in ("alice", "bob")] == [None, None]
    await partition.shard.close()
    again = Partition(3, await Shard.open(tmp_path / "3.db"), ActiveModels(10))
    try:
        assert again.apply_at_once(told(4, anew)) is None
        await again.shard.load(["carla"])
        await until(lambda: again.shard.repeats.is_complete, "the filter is loaded")
        assert again.apply_at_once(told(4, anew)) is None
        refused = (await again.apply([told(4, anew)]))[0].outcome
        assert type(refused) is Refused
        assert refused.error.code is Code.ALREADY_EXISTS
    finally:
        await again.shard.close()


async def test_nothing_is_applied_while_a_model_is_read(partition: Partition) -> None:
    """An answer of the past is begun on a model that stays as it is."""
    async with partition.reading("alice"):
        assert partition.apply_at_once(told(3, tell("a"))) is None
    assert partition.apply_at_once(told(3, tell("a"))) is not None


async def test_a_fault_of_ours_is_met_once(partition: Partition, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is not tried again on a model that may be half changed: it is refused, and committed before that."""
    with monkeypatch.context() as patched:

        def fails(*_: Any) -> Any:
            raise ZeroDivisionError

        patched.setattr(fold, "evolve", fails)
        assert partition.apply_at_once(told(3, tell("bad"))) is None
    committed: list[int] = []

    async def speak(_: Any) -> None:
        committed.append(partition.committed_seq)

    settled = await partition.apply([told(3, tell("bad"))], speak)
    outcome = settled[0].outcome
    assert isinstance(outcome, Refused)
    assert outcome.error.code is Code.INTERNAL
    assert committed == [3]
    # The model is read anew.
    assert partition.active("alice") is None


def message(seq: int, partition: int = HERS) -> LogMessage:
    return LogMessage(seq, 0, partition, "", b"", None)


def test_what_comes_behind_one_that_waits_waits_too() -> None:
    """Commands of a partition are applied in the order of the log. Other partitions are not held up."""
    room, applied = Mailroom(lambda: None), list[int]()
    hers, other = room.open(HERS), room.open(OTHER)

    def all_but_the_second(one: LogMessage) -> bool:
        if one.seq == 2:
            return False
        applied.append(one.seq)
        return True

    hers.at_once = other.at_once = all_but_the_second
    room.deliver([message(1), message(2), message(3), message(4, OTHER)])
    room.deliver([message(5)])
    assert applied == [1, 4]
    assert [one.seq for one in hers.take()] == [2, 3, 5]
    assert not other.waiting


def test_a_large_burst_is_taken_in_batches() -> None:
    """Each partition has several of it, and applies them together."""
    room = Mailroom(lambda: None)
    mailbox = room.open(HERS)
    mailbox.at_once = lambda _: True
    burst = [message(seq) for seq in range(MAX_AT_ONCE + 1)]
    room.deliver(burst)
    assert mailbox.take() == burst


async def test_a_tell_wakes_no_loop(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker is told about a model in memory is answered, and seen by asks, without a batch."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person("alice", "a")
    await host.llum.tell("a", 1)

    async def never(*_: Any) -> Any:
        raise AssertionError("a batch is applied")

    monkeypatch.setattr(Partition, "apply", never)
    await asyncio.wait_for(host.llum.tell("a", 2), DEADLINE_S)
    assert await host.llum.values("a") == [1, 2]
    monkeypatch.undo()
