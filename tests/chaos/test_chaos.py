"""A short run of `make chaos`: what was acknowledged is there once, in order, on every replica and in the log."""

from pathlib import Path

import pytest

from tests.chaos.running import Chaos
from tests.chaos.stage import PARTITIONS
from tests.effort import seed

pytestmark = pytest.mark.long


@pytest.mark.parametrize(("replicas", "kills", "faults"), [(1, 3, 0), (2, 2, 3)])
async def test_nothing_is_lost_when_workers_and_servers_are_killed_and_stopped(
    tmp_path: Path, replicas: int, kills: int, faults: int
) -> None:
    """With one worker for each partition, and with a standby."""
    chaos = Chaos(tmp_path, seed(), replicas)
    try:
        report = await chaos.run(faults=faults, kills=kills)
    finally:
        chaos.stage.clean_up()
    print(*report.lines(), sep="\n")
    assert not report.findings, "\n".join(report.lines())
    assert report.tells > 0
    assert report.compared >= PARTITIONS
