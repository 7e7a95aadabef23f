"""One worker catching up with a log, from nothing to ready. `worker NATS_URL FOLDER PARTITIONS`.

Counts from the call of `run_worker`, which is stopped as soon as it is ready, to its end: the shards are made, every
command is applied, asks are answered, and what was put off is committed. The log counts as old, as it is for a worker
that was away: nobody waits for outcomes any more.
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
from actors.share import share_as
from bench.programs.loop import report, run
from bus.connection import Bus
from bus.installation import check
from llum.processes import logs
from llum.processes.log_files import RotatingFile
from llum.processes.worker import look_for_garbage_seldom, use_one_heap
from schemas.levels import Levels


async def main(url: str, folder: str, partitions: str) -> None:
    """Catch up, and report the seconds, those on the CPU, and the commands found in the shards."""
    logs.set_up("info", [RotatingFile(Path(folder) / "worker.jsonl")], process="worker", pid=os.getpid())
    actors.announce.REPLY_WINDOW_S = float("-inf")
    bus = await Bus.connect(url, name="bench-worker")
    shards, stop = Path(folder) / "shards", asyncio.Event()
    look_for_garbage_seldom()
    use_one_heap()
    installation = await check(bus, int(partitions))
    began, cpu = time.perf_counter(), time.process_time()
    await actors.worker.run_worker(
        bus,
        shard_dir=shards,
        partitions=installation.partitions,
        share=share_as("bench"),
        log_streams=installation.log_streams,
        max_active_models=100_000,
        on_ready=stop.set,
        stop=stop,
        levels=Levels(installation.level),
    )
    seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    await bus.close()
    report(seconds=seconds, cpu_seconds=spent, commands=sum(_commands(shard) for shard in shards.glob("*.db")))


def _commands(shard: Path) -> int:
    with closing(sqlite3.connect(shard)) as connection:
        return int(connection.execute("SELECT count(*) FROM command").fetchone()[0])


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
