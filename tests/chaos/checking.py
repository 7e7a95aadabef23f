"""The end of a run: replicas, a replay from the log and a restore from snapshots are to hold the same."""

import json

from bus.connection import Bus
from bus.shard_snapshots import list_snapshots, store_of
from tests.chaos.report import Report
from tests.chaos.stage import PARTITIONS, WORKERS, Held, Stage
from tests.system.harness import until

RESTORED, REPLAYED = "restored", "replayed"
"""Workers with new folders."""


def make_snapshots(stage: Stage) -> None:
    """Have a snapshot of each partition made, as far as it has come by now."""

    def all_are_made() -> bool:
        ran = stage.cli("admin", "snapshot", "--json", check=False)
        made = [] if ran.returncode else json.loads(ran.stdout)["made"]
        return len([one for one in made if not one.get("failure")]) == PARTITIONS

    until(all_are_made, "there is a snapshot of each partition")


async def delete_snapshots(bus: Bus) -> None:
    """Have nothing to begin with but the log."""
    for number in range(PARTITIONS):
        for snapshot in await list_snapshots(bus, number):
            await store_of(bus).delete(snapshot.object.name)


def held_anew(stage: Stage, name: str) -> dict[int, Held]:
    """Start a worker with an empty folder that serves all, end it, and give what it holds then."""
    stage.start_one(name)
    stage.end_one(name)
    return stage.held(name)


class Comparing:
    """Compares what workers hold when they have ended."""

    def __init__(self, stage: Stage, report: Report) -> None:
        self._stage = stage
        self._report = report

    def compare(self, restored: dict[int, Held], replayed: dict[int, Held]) -> None:
        """Compare replicas and what was restored with what the log gives."""
        diverged = self._report.findings.diverged
        current = dict.fromkeys(range(PARTITIONS), 0)
        for name in WORKERS:
            for number, held in self._stage.held(name).items():
                if held.applied_seq < replayed[number].applied_seq:
                    # It was given up some time ago, and read on from there it would be the same again.
                    continue
                self._report.compared += 1
                current[number] += 1
                if held != replayed[number]:
                    diverged.append(f"partition {number} of {name}: {held}, replayed: {replayed[number]}")
        diverged += [f"partition {number}: nobody has all of it" for number, count in current.items() if not count]
        self._report.restored = self._stage.logged_by(RESTORED).count('"event":"snapshot_restored"')
        for number, held in replayed.items():
            if restored.get(number) != held:
                diverged.append(f"partition {number} restored: {restored.get(number)}, replayed: {held}")
