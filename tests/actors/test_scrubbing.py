"""A scrub finds each byte of a stored row that is not what was written, and nothing else."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from actors.store.shard import Shard
from schemas.commands import Command, Forget, ForgetPart, MakeModel, MakeRule, Tell, Withdraw
from schemas.evidence import NewEvidence
from tests.actors import histories
from tests.actors.test_digests import Log


async def no_pause() -> None:
    """Go on at once."""


async def filled(path: Path) -> None:
    """Write a shard with rows in all tables that models are made of."""
    shard = await Shard.open(path)
    log = Log(shard)
    try:
        await log.send(MakeModel(id="m", definition=histories.DEFINITION))
        await log.send(MakeModel(id="m", definition=histories.DEFINITION), "bob")
        await log.send(MakeRule(id="r", context=["a"], component="a", statement="<~a> : TELL b = 1"))
        told = [await log.send(_tell(number)) for number in range(4)]
        await log.send(_tell(9, time=1.5))
        await log.send(Withdraw(id="w", context=["a"], component="a", seq=told[0].outcome.seq))
        await log.partition.commit_all()
        assert await shard.scrub(no_pause) is None
    finally:
        await shard.close()


def _tell(number: int, **more: Any) -> Command:
    return Tell(id=f"t{number}", context=["a"], component="a", evidence=NewEvidence(value=number, **more))


CHANGES = {
    "a value": "UPDATE evidence SET body = replace(body, 'value', 'valud') WHERE rowid = 3",
    "a time": "UPDATE evidence SET creation_us = creation_us + 4096 WHERE rowid = 3",
    "an item": "UPDATE item SET body = replace(body, 'e', 'f') WHERE kind = 'component'",
    "an owner": "UPDATE OR REPLACE item SET user_key = user_key + 64 WHERE kind = 'rule'",
    "a withdrawal": "UPDATE withdrawal SET at_us = at_us + 1",
    "an id": "UPDATE command SET id = 't4' WHERE id = 't3'",
    "an outcome": "UPDATE command SET outcome = 'null' WHERE id = 't3'",
    "a digest": "UPDATE command SET digest = zeroblob(16) WHERE id = 't3'",
    "a person": "UPDATE user SET time_us = time_us + 1 WHERE name = 'bob'",
    "a structure": "UPDATE structure SET body = CAST(body || 'x' AS BLOB) WHERE user_key = 1",
    "an entry": "UPDATE outbox SET body = replace(body, 'a', 'b')",
    "an order": "UPDATE held SET held = held + 1",
    "a sum": "UPDATE meta SET value = value + 1 WHERE name = 'state_sum'",
}


@pytest.mark.parametrize("name", CHANGES)
async def test_what_was_changed_is_found(tmp_path: Path, name: str) -> None:
    """SQLite itself notices nothing of it. Whoever uses the shard is told that it is damaged."""
    path = tmp_path / "3.db"
    await filled(path)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute(CHANGES[name]).rowcount
        file.commit()
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    shard, damages = await Shard.open(path), []
    shard.on_damage = damages.append
    try:
        assert await shard.scrub(no_pause) is not None
        assert [one.is_doubt for one in damages] == [True]
    finally:
        await shard.close()


async def test_an_index_without_its_row_is_found(tmp_path: Path) -> None:
    """As when the byte that has flipped is one by which rows are looked up."""
    path = tmp_path / "3.db"
    await filled(path)
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA writable_schema = ON")
        file.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'era, hash', 'era, time_us') WHERE name = 'command_by_hash'"
        )
        file.commit()
    shard = await Shard.open(path)
    try:
        found = await shard.scrub(no_pause)
        assert found is not None
        assert "command" in found
    finally:
        await shard.close()


async def test_what_is_applied_and_forgotten_meanwhile_is_not_taken_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each pause is used to tell more, or to forget somebody."""
    monkeypatch.setattr("actors.store.sql_scrub.PAGE", 500)
    path = tmp_path / "3.db"
    shard = await Shard.open(path)
    log = Log(shard)
    for user in ("alice", "bob", "carol"):
        await log.send(MakeModel(id="m", definition=histories.DEFINITION), user)
        for number in range(400):
            await log.send(_tell(number), user)
    await log.partition.commit_all()
    left: list[tuple[Command, str]] = [
        (_tell(1000), "alice"),
        (Forget(id="f"), "bob"),
        (ForgetPart(id="p", context=["a"], component="a"), "carol"),
        (_tell(1001), "alice"),
    ]

    async def pause() -> None:
        if left:
            await log.send(*left.pop(0))
            await log.partition.commit_all()

    try:
        assert await shard.scrub(pause) is None
        assert not left
    finally:
        await shard.close()
