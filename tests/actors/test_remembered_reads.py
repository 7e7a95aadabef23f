"""What a shard has read it may remember: evidence up to a sequence is what it is."""

from pathlib import Path

from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.shard import MAX_KEPT_READS, Shard
from model.reads import Read
from schemas.commands import MakeModel, Tell
from schemas.evidence import NewEvidence
from tests.actors import histories


async def told(shard: Shard, *values: object) -> int:
    """Make alice's model, tell `a/a` these values, and give the component's number."""
    partition = Partition(3, shard, ActiveModels(10))
    commands = [MakeModel(id="make", definition=histories.DEFINITION)]
    commands += [
        Tell(id=f"t{n}", context=["a"], component="a", evidence=NewEvidence(value=value))
        for n, value in enumerate(values)
    ]
    log = [
        histories.message(seq, histories.START_US + seq, "alice", "llum", command)
        for seq, command in enumerate(commands, 1)
    ]
    await partition.apply(log)
    actor = partition.active("alice")
    assert actor is not None
    assert actor.model is not None
    return actor.model.root.children["a"].components["a"].number


async def test_a_read_is_remembered_until_there_are_too_many(tmp_path: Path) -> None:
    """The oldest goes first; a read that was never made is not known."""
    shard = await Shard.open(tmp_path / "3.db")
    number = await told(shard, 1, 2, 3)
    reads = [Read(component_no=number, seq_max=seq, limit=10) for seq in range(MAX_KEPT_READS + 1)]
    found = await shard.read(reads)
    assert [len(one.bodies) for one in found[:5]] == [0, 0, 1, 2, 3]
    assert shard.recall(reads[:1]) is None
    assert shard.recall(reads[1:]) == found[1:]
    await shard.close()


async def test_what_expires_is_read_anew(tmp_path: Path) -> None:
    """A read at a moment is never made again."""
    shard = await Shard.open(tmp_path / "3.db")
    number = await told(shard, 1)
    read = Read(component_no=number, seq_max=9, newest=1, limit=1, unexpired_at=5.0)
    await shard.read([read])
    assert shard.recall([read]) is None
    await shard.close()
