"""The record of who asked, as workers write it on a real nats-server."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from actors import asked as recording
from actors.asked import AskRecord
from actors.erasing import Erasing, OutdatedError
from actors.partition import Partition
from bus import asked
from bus.asked import PersonsWindow
from bus.connection import Bus
from model.asked.about import Heading
from model.asked.tally import Tally
from schemas.asked import AskedReply, AskedRow, AskedWindow
from schemas.commands import Forget, Tell
from schemas.errors import Code, Refusal
from schemas.evidence import NewEvidence
from schemas.parts import ForgetPart
from schemas.queries import Ask, Asked
from tests.actors.hosting import HERS, Host
from tests.actors.serving import Llum, serving, speaking, worker
from tests.actors.worker_process import WorkerProcess
from tests.waiting import DEADLINE_S, eventually, until


@pytest.fixture
async def llum(tmp_path: Path) -> AsyncIterator[Llum]:
    async with serving(tmp_path) as running:
        await running.make_person("alice", "a", "b")
        yield running


async def ask(llum: Llum, app: str = "llum", component: str = "a") -> None:
    query = Ask(context=["c"], view=[component])
    await llum.requests.ask("alice", app, query, DEADLINE_S)


async def refused_ask(llum: Llum, app: str) -> None:
    with pytest.raises(Refusal) as caught:
        await llum.requests.ask("alice", app, Ask(context=["c"]), DEADLINE_S)
    assert caught.value.code is Code.PERMISSION_DENIED


async def seen_by_owner(llum: Llum, app: str, verb: str = "ask") -> list[AskedRow]:
    reply = await llum.requests.ask("alice", "llum", Asked(app=app), DEADLINE_S)
    assert isinstance(reply, AskedReply)
    return [row for row in reply.rows if row.verb == verb]


async def stored(llum: Llum, app: str, verb: str = "ask") -> list[AskedRow]:
    return [row for row in await asked.read(llum.bus, "alice") if (row.app, row.verb) == (app, verb)]


async def test_the_owner_sees_an_ask_at_once(llum: Llum) -> None:
    """Who, what, how often and under which right; and what was told beside it."""
    await llum.grant("alice", "coach")
    for _ in range(3):
        await ask(llum, "coach")
    await llum.tell("a", 1, app="coach")
    (row,) = await seen_by_owner(llum, "coach")
    assert (row.path, row.kind, row.grant, row.rule_of) == (["c", "a"], "component", "/", None)
    assert row.count >= 3  # an ask whose answer is late is sent again
    (told,) = await seen_by_owner(llum, "coach", "tell")
    assert (told.path, told.count) == (["c", "a"], 1)


async def test_a_refusal_is_stored_at_once(llum: Llum) -> None:
    """Not only when the minute is over. One that comes again and again is stored once, and counted."""
    for _ in range(3):
        await refused_ask(llum, "stranger")
    row = (await eventually(lambda: stored(llum, "stranger"), "the refusal is stored"))[0]
    assert (row.code, row.path, row.kind, row.grant) == ("permission_denied", ["c"], "context", "")
    (row,) = await seen_by_owner(llum, "stranger")
    assert row.count >= 3


async def test_an_ask_is_stored_when_its_minute_is_over(llum: Llum, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anybody's doing."""
    monkeypatch.setattr(recording, "MINUTE_S", 0.01)
    await llum.grant("alice", "coach")
    await ask(llum, "coach")
    await eventually(lambda: stored(llum, "coach"), "the ask is stored")


async def test_nobody_but_the_owner_sees_who_asked(llum: Llum) -> None:
    """Not even an app that may ask and tell everything. That it tried is in the record."""
    await llum.grant("alice", "coach")
    with pytest.raises(Refusal) as caught:
        await llum.requests.ask("alice", "coach", Asked(), DEADLINE_S)
    assert caught.value.code is Code.PERMISSION_DENIED
    (row,) = await seen_by_owner(llum, "coach", "asked")
    assert row.code == "permission_denied"


async def test_an_ask_about_nobody_is_not_recorded(llum: Llum) -> None:
    """Else whoever may ask could fill the disk with names, and a forgotten person would come back."""
    with pytest.raises(Refusal):
        await llum.requests.ask("nobody", "coach", Ask(context=["c"]), DEADLINE_S)
    await ask(llum)
    assert await asked.read(llum.bus, "nobody") == []


async def test_what_a_rule_reads_is_marked(llum: Llum) -> None:
    """It was llum that asked, for a rule of the app: here one in the same model, and one in another person's."""
    await llum.make_person("bob", "a")
    await llum.grant_rules("alice", "llum", of="bob", ask=True)
    await llum.subscribe("a", "<default!./c/a> ~ '.*' : TELL './c/b', explicit:<default!./c/b>")
    await llum.subscribe("a", "<default!alice/c/b> ~ '.*' : TELL './c/a', explicit:'x'", user="bob")
    await llum.settle("a", 1)
    await llum.tell("a", 1, user="bob")

    async def both() -> set[str | None]:
        rows = [row for row in await seen_by_owner(llum, "llum") if row.path == ["c", "b"]]
        rules = {row.rule_of for row in rows}
        return rules if {"alice", "bob"} <= rules else set()

    assert await eventually(both, "both rules have read alice's b")


async def test_a_worker_that_stops_writes_what_it_has_counted(tmp_path: Path) -> None:
    """No ask is lost by stopping llum in order."""
    async with speaking(tmp_path) as (server, llum):
        async with worker(server.url_as("operator"), tmp_path / "shards"):
            await llum.make_person("alice", "a")
            for _ in range(5):
                await ask(llum)
            assert await stored(llum, "llum") == []
        assert sum(row.count for row in await stored(llum, "llum")) >= 5


