"""One worker catching up with a log, from nothing to ready. `worker NATS_URL FOLDER PARTITIONS`.

Counts from the call of `run_worker` to its `on_ready`: the shards are made, every command is applied and committed,
asks are answered. The log counts as old, as it is for a worker that was away: nobody waits for outcomes any more.
"""

import asyncio
import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import actors.announce
import actors.worker
from bench.programs.loop import report, run
from bus.connection import Bus
from bus.installation import check
from llum.processes import logs
from llum.processes.log_files import RotatingFile
from llum.processes.worker import look_for_garbage_seldom


async def main(url: str, folder: str, partitions: str) -> None:
    """Catch up, and report the seconds and the commands found in the shards."""
    logs.set_up("info", [RotatingFile(Path(folder) / "worker.jsonl")], process="worker", pid=os.getpid())
    actors.announce.REPLY_WINDOW_S = float("-inf")
    bus = await Bus.connect(url, name="bench-worker")
    shards, stop = Path(folder) / "shards", asyncio.Event()
    ready_at: list[float] = []

    def on_ready() -> None:
        ready_at.append(time.perf_counter())
        stop.set()

    look_for_garbage_seldom()
    installation = await check(bus, int(partitions))
    began = time.perf_counter()
    await actors.worker.run_worker(
        bus,
        shard_dir=shards,
        partitions=range(installation.partitions),
        log_streams=installation.log_streams,
        max_active_models=10_000,
        on_ready=on_ready,
        stop=stop,
    )
    await bus.close()
    report(seconds=ready_at[0] - began, commands=sum(_commands(shard) for shard in shards.glob("*.db")))


def _commands(shard: Path) -> int:
    with closing(sqlite3.connect(shard)) as connection:
        return int(connection.execute("SELECT count(*) FROM command").fetchone()[0])


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
