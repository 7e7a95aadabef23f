"""A batch in the shard: all of it or nothing, and its commands are found again."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.store import sql
from actors.store.batch import Batch
from actors.store.keys import CommandKey, command_key
from actors.store.shard import Shard, Unwritable
from schemas.replies import Accepted

USER_KEY = 1


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Shard]:
    shard = await Shard.open(path)
    try:
        yield shard
    finally:
        await shard.close()


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