async def test_replicas_record_what_each_has_answered(host: Host) -> None:
    """Every ask is recorded once, by whichever worker has answered it, also when one hands the partition over."""
    first, second = await host.worker("first"), await host.worker("second")
    await first.add(HERS)
    await host.llum.make_person("alice", "a")
    await second.add(HERS, primary=False)
    for _ in range(40):
        await ask(host.llum)
    await first.remove(HERS)
    await second.set_primary(HERS, True)
    for _ in range(2):
        await ask(host.llum)
    (row,) = await seen_by_owner(host.llum, "llum")
    assert row.count >= 42
    await second.remove(HERS)
    assert sum(one.count for one in await stored(host.llum, "llum")) == row.count


async def test_a_kill_loses_the_open_window_and_nothing_before(tmp_path: Path) -> None:
    """What is stored stays, whatever becomes of the worker; what was only counted goes with it."""
    async with speaking(tmp_path) as (server, llum):
        process = WorkerProcess(server, tmp_path)
        try:
            await process.start()
            await llum.make_person("alice", "a")
            await llum.grant("alice", "coach")
            await ask(llum, "coach")
            await process.end()
            await process.start()
            await refused_ask(llum, "stranger")
            await eventually(lambda: stored(llum, "stranger"), "the refusal is stored")
            await ask(llum)
            await process.end(Process.kill)
            kept = {app: await stored(llum, app) for app in ("coach", "stranger", "llum")}
            assert kept["coach"]
            assert kept["stranger"]
            await process.start()
            assert {app: await seen_by_owner(llum, app) for app in kept} == kept
        finally:
            await process.end(Process.kill)


class Known:
    """What a worker knows of who was forgotten."""

    def __init__(self) -> None:
        self.lacks_one = False

    async def lacks_none(self) -> bool:
        return not self.lacks_one

    async def until_none_is_missed(self) -> None:
        raise OutdatedError(1, 2, 3)


async def test_nothing_is_written_before_it_is_known_who_was_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was stopped, or is behind, may have counted them. If it never hears of it nothing is written."""
    written: list[str] = []

    async def publish(_: Bus, windows: Sequence[PersonsWindow]) -> None:
        written.extend(one.user for one in windows)

    monkeypatch.setattr(asked, "publish", publish)
    known, partition = Known(), cast(Partition, SimpleNamespace(number=1, tally=Tally()))
    record = AskRecord(cast(Bus, None), partition, asyncio.Lock(), asyncio.sleep, cast(Erasing, known))
    async with record.going_on():
        for user in ("bob", "alice"):
            partition.tally.refuse_one(user, Heading("coach", "ask", ("c",), "context", code="no"), 1.0)
            if user == "bob":
                await until(lambda: written == ["bob"], "nobody was forgotten")
                known.lacks_one = True
    assert written == ["bob"]


async def test_nothing_is_written_about_who_has_been_forgotten(llum: Llum) -> None:
    """Once the outcome of the forget is there, no worker writes what it had counted before."""
    await llum.grant("alice", "coach")
    await ask(llum, "coach")
    await llum.do(Forget(id=llum.next_id()))
    await llum.make_person("alice", "a", "b")
    await refused_ask(llum, "stranger")
    await eventually(lambda: stored(llum, "stranger"), "what is asked of the new model is stored")
    assert await stored(llum, "coach") == []
    assert await seen_by_owner(llum, "coach") == []


async def test_what_is_kept_about_a_component_goes_with_it_and_the_rest_stays(llum: Llum) -> None:
    """Whoever forgets it, here over the bus; what is not yet written, too. Sent again it is done again."""
    await llum.grant("alice", "coach")
    await ask(llum, "coach", "a")
    await ask(llum, "coach", "b")
    await refused_ask(llum, "stranger")
    for _ in range(2):
        await llum.do(ForgetPart(id="part", context=["c"], component="a"))
        kept = await asked.read(llum.bus, "alice")
        assert ["c", "a"] not in [row.path for row in kept]
        assert ["c", "b"] in [row.path for row in kept if row.app == "coach"]
        assert any(row.app == "stranger" for row in kept)
        # As if it had been written meanwhile by another worker, which has not yet seen what was forgotten.
        row = AskedRow(app="coach", verb="ask", path=["c", "a"], count=1, first=1.0, last=1.0)
        await asked.publish(llum.bus, [asked.PersonsWindow("alice", AskedWindow(id="late", rows=[row]))])
    assert await llum.values("b") == []


async def test_what_was_refused_to_be_told_is_seen(llum: Llum) -> None:
    """With the place of the right that was missing, and at once; of a person without a model nothing is kept."""
    await llum.grant("alice", "coach", tell=False)
    tell = Tell(id=llum.next_id(), context=["c"], component="a", evidence=NewEvidence(value=1))
    await llum.refused(tell, app="coach")

    async def refusals() -> list[AskedRow]:
        return await stored(llum, "coach", "tell")

    (row,) = await eventually(refusals)
    assert (row.path, row.kind, row.code, row.count) == (["c", "a"], "component", "permission_denied", 1)
    assert await seen_by_owner(llum, "coach", "tell") == [row]
    await llum.refused(tell, "nobody", "coach")
    await llum.refused(Tell(id=llum.next_id(), context=["c"], component="x", evidence=NewEvidence(value=1)))

    async def the_owners_own() -> list[AskedRow]:
        return await stored(llum, "llum", "tell")

    (own,) = await eventually(the_owners_own)
    assert (own.path, own.kind, own.code) == ([], "model", "no_such_component")
    assert await asked.read(llum.bus, "nobody") == []
