"""Digests of commands: what they are made of, what is kept of them, and the ids that are used again."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from actors.live import ActiveModels
from actors.partition import Partition
from actors.settling import Settled
from actors.store.digests import Digests, Landmark, added
from actors.store.entries import REJECTION
from actors.store.shard import Shard
from bus.log import LogMessage
from model.commands.rules import CRON_APP
from schemas.causes import Cause
from schemas.commands import Command, Derive, Fire, Forget, MakeContext, MakeModel, Tell, Withdraw
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.replies import Refused
from tests.actors import histories

KEY = b"a secret"
MESSAGE = LogMessage(7, 1_790_000_000_000_000, 3, "llum.log.3.alice.llum.tell", b'{"verb":"tell"}', None)


class Log:
    """A partition, and what is sent to it."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.partition = Partition(3, shard, ActiveModels(10))
        self.messages: list[LogMessage] = []

    async def send(self, command: Command | bytes, user: str = "alice", app: str = "llum") -> Settled:
        seq = len(self.messages) + 1
        self.messages.append(histories.message(seq, histories.START_US + seq, user, app, command))
        (settled,) = await self.partition.apply(self.messages[-1:])
        return settled


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    shard = await Shard.open(tmp_path / "3.db", digests=Digests(KEY))
    log = Log(shard)
    await log.send(MakeModel(id="make", definition=histories.DEFINITION))
    yield log
    await shard.close()


def tell(command_id: str, value: object, cause: Cause | None = None) -> Tell:
    members = {"id": command_id, "context": ["a"], "component": "a", "evidence": NewEvidence(value=value)}
    return Tell(**members) if cause is None else Derive(**members, cause=cause)


@pytest.mark.parametrize(
    "other",
    [
        msgspec.structs.replace(MESSAGE, seq=8),
        msgspec.structs.replace(MESSAGE, time_us=MESSAGE.time_us + 1),
        msgspec.structs.replace(MESSAGE, subject="llum.log.3.alicia.llum.tell"),
        msgspec.structs.replace(MESSAGE, data=b'{"verb":"tel"}'),
        # What moves from the body to the subject is not the same text.
        msgspec.structs.replace(MESSAGE, data=MESSAGE.data + b"ll", subject=MESSAGE.subject[2:]),
    ],
)
def test_whatever_differs_in_the_log_has_another_digest(other: LogMessage) -> None:
    """Its sequence, time, subject or body. The inbox is no part of it: it is not in the log's order."""
    digests = Digests(KEY)
    assert digests.of(other)[0] != digests.of(MESSAGE)[0]
    assert digests.of(msgspec.structs.replace(MESSAGE, reply_to="_INBOX.x.1")) == digests.of(MESSAGE)


def test_the_body_alone_has_a_digest_that_a_repeat_has_too() -> None:
    """Later, and by another app."""
    digests = Digests(KEY)
    repeat = msgspec.structs.replace(MESSAGE, seq=99, time_us=1, subject="llum.log.3.alice.probe.tell")
    assert (
        digests.of(repeat)[1] == digests.of(MESSAGE)[1] != digests.of(msgspec.structs.replace(MESSAGE, data=b"{}"))[1]
    )


def test_another_key_makes_other_digests_and_has_another_fingerprint() -> None:
    """So that nobody without it can look for what fits."""
    one, other = Digests(KEY), Digests(b"another secret")
    assert one.fingerprint == Digests(KEY).fingerprint != other.fingerprint
    assert all(mine != theirs for mine, theirs in zip(one.of(MESSAGE), other.of(MESSAGE), strict=True))


async def test_the_shard_knows_the_last_command_and_the_key(log: Log, tmp_path: Path) -> None:
    """After each commit, whatever became of the command; and it knows them when it is opened again."""
    for command in (tell("t1", 1), b"rubbish"):
        await log.send(command)
        await log.partition.commit_all()
        last = log.messages[-1]
        expected = Landmark(last.seq, last.time_us, Digests(KEY).of(last)[0])
        again = await Shard.open(tmp_path / "3.db", digests=Digests(b"another secret"))
        assert log.shard.last == again.last == log.partition.waiting.last == expected
        assert again.digest_key == Digests(KEY).fingerprint
        await again.close()


async def test_forgetting_takes_exactly_the_person_s_share_out_of_the_sum(log: Log, tmp_path: Path) -> None:
    """What is left is the sum of the others, and no digest of the person's commands."""
    await log.send(MakeModel(id="make", definition=histories.DEFINITION), "bob")
    await log.send(tell("t1", 1))
    await log.send(tell("t1", 1), "bob")
    total = 0
    for message in (log.messages[1], log.messages[3]):
        total = added(total, Digests(KEY).of(message)[0])
    await log.partition.commit_all()
    assert log.shard.log_sum != total
    await log.send(Forget(id="forget"))
    assert log.shard.log_sum == log.partition.waiting.log_sum == total
    with closing(sqlite3.connect(tmp_path / "3.db")) as file:
        assert file.execute("SELECT seq FROM command WHERE digest IS NOT NULL").fetchall() == [(2,), (4,)]
        assert [int.from_bytes(one, "little") for (one,) in file.execute("SELECT log_sum FROM user")] == [total]


