"""A short run of `make chaos`: what was acknowledged is there once, in order, on every replica and in the log."""

from pathlib import Path

import pytest

from tests.chaos.faults import Lasting
from tests.chaos.running import Chaos
from tests.chaos.stage import PARTITIONS
from tests.effort import seed

pytestmark = pytest.mark.long

KINDS = ("kill-edge", "stop-server", "cut-servers", "full-disk", "step-clock", "unplug-worker", "forget")

SHORT = Lasting(stopped_s=2.5, away_s=2.5, calm_s=0.3)


@pytest.mark.parametrize(
    ("replicas", "kills", "kinds", "rolling"),
    [(1, 2, (), True), (2, 3, KINDS, False)],
)
async def test_nothing_is_lost_whatever_breaks(
    tmp_path: Path, replicas: int, kills: int, kinds: tuple[str, ...], rolling: bool
) -> None:
    """With one worker for each partition, and with a standby; people are forgotten, and everything is restarted."""
    chaos = Chaos(tmp_path, seed(), replicas, SHORT)
    try:
        report = await chaos.run(faults=len(kinds), kills=kills, kinds=kinds, rolling=rolling)
    finally:
        chaos.stage.clean_up()
    print(*report.faults, *report.lines(), sep="\n")
    assert not report.findings, "\n".join(report.lines())
    assert set(report.acknowledged) == {"tells on the bus", "tells by HTTP", "preferences put or posted"}
    assert report.compared >= PARTITIONS
    assert report.restored == PARTITIONS
