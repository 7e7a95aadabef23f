"""A fault of the disk is not a fault of the command: a damaged shard is set aside and made anew from the log.

The damage is done to real files: bytes of the table or index that a step reads are overwritten.
"""

import asyncio
import os
import resource
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from actors import life, live
from actors.live import ActiveModels
from actors.partition import Partition
from actors.settling import Settled
from actors.store import sql
from actors.store.batch import Batch, Unwritable
from actors.store.connection import ShardTooNewError
from actors.store.damage import ShardDamaged, fault_of, said_by_a_full_disk
from actors.store.keys import command_key
from actors.store.shard import Shard
from actors.worker import Worker
from bus.aside import KEPT_S, list_aside, set_aside
from model.changes import AddEvidence, Decision, add
from model.stamp import Stamp
from model.state import Model
from schemas.commands import Command, Forget, MakeModel, Tell, Withdraw
from schemas.errors import Code, Transient
from schemas.evidence import NewEvidence
from schemas.queries import Ask
from schemas.replies import Accepted, Outcome, Refused
from tests.actors import answering, histories
from tests.actors.hosting import ALICE, HERS, Host
from tests.actors.shards import opened
from tests.waiting import DEADLINE_S, eventually, until

PAGE = 4096


def overwrite_pages_of(path: Path, *names: str) -> None:
    """Overwrite the first page of tables or indexes with bytes that are none of SQLite's."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = dict(connection.execute("SELECT name, rootpage FROM sqlite_schema").fetchall())
    connection.close()
    with path.open("r+b") as file:
        for name in names:
            file.seek((pages[name] - 1) * PAGE)
            file.write(b"\xa5" * PAGE)


def flip_bytes_of_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0\0")


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite_evidence(path: Path) -> None:
    """Make a value into what is no JSON, which SQLite does not notice."""
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE evidence SET body = replace(body, '{', '~')")
    connection.close()


async def with_history(host: Host) -> Path:
    """Have a shard with three tells about Alice, closed; give its path."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person(ALICE, "a")
    for number in range(3):
        await host.llum.tell("a", number)
    await worker.remove(HERS)
    return host.folder / "one" / f"{HERS}.db"


async def again(host: Host) -> Worker:
    worker = await host.worker("one")
    await worker.add(HERS)
    return worker


async def until_values(host: Host, values: list[Any]) -> None:
    """Wait for these values; who asks while the shard is made anew is told to come again."""

    async def are_there() -> bool:
        with suppress(Transient):
            return await host.llum.values("a") == values
        return False

    await eventually(are_there, f"the values are {values}")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "header": flip_bytes_of_header,
    "cut": cut_in_half,
    "user": lambda path: overwrite_pages_of(path, "user"),
    "item": lambda path: overwrite_pages_of(path, "structure", "item"),
    "evidence": lambda path: overwrite_pages_of(path, "evidence", "evidence_of_component"),
    "repeats": lambda path: overwrite_pages_of(path, "command_by_hash"),
    "commit": lambda path: overwrite_pages_of(path, "command"),
    "outbox": lambda path: overwrite_pages_of(path, "outbox", "sqlite_autoindex_outbox_1"),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_damage_refuses_no_command(host: Host, name: str) -> None:
    """A tell, a repeat of it and an ask are answered as if nothing had been; the damaged file lies aside."""
    path = await with_history(host)
    DAMAGES[name](path)
    await again(host)
    tell = Tell(id="again", context=["c"], component="a", evidence=NewEvidence(value=3))
    first = await host.llum.requests.send(ALICE, "llum", tell, DEADLINE_S)
    repeated = await host.llum.requests.send(ALICE, "llum", tell, DEADLINE_S)
    assert isinstance(first, Accepted)
    assert isinstance(repeated, Accepted)
    assert (repeated.seq, repeated.repeated) == (first.seq, True)
    await until_values(host, [0, 1, 2, 3])
    await until(lambda: list_aside(path.parent), "the damaged shard lies aside")
    assert [(one.partition, one.reason) for one in list_aside(path.parent)] == [(HERS, "damaged")]


async def test_what_cannot_be_read_is_the_fault_of_the_shard(host: Host) -> None:
    """SQLite does not notice a changed value; a withdrawal that reads it is no less valid for that."""
    path = await with_history(host)
    pieces = [piece.seq for piece in await _evidence(host, path)]
    overwrite_evidence(path)
    await again(host)
    withdraw = Withdraw(id="w", context=["c"], component="a", seq=pieces[1])
    assert isinstance(await host.llum.requests.send(ALICE, "llum", withdraw, DEADLINE_S), Accepted)
    await until_values(host, [0, 1, 2])
    assert [piece.withdrawn is None for piece in await host.llum.evidence("a")] == [True, False, True]
    assert len(list_aside(path.parent)) == 1