async def test_the_sum_of_the_state_is_that_of_what_models_are_made_of(log: Log, tmp_path: Path) -> None:
    """Of another copy, too, whose rows came in another order; forgetting takes exactly the person's share out of it."""
    others = Log(await Shard.open(tmp_path / "other.db", digests=Digests(KEY)))
    empty = await others.shard.count_state()
    await log.send(MakeModel(id="make", definition=histories.DEFINITION), "bob")
    await log.partition.commit_all()
    before = await log.shard.count_state()
    tells = [await log.send(tell("t1", 1), user) for user in ("alice", "bob")]
    await log.send(Withdraw(id="w1", context=["a"], component="a", seq=tells[0].outcome.seq))
    await log.partition.commit_all()
    assert (await log.shard.count_state()).agrees_with(before) is None
    await others.partition.apply(log.messages)
    await others.partition.commit_all()
    both = await log.shard.count_state()
    assert both.agrees_with(await others.shard.count_state())
    with closing(sqlite3.connect(tmp_path / "other.db")) as file:
        file.execute("UPDATE withdrawal SET at_us = at_us + 1")
        file.commit()
    assert both.agrees_with(await others.shard.count_state()) is False
    await others.shard.close()
    await log.send(Forget(id="forget"), "bob")
    await log.send(Forget(id="forget"))
    assert (await log.shard.count_state()).rows == empty.rows == 0


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize(
    "other",
    [
        tell("used", 2),
        MakeContext(id="used", context=[], name="used"),
        b'{"verb": "tell", "id": "used"}',
        # The same to a reader of JSON, but not the same bytes.
        b'{"verb": "tell", "id": "used", "context": ["a"], "component": "a", "evidence": {"value": 1}}',
    ],
)
async def test_the_same_id_with_another_body_is_a_conflict(log: Log, other: Command | bytes, committed: bool) -> None:
    """It changes nothing and is told to who looks for rejections; a repeat still gets the first outcome."""
    first = await log.send(tell("used", 1))
    if committed:
        await log.partition.commit_all()
    conflict = await log.send(other)
    assert isinstance(conflict.outcome, Refused)
    assert (conflict.outcome.error.code, conflict.outcome.seq) == (Code.ID_REUSED, 3)
    assert not conflict.changes
    repeat = await log.send(tell("used", 1))
    assert (repeat.outcome.seq, repeat.outcome.repeated) == (first.outcome.seq, True)
    await log.partition.commit_all()
    assert [entry.seq for entry in await log.shard.outbox(10) if entry.kind == REJECTION] == [3]


async def test_a_refusal_keeps_its_id_too(log: Log) -> None:
    """The command that was refused is repeated as it was; put right, it needs another id."""
    wrong = Tell(id="used", context=["a"], component="missing", evidence=NewEvidence(value=1))
    first = await log.send(wrong)
    assert isinstance((await log.send(tell("used", 1))).outcome, Refused)
    repeat = await log.send(wrong)
    assert isinstance(repeat.outcome, Refused)
    assert isinstance(first.outcome, Refused)
    assert repeat.outcome.error == first.outcome.error


@pytest.mark.parametrize("committed", [False, True])
async def test_of_what_llum_sends_itself_the_first_wins(log: Log, committed: bool) -> None:
    """A rule that is decided again after a crash may come to another value; its firing has told already."""
    cause = Cause(rule="5", root="alice.1", depth=1)
    pairs = [
        (tell("rule-3.2-5", 1, cause), tell("rule-3.2-5", 2, cause), "llum"),
        (
            Fire(id="fire-7", context=["a"], component="a", token="1-0-1", at=7),
            Fire(id="fire-7", context=["a"], component="a", token="1-0-0", at=7),
            CRON_APP,
        ),
    ]
    for first, second, app in pairs:
        before = await log.send(first, app=app)
        if committed:
            await log.partition.commit_all()
        after = await log.send(second, app=app)
        assert (after.outcome.seq, after.outcome.repeated) == (before.outcome.seq, True)


async def test_an_id_that_an_app_has_used_first_stops_nothing_that_a_rule_of_its_own_sends(log: Log) -> None:
    """What a rule sends is named by what has set it off, which its app can guess."""
    guessed = await log.send(tell("rule-3.2-5", 1))
    derived = await log.send(tell("rule-3.2-5", 2, Cause(rule="5", root="alice.1", depth=1)))
    assert [one.outcome.repeated for one in (guessed, derived)] == [False, False]
    assert derived.changes
