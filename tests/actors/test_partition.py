"""A partition and its shard: what is looked up before it is applied, what leaves, what is counted."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.answers import Answers
from actors.live import ActiveModels
from actors.partition import Partition
from actors.settling import Settled
from actors.store.entries import FIRED, REGISTRATION, REJECTION, SCHEDULE, FiredEntry, ScheduleEntry
from actors.store.shard import OutboxEntry, Scheduled, Shard
from bus.subjects import Address
from model.commands.rules import CRON_APP
from schemas.causes import Cause
from schemas.commands import (
    Command,
    DeleteComponent,
    Derive,
    Fire,
    Forget,
    Import,
    MakeModel,
    RegisterApp,
    SetPermission,
    SetTimeZone,
    Tell,
    Withdraw,
)
from schemas.definitions import (
    ComponentDefinition,
    ContextDefinition,
    ImportedContext,
    ModelDefinition,
)
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.limits import MAX_PER_CAUSE
from schemas.queries import Ask, Export, GetContext, Query
from schemas.replies import Accepted, AskReply, ContextReply, ContextSize, ExportReply, Failed, Refused
from schemas.verbs import verb_of
from tests.actors import histories

RULE = "'a' ~ 'a' : NOTIFY 'https://example.org/'"
CRON_RULE = f'["0 7 * * *"] {RULE}'


class World:
    """Alice's model in a partition; every command comes a second after the one before."""

    def __init__(self, path: Path, relayed_seq: int = 0) -> None:
        self.path = path
        self.relayed_seq = relayed_seq
        self.seq = 0
        self.partition: Partition

    async def open(self) -> "World":
        self.partition = Partition(3, await Shard.open(self.path), ActiveModels(10), self.relayed_seq)
        return self

    async def open_again(self) -> None:
        await self.close()
        await self.open()

    async def close(self) -> None:
        await self.partition.shard.close()

    async def apply(self, *commands: Command, app: str = "llum") -> list[Settled]:
        messages = []
        for command in commands:
            self.seq += 1
            time_us = histories.START_US + self.seq * 1_000_000
            messages.append(histories.message(self.seq, time_us, "alice", app, command))
        settled = await self.partition.apply(messages)
        await self.partition.commit_all()
        return settled

    async def ask(self, query: Query, app: str = "llum") -> Any:
        now = histories.START_US / 1e6 + self.seq + 0.5
        verb = verb_of(query)
        answer = Answers(self.partition, lambda: now, lambda: 0).answer(
            Address(3, "alice", app, verb), msgspec.json.encode(query)
        )
        return answer if isinstance(answer, msgspec.Struct) else await answer()

    async def entries(self) -> list[tuple[int, int, str]]:
        return [(entry.seq, entry.n, entry.kind) for entry in await self.partition.shard.outbox(1000)]


def make(*rules: str) -> MakeModel:
    components = [ComponentDefinition(name="x", value_type="number", rules=list(rules)), ComponentDefinition(name="y")]
    return MakeModel(
        id="make", definition=ModelDefinition(contexts=[ContextDefinition(path=["a"], components=components)])
    )


def tell(id: str, value: Any = 1, component: str = "x", **members: Any) -> Tell:
    kind = Derive if "cause" in members else Tell
    return kind(id=id, context=["a"], component=component, evidence=NewEvidence(value=value), **members)


def withdraw(id: str, seq: int) -> Withdraw:
    return Withdraw(id=id, context=["a"], component="x", seq=seq)


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    world = await World(tmp_path / "3.db").open()
    yield world
    await world.close()


async def test_what_is_told_and_withdrawn_in_one_batch(world: World) -> None:
    """A withdrawal finds what was told just before it; the second one finds it withdrawn."""
    settled = await world.apply(make(), tell("1", 1), tell("2", 2), withdraw("w", 3), withdraw("v", 3), tell("3", 3))
    outcomes = [item.outcome for item in settled]
    assert [type(one) for one in outcomes] == [Accepted, Accepted, Accepted, Accepted, Refused, Accepted]
    assert isinstance(outcomes[4], Refused)
    assert outcomes[4].error.code is Code.NO_SUCH_EVIDENCE
    await world.apply(withdraw("u", 6))
    reply = await world.ask(Ask(context=["a"], view=["x"]))
    assert reply.components[0].value == 1
    await world.open_again()
    assert (await world.ask(Ask(context=["a"], view=["x"]))).components[0].value == 1


