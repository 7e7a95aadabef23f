"""A worker that shares partitions with others until it is terminated.

`sharer NATS_URL FOLDER PARTITIONS NAME [draining]`.

Reports once all that is its own answers: the seconds since the call of `run_worker`, and the CPU time that went before
it, which imports have taken. The log counts as old, as it is for a worker that was away.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import actors.announce
import actors.sharing
import actors.worker
from actors.share import share_as
from actors.snapshotting import SnapshotPolicy
from bench.programs.loop import report, run, until_terminated
from bus.connection import Bus
from bus.installation import check
from llum.processes import logs
from llum.processes.log_files import RotatingFile
from llum.processes.worker import look_for_garbage_seldom
from schemas.levels import Levels

NEVER = SnapshotPolicy(commands=10**12, hours=10**6)
"""Snapshots are made when the measurement asks for them."""

HAND_OVER_S = 0.0
"""Seconds that it waits for others at its end: all end together."""


async def main(url: str, folder: str, partitions: str, name: str, draining: str = "") -> None:
    """Serve until terminated."""
    logs.set_up("info", [RotatingFile(Path(folder) / "worker.jsonl")], process="worker", pid=os.getpid())
    actors.announce.REPLY_WINDOW_S = float("-inf")
    look_for_garbage_seldom()
    bus = await Bus.connect(url, name=f"bench-{name}")
    installation = await check(bus, int(partitions))
    share = share_as(name, draining=bool(draining), settle_s=actors.sharing.SETTLE_S, hand_over_s=HAND_OVER_S)
    began, cpu, stop = time.perf_counter(), time.process_time(), asyncio.Event()
    serving = asyncio.create_task(
        actors.worker.run_worker(
            bus,
            shard_dir=Path(folder) / "shards",
            partitions=installation.partitions,
            share=share,
            log_streams=installation.log_streams,
            levels=Levels(installation.level),
            max_active_models=100_000,
            snapshots=NEVER,
            on_ready=lambda: report(seconds=time.perf_counter() - began, imports_s=cpu),
            stop=stop,
        )
    )
    ending = asyncio.create_task(until_terminated())
    await asyncio.wait([serving, ending], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await serving
    await bus.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
