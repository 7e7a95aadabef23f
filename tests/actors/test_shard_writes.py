"""A batch in the shard: all of it or nothing, and its commands are found again."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from actors.live import ActiveModels
from actors.partition import Partition
from actors.store import sql
from actors.store.batch import Batch
from actors.store.keys import CommandKey, command_key
from actors.store.shard import Shard, Unwritable
from model.changes import put
from model.state import App
from schemas.commands import MakeModel
from schemas.replies import Accepted
from tests.actors import histories
from tests.actors.shards import opened
from tests.model.given import picture

USER_KEY = 1


def key_of(seq: int) -> CommandKey:
    return command_key("alice", "phone", str(seq))


def batch_of(*seqs: int) -> Batch:
    """Make a batch of alice's commands, each with an entry in the outbox."""
    batch = Batch()
    for seq in seqs:
        batch.add_user(USER_KEY, "alice", seq, seq)
        batch.add_command(key_of(seq), USER_KEY, seq, seq, Accepted(id=str(seq), seq=seq))
        batch.add_entry(seq, "rejection", b"{}")
        batch.applied_seq = seq
    return batch


@pytest.mark.parametrize(("number", "text"), [(2**63, "{}"), (1, "\ud800")])
async def test_a_batch_that_cannot_be_written_leaves_nothing(tmp_path: Path, number: int, text: str) -> None:
    """A number beyond 64 bits, a text that is no Unicode: what was written before goes, others can be written."""
    async with opened(tmp_path / "3.db") as shard:
        await shard.write(batch_of(1))
        bad = batch_of(2)
        bad.outbox.append((2, number, "rejection", text))
        with pytest.raises(Unwritable):
            await shard.write(bad)
        assert shard.committed_seq == 1
        assert await shard.known_commands([key_of(2)]) == {}
        await shard.write(batch_of(2, 3))
        assert [entry.seq for entry in await shard.outbox(10)] == [1, 2, 3]
    async with opened(tmp_path / "3.db") as shard:
        assert shard.committed_seq == 3


async def test_commands_of_all_eras_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index begins anew for every so many commands; a look-up goes through all of it, also after another start."""
    monkeypatch.setattr(sql, "ERA_BITS", 1)
    async with opened(tmp_path / "3.db") as shard:
        for seq in range(1, 10):
            await shard.write(batch_of(seq))
        assert len(await shard.known_commands(map(key_of, range(20)))) == 9
    async with opened(tmp_path / "3.db") as shard:
        await shard.write(batch_of(10))
        assert len(await shard.known_commands(map(key_of, range(20)))) == 10


async def loaded(path: Path) -> Any:
    """Picture alice's model as a start finds it."""
    async with opened(path) as shard:
        return picture((await shard.load(["alice"]))["alice"].model)


async def make_alice(shard: Shard) -> int:
    """Make alice's model, and give the key of her rows."""
    make = histories.message(1, histories.START_US, "alice", "llum", MakeModel(id="m", definition=histories.DEFINITION))
    partition = Partition(3, shard, ActiveModels(10))
    await partition.apply([make])
    await partition.commit_all()
    return (await shard.load(["alice"]))["alice"].key


async def test_a_model_is_the_same_from_one_piece_and_from_its_items(tmp_path: Path) -> None:
    """The structure in one piece only saves time."""
    path = tmp_path / "3.db"
    async with opened(path) as shard:
        await make_alice(shard)
    whole = await loaded(path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute("DELETE FROM structure").rowcount == 1
    assert await loaded(path) == whole


async def test_items_that_change_alone_count(tmp_path: Path) -> None:
    """Where the structure was not added to a batch with its items, the old one is dropped."""
    path = tmp_path / "3.db"
    async with opened(path) as shard:
        key = await make_alice(shard)
        batch = Batch()
        batch.add_changes(key, "alice", [put("app", ("phone",), App(registration=2))], 2, histories.START_US)
        batch.applied_seq = 2
        await shard.write(batch)
        model = (await shard.load(["alice"]))["alice"].model
        assert model is not None
        assert "phone" in model.apps