async def _evidence(host: Host, path: Path) -> list[Any]:
    async with opened(path) as shard:
        query = Ask(context=["c"], view=["a"], include_evidence=True)
        reply = await answering.ask(Partition(HERS, shard, ActiveModels(1)), query, ALICE)
        return reply.components[0].evidence or []


async def test_an_ask_that_meets_garbage_is_answered_from_the_log(host: Host) -> None:
    """The ask that found it is told to come again, and then has the values."""
    path = await with_history(host)
    overwrite_evidence(path)
    await again(host)
    await until_values(host, [0, 1, 2])
    assert len(list_aside(path.parent)) == 1


async def test_a_forget_deletes_what_lies_aside(host: Host) -> None:
    """Bytes of the person lie there too."""
    path = await with_history(host)
    flip_bytes_of_header(path)
    await again(host)
    await until(lambda: list_aside(path.parent), "the damaged shard lies aside")
    await host.llum.do(Forget(id="forget"), app="llum")
    assert list_aside(path.parent) == []


async def test_what_lies_aside_for_a_week_is_deleted(host: Host) -> None:
    """By the worker, at its start and every hour; not what lies there for a shorter time."""
    path = host.folder / "one" / f"{HERS}.db"
    worker = await host.worker("one")
    for age_s in (KEPT_S + 60, KEPT_S - 3600):
        path.touch()
        set_aside(path, "damaged", time.time() - age_s)
    clearing = asyncio.create_task(worker.clear_aside())
    await until(lambda: len(list_aside(path.parent)) == 1, "the older one is gone")
    clearing.cancel()


async def test_a_shard_of_a_newer_schema_is_refused_and_kept(host: Host) -> None:
    """The error names the schema that is needed; not a byte of the file has changed."""
    path = await with_history(host)
    newer = sql.SCHEMA_VERSION + 2
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'schema_version'", (newer,))
    connection.close()
    before = path.read_bytes()
    worker = await host.worker("one")
    with pytest.raises(ShardTooNewError, match=f"has schema {newer}.* up to {sql.SCHEMA_VERSION}") as caught:
        await worker.add(HERS)
    assert f"knows schema {newer}" in (caught.value.hint or "")
    assert path.read_bytes() == before
    assert list_aside(path.parent) == []


async def test_a_shard_that_fails_again_is_not_kept_twice(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that damages each new file is not filled with them; once it is better, the partition is served."""
    path = await with_history(host)
    flip_bytes_of_header(path)
    monkeypatch.setattr(life, "FIRST_PAUSE_S", 0.01)
    write, failures = Shard.write, iter([True, True])

    async def write_badly(shard: Shard, batch: Batch) -> None:
        if next(failures, False):
            shard.on_damage(ShardDamaged(path, "a bad disk"))
            raise ShardDamaged(path, "a bad disk")
        await write(shard, batch)

    monkeypatch.setattr(Shard, "write", write_badly)
    monkeypatch.setattr("actors.committing.COMMIT_AT", 1)
    monkeypatch.setattr("actors.asks.Asks.open", _only_after(failures))
    await again(host)
    await until_values(host, [0, 1, 2])
    assert len(list_aside(path.parent)) == 1


def _only_after(failures: Any) -> Any:
    """Let asks begin only when no failure is left."""
    from actors.asks import Asks

    open_asks = Asks.open

    async def open_later(asks: Asks, sleep: Any) -> None:
        while failures.__length_hint__():
            await sleep(0.01)
        await open_asks(asks, sleep)

    return open_later


def test_errors_are_told_apart(tmp_path: Path) -> None:
    """By SQLite's own names; a text that is none has no name."""

    def error(kind: type[sqlite3.Error], name: str) -> sqlite3.Error:
        made = kind(name)
        made.sqlite_errorname = name
        return made

    assert fault_of(error(sqlite3.DatabaseError, "SQLITE_CORRUPT_INDEX")) == "damage"
    assert fault_of(error(sqlite3.OperationalError, "SQLITE_IOERR_READ")) == "damage"
    assert fault_of(error(sqlite3.OperationalError, "SQLITE_FULL")) == "passing"
    assert fault_of(error(sqlite3.OperationalError, "SQLITE_BUSY")) == "passing"
    assert fault_of(error(sqlite3.IntegrityError, "SQLITE_CONSTRAINT_NOTNULL")) == "row"
    assert fault_of(error(sqlite3.IntegrityError, "SQLITE_CONSTRAINT_PRIMARYKEY")) == "doubt"
    assert fault_of(OverflowError("too large")) == "row"
    connection = sqlite3.connect(tmp_path / "x.db")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("SELECT CAST(x'ff' AS TEXT)").fetchall()
    connection.close()
    assert fault_of(caught.value) == "doubt"


async def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path: Path) -> None:
    """SQLite calls it an I/O error. The shard stays, and takes the same rows once it may."""
    async with opened(tmp_path / "3.db") as shard:
        await shard.write(_entries(1, 1))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, hard))
        try:
            with pytest.raises(sqlite3.OperationalError) as caught:
                await shard.write(_entries(2, 600))
            assert said_by_a_full_disk(caught.value, tmp_path / "3.db") or fault_of(caught.value) == "passing"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await shard.write(_entries(2, 600))
        assert shard.committed_seq == 2


