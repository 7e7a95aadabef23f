"""What a worker tells of itself in numbers, with a real nats-server."""

from pathlib import Path

from actors.figures import PartitionFigures
from actors.worker import Worker
from tests.actors.serving import PARTITIONS, serving
from tests.waiting import until


def total(partitions: list[PartitionFigures], name: str) -> int:
    return sum(getattr(one, name) for one in partitions)


async def test_what_is_applied_is_counted_once_whether_it_is_committed_or_not(tmp_path: Path) -> None:
    """A commit takes commands from those that wait, and from none else."""
    workers: list[Worker] = []
    async with serving(tmp_path, on_open=workers.append) as llum:
        (worker,) = workers
        before = total(worker.figures.partitions, "applied")
        await llum.make_person("alice", "x")
        for value in range(5):
            await llum.tell("x", value)
        figures = worker.figures
        applied = total(figures.partitions, "applied")
        assert applied - before > 5
        assert total(figures.partitions, "uncommitted") == figures.uncommitted

        await until(lambda: worker.figures.uncommitted == 0, "all is committed")
        figures = worker.figures
        assert total(figures.partitions, "applied") == applied
        assert figures.counters.commit_commands.total == applied
        assert sum(figures.counters.commit_s.counts) == sum(figures.counters.commit_commands.counts) > 0
        assert all(one.committed_seq == one.applied_seq for one in figures.partitions)


async def test_partitions_that_come_and_go_are_counted(tmp_path: Path) -> None:
    """Those that are there are told of, with their role."""
    workers: list[Worker] = []
    async with serving(tmp_path, on_open=workers.append):
        (worker,) = workers
        assert [one.number for one in worker.figures.partitions] == list(range(PARTITIONS))
        assert all(one.answers and one.is_primary and not one.is_lost for one in worker.figures.partitions)
        await worker.remove(0)
        await worker.add(0, primary=False)
        figures = worker.figures
        assert figures.counters.partitions_added == PARTITIONS + 1
        assert figures.counters.partitions_removed == 1
        assert {one.number for one in figures.partitions if not one.is_primary} == {0}
