"""The limit of catching up: bare nats-py ordered consumers, one a log stream, with a callback that only counts.

`reader NATS_URL COUNT`. Counts from before the subscription is made to the last message.
"""

import asyncio
import sys
import time

import nats

from bench.people import LOG_STREAMS
from bench.programs.loop import report, run
from bus.subjects import all_log_subjects


async def main(url: str, count: str) -> None:
    """Read so many messages, and report the seconds and those on the CPU."""
    connection = await nats.connect(url)
    jetstream = connection.jetstream()
    logs = [info.config.name for info in await jetstream.streams_info() if info.config.name in LOG_STREAMS]
    left = int(count)
    everything = asyncio.Event()

    async def on_message(_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            everything.set()

    began, cpu = time.perf_counter(), time.process_time()
    for name in logs:
        await jetstream.subscribe(all_log_subjects(), stream=name, cb=on_message, ordered_consumer=True)
    await everything.wait()
    seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    report(seconds=seconds, cpu_seconds=spent, commands=int(count) - left)
    await connection.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