def _entries(seq: int, count: int) -> Batch:
    batch = Batch()
    for _ in range(count):
        batch.add_entry(seq, "rejection", b'{"x":"' + b"x" * 1000 + b'"}')
    batch.applied_seq = seq
    return batch


def refuse_rows_of(command_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one command make rows that SQLite refuses, and let them pass our own check."""
    decide = live.decide_at_once

    def decide_too_much(model: Model, command: Command, stamp: Stamp, *known: Any) -> Decision | None:
        decision = decide(model, command, stamp, *known)
        if command.id == command_id:
            assert decision is not None
            (change,) = decision.changes
            assert isinstance(change, AddEvidence)
            return Decision([add(change.evidence, change.component_no, 2**64)])
        return decision

    monkeypatch.setattr(live, "decide_at_once", decide_too_much)
    monkeypatch.setattr(live, "check_writable", lambda _: None)


async def test_rows_that_sqlite_refuses_stop_nobody(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were spoken of already. Their command is refused after all, and all others are committed."""
    refuse_rows_of("bad", monkeypatch)
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person(ALICE, "a")
    await host.llum.tell("a", 0)
    bad = Tell(id="bad", context=["c"], component="a", evidence=NewEvidence(value="bad"))
    outcomes: list[Outcome] = []

    async def is_refused() -> bool:
        outcomes.append(await host.llum.requests.send(ALICE, "llum", bad, DEADLINE_S))
        return isinstance(outcomes[-1], Refused)

    await eventually(is_refused, "the command is refused")
    assert isinstance(outcomes[-1], Refused)
    assert outcomes[-1].error.code is Code.INTERNAL
    await host.llum.tell("a", 1)
    await worker.remove(HERS)
    assert [piece.value for piece in (await host.held_by("one")).components[0].evidence or []] == [0, 1]
    assert list_aside(host.folder / "one") == []


async def test_one_bad_command_among_many_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition that is served carefully refuses it alone, and says so; another look gives the same."""
    log = [
        histories.message(seq, histories.START_US + seq, "alice", "llum", command)
        for seq, command in enumerate(
            [
                MakeModel(id="make", definition=histories.DEFINITION),
                *(Tell(id=f"t{n}", context=["a"], component="b", evidence=NewEvidence(value=n)) for n in range(5)),
            ],
            1,
        )
    ]
    refuse_rows_of("t2", monkeypatch)
    async with opened(tmp_path / "3.db") as shard:
        hopeful = Partition(3, shard, ActiveModels(10))
        await hopeful.apply(log)
        with pytest.raises(Unwritable):
            await hopeful.commit()
    said: list[Settled] = []

    async def hear(settled: list[Settled]) -> None:
        said.extend(settled)

    async with opened(tmp_path / "3.db") as shard:
        careful = Partition(3, shard, ActiveModels(10), careful_until=4)
        assert careful.is_careful
        await careful.apply(log, hear)
        assert not careful.is_careful
        await careful.commit_all()
        assert [type(one.outcome) for one in said] == [Accepted, Accepted, Accepted, Refused, Accepted, Accepted]
        assert careful.committed_seq == 6
        reply = await answering.ask(careful, Ask(context=["a"], view=["b"], include_evidence=True))
        assert [piece.value for piece in reply.components[0].evidence or []] == [1, 0, 1, 3, 4]


async def test_a_doubt_is_damage_only_once(tmp_path: Path) -> None:
    """A shard that was made anew for it and says the same again: then the row is to blame."""
    path = tmp_path / "3.db"
    async with opened(path) as shard:
        await shard.write(_entries(1, 1))
    untrusted = await Shard.open(path)
    with pytest.raises(ShardDamaged) as caught:
        await untrusted.write(_entries(1, 1))
    assert caught.value.is_doubt
    with pytest.raises(ShardDamaged):
        await untrusted.outbox(1)
    await untrusted.close()
    trusted = await Shard.open(path, trusted=True)
    with pytest.raises(Unwritable):
        await trusted.write(_entries(1, 1))
    assert len(await trusted.outbox(1)) == 1
    await trusted.close()


async def test_damage_is_told_once(tmp_path: Path) -> None:
    """However many statements meet it."""
    path = tmp_path / "3.db"
    async with opened(path) as shard:
        await shard.write(_entries(1, 1))
    overwrite_pages_of(path, "command_by_hash")
    shard = await Shard.open(path)
    told: list[ShardDamaged] = []
    key = command_key("alice", "phone", "1")
    shard.on_damage = told.append
    found = await asyncio.gather(*(shard.known_commands([key]) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [ShardDamaged] * 3
    assert len(told) == 1
    await shard.close()
