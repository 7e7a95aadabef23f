"""A short run of `make chaos`: what was acknowledged is there once, in order, on every replica and in the log."""

from pathlib import Path

import pytest

from tests.chaos.faults import Lasting
from tests.chaos.running import Chaos
from tests.chaos.stage import PARTITIONS
from tests.effort import seed

pytestmark = pytest.mark.long

SHORT = Lasting(stopped_s=2.5, away_s=2.5)


@pytest.mark.parametrize(
    ("replicas", "kills", "kinds"),
    [
        (1, 2, ()),
        (2, 3, ("kill-edge", "stop-server", "cut-servers", "full-disk", "step-clock")),
    ],
)
async def test_nothing_is_lost_whatever_breaks(
    tmp_path: Path, replicas: int, kills: int, kinds: tuple[str, ...]
) -> None:
    """With one worker for each partition, and with a standby."""
    chaos = Chaos(tmp_path, seed(), replicas, SHORT)
    try:
        report = await chaos.run(faults=len(kinds), kills=kills, kinds=kinds)
    finally:
        chaos.stage.clean_up()
    print(*report.faults, *report.lines(), sep="\n")
    assert not report.findings, "\n".join(report.lines())
    assert set(report.acknowledged) == {"tells on the bus", "tells by HTTP", "preferences put or posted"}
    assert report.compared >= PARTITIONS
    assert report.restored == PARTITIONS