async def test_a_command_reads_what_waits_for_its_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is one transaction then, and each command sees what the ones before it have told and withdrawn."""
    commits: list[int] = []
    write = Shard.write

    async def counted(shard: Shard, batch: Any) -> None:
        commits.append(batch.applied_seq)
        await write(shard, batch)

    monkeypatch.setattr(Shard, "write", counted)
    settled = await world.apply(make(), tell("1", 1), tell("2", 2), withdraw("w", 3), withdraw("v", 3), tell("3", 3))
    assert commits == [6]
    kinds = [type(item.outcome) for item in settled]
    assert kinds == [Accepted, Accepted, Accepted, Accepted, Refused, Accepted]
    await world.apply(withdraw("u", 6))
    await world.open_again()
    assert (await world.ask(Ask(context=["a"], view=["x"]))).components[0].value == 1


async def test_a_tell_to_a_component_with_rules_leaves_one_entry(world: World) -> None:
    """It says which component and when; a component without rules leaves nothing."""
    settled = await world.apply(make(RULE, RULE), tell("1"), tell("2", "z", "y"))
    assert [item.leaves for item in settled] == [True, True, False]
    _, entry = await world.partition.shard.outbox(10)
    assert (entry.seq, entry.n, entry.kind) == (2, 0, FIRED)
    assert msgspec.json.decode(entry.body) == {
        "user": "alice",
        "path": ["a", "x"],
        "seq": 2,
        "token": None,
        "cause": None,
        "but_not": [],
        "n": 0,
    }


def _after(entry: OutboxEntry) -> int | None:
    return msgspec.json.decode(entry.body, type=ScheduleEntry).after_s


async def test_a_schedule_is_set_fired_and_dropped(world: World) -> None:
    """In the order of the log; what is installed can be listed at a start."""
    made_s = histories.START_US // 1_000_000 + 1
    await world.apply(make(CRON_RULE))
    assert await world.partition.shard.schedules() == [Scheduled("alice", ["a", "x"], "1-0-0", "0 7 * * *", None)]
    fire = Fire(id="f", context=["a"], component="x", token="1-0-0", at=made_s)
    await world.apply(SetTimeZone(id="z", time_zone="Asia/Tokyo"))
    (scheduled,) = await world.partition.shard.schedules()
    assert scheduled.time_zone == "Asia/Tokyo"
    await world.apply(fire, app=CRON_APP)
    await world.apply(DeleteComponent(id="d", context=["a"], component="x"))
    assert await world.partition.shard.schedules() == []
    _, first, anew, following, fired, last = await world.partition.shard.outbox(10)
    assert [one.kind for one in (first, anew, following, fired, last)] == [*[SCHEDULE] * 3, FIRED, SCHEDULE]
    assert [_after(one) for one in (first, anew, following, last)] == [made_s, made_s + 1, made_s, None]
    assert msgspec.json.decode(fired.body, type=FiredEntry).token == "1-0-0"
    assert msgspec.json.decode(last.body, type=ScheduleEntry) == ScheduleEntry("alice", ["a", "x"], "1-0-0", None)


async def test_entries_of_one_command_are_taken_together(world: World) -> None:
    """They are forgotten by sequence, so none may be left for later."""
    await world.apply(make(CRON_RULE, CRON_RULE, CRON_RULE), tell("bad", "no number"))
    taken = await world.partition.shard.outbox(2)
    assert [(entry.seq, entry.n) for entry in taken] == [(1, 0), (1, 1), (1, 2), (1, 3)]
    await world.partition.shard.drop_outbox(1)
    assert await world.entries() == [(2, 0, REJECTION)]


async def test_what_has_left_before_does_not_leave_again(tmp_path: Path) -> None:
    """A shard that is rebuilt from the log passes over it; what is newer leaves."""
    world = await World(tmp_path / "3.db", relayed_seq=2).open()
    await world.apply(make(RULE, CRON_RULE), tell("1"), tell("2"))
    assert await world.entries() == [(3, 0, FIRED)]
    await world.close()


async def test_commands_of_one_cause_are_counted_over_a_restart(world: World) -> None:
    """The count is kept with the model; beyond the bound a command is refused, which is reported."""
    cause = Cause(rule="1-0-0", root="alice.9", depth=2)
    await world.apply(make())
    await world.apply(*(tell(str(n), cause=cause) for n in range(MAX_PER_CAUSE - 1)))
    await world.open_again()
    last, refused = await world.apply(tell("last", cause=cause), tell("more", cause=cause))
    assert type(last.outcome) is Accepted
    assert isinstance(refused.outcome, Refused)
    assert refused.outcome.error.code is Code.RULE_LIMIT
    assert [kind for _, _, kind in await world.entries()] == [REGISTRATION, REJECTION]


async def test_an_export_is_of_one_state(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is told, made and withdrawn between its pages."""
    monkeypatch.setattr("model.queries.export.MAX_EVIDENCE_PAGE", 3)
    await world.apply(make(), *(tell(f"t{n}", n) for n in range(10)))
    values: list[Any] = []
    query = Export()
    for turn in range(20):
        page = await world.ask(query)
        assert isinstance(page, ExportReply)
        pieces = [piece for context in page.contexts for one in context.components for piece in one.evidence]
        assert all(piece.withdrawn is None for piece in pieces)
        values += [piece.value for piece in pieces]
        if page.next is None:
            break
        await world.apply(tell(f"more{turn}", 99), withdraw(f"w{turn}", 11))
        query = Export(after=page.next)
    assert values == list(range(10))


