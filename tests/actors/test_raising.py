"""A shard of the schema before is brought to the present one, and goes on as if it had always been of that."""

import sqlite3
from contextlib import closing
from pathlib import Path

from actors.live import ActiveModels
from actors.partition import Partition
from schemas.commands import MakeModel, MakeRule, Tell, Withdraw
from schemas.evidence import NewEvidence
from tests.actors import histories
from tests.actors.shards import opened
from tests.actors.test_digests import Log

_LOWERED = """
ALTER TABLE user DROP COLUMN state_sum;
ALTER TABLE user DROP COLUMN checksum;
ALTER TABLE structure DROP COLUMN checksum;
ALTER TABLE cause DROP COLUMN checksum;
ALTER TABLE outbox DROP COLUMN checksum;
DELETE FROM meta WHERE name = 'state_sum';
UPDATE meta SET value = 7 WHERE name = 'schema_version';
"""


def _tell(number: int) -> Tell:
    return Tell(id=f"t{number}", context=["a"], component="a", evidence=NewEvidence(value=number))


async def test_a_shard_of_the_schema_before_gets_its_sums(tmp_path: Path) -> None:
    """Nothing is read from the log again, and what is read later is as it was written."""
    path = tmp_path / "3.db"
    async with opened(path) as shard:
        log = Log(shard)
        await log.send(MakeModel(id="m", definition=histories.DEFINITION))
        await log.send(MakeModel(id="m", definition=histories.DEFINITION), "bob")
        await log.send(MakeRule(id="r", context=["a"], component="a", statement="<~a> : TELL b = 1"))
        told = [await log.send(_tell(number)) for number in range(3)]
        await log.send(Withdraw(id="w", context=["a"], component="a", seq=told[0].outcome.seq))
        await log.partition.commit_all()
        before, entries = shard.state_sum, await shard.outbox(100)
        assert before
        seq = shard.committed_seq
    with closing(sqlite3.connect(path)) as file:
        file.executescript(_LOWERED)
    async with opened(path) as shard:
        assert (shard.committed_seq, shard.state_sum) == (seq, before)
        assert (await shard.count_state()).rows == before
        assert await shard.outbox(100) == entries
        partition = Partition(3, shard, ActiveModels(10))
        shares = []
        for user in ("alice", "bob"):
            async with partition.reading(user) as live:
                assert live is not None
                shares.append(live.state_sum)
        assert sum(shares) == before