async def test_the_smaller_queries_look_into_the_past_too(world: World) -> None:
    """As of a sequence or a time."""
    await world.apply(make(), tell("1"), DeleteComponent(id="d", context=["a"], component="y"), tell("2"))
    for query in (
        GetContext(context=["a"], size=True, as_of_seq=2),
        GetContext(context=["a"], size=True, as_of_time=histories.START_US / 1e6 + 2.5),
    ):
        reply = await world.ask(query)
        assert isinstance(reply, ContextReply)
        assert reply.components == ["x", "y"]
        assert reply.size == ContextSize(contexts=1, components=2, evidence=1)


async def test_who_lost_a_permission_does_not_see_the_past(world: World) -> None:
    """The permissions of today are judged, also of a context that is gone."""
    await world.apply(
        make(),
        tell("1"),
        RegisterApp(id="r", app="probe"),
        SetPermission(id="p", app="probe", context=[], ask=True),
    )
    query = Ask(context=["a"], as_of_seq=4)
    assert isinstance(await world.ask(query, "probe"), AskReply)
    await world.apply(SetPermission(id="q", app="probe", context=[], ask=False))
    failed = await world.ask(query, "probe")
    assert isinstance(failed, Failed)
    assert failed.error.code is Code.PERMISSION_DENIED


async def test_times_of_a_partition_do_not_go_back(world: World) -> None:
    """So that the order by time is that of the log, also after a restart, when the server's clock is set back."""
    await world.apply(make())
    messages = [
        histories.message(2, histories.START_US + 50_000_000, "alice", "llum", tell("1", 1)),
        histories.message(3, histories.START_US + 20_000_000, "alice", "llum", tell("2", 2)),
    ]
    await world.partition.apply(messages[:1])
    await world.partition.commit_all()
    world.seq = 3
    await world.open_again()
    await world.partition.apply(messages[1:])
    reply = await world.ask(Ask(context=["a"], view=["x"], include_evidence=True))
    times = [piece.creation_time for piece in reply.components[0].evidence]
    assert times == [histories.START_US / 1e6 + 50] * 2
    past = await world.ask(Ask(context=["a"], view=["x"], as_of_time=histories.START_US / 1e6 + 30))
    assert past.components[0].value is None


@pytest.mark.parametrize("opens_again", [False, True])
async def test_the_time_of_a_forget_counts_like_any_other(world: World, opens_again: bool) -> None:
    """Its command is kept, so a shard that is opened anew knows its time: what was not opened anew must, too."""
    forget = histories.message(2, histories.START_US + 50_000_000, "nobody", "llum", Forget(id="f"))
    await world.apply(make())
    await world.partition.apply([forget])
    await world.partition.commit_all()
    world.seq = 3
    if opens_again:
        await world.open_again()
    told = histories.message(3, histories.START_US + 20_000_000, "alice", "llum", tell("1", 1))
    await world.partition.apply([told])
    reply = await world.ask(Ask(context=["a"], view=["x"], include_evidence=True))
    assert [piece.creation_time for piece in reply.components[0].evidence] == [histories.START_US / 1e6 + 50]


async def test_an_import_is_one_command(world: World) -> None:
    """Sent again with its id it changes nothing."""
    command = Import(id="i", context=[], contexts=[ImportedContext(path=["new"])])
    settled = await world.apply(make(), command, command)
    assert [item.outcome.repeated for item in settled] == [False, False, True]
