"""The limit of catching up: bare nats-py ordered consumers, one a log stream, that do nothing. `reader NATS_URL COUNT`.

Counts from before the subscription is made to the last message.
"""

import asyncio
import sys
import time

import nats

from bench.people import LOG_STREAMS
from bench.programs.loop import report, run
from bus.subjects import all_log_subjects


async def main(url: str, count: str) -> None:
    """Read so many messages, and report the seconds."""
    connection = await nats.connect(url)
    jetstream = connection.jetstream()
    logs = [info.config.name for info in await jetstream.streams_info() if info.config.name in LOG_STREAMS]
    left = int(count)
    everything = asyncio.Event()
    began = time.perf_counter()

    async def read(name: str) -> None:
        nonlocal left
        subscription = await jetstream.subscribe(all_log_subjects(), stream=name, ordered_consumer=True)
        async for _ in subscription.messages:
            left -= 1
            if not left:
                everything.set()

    reading = [asyncio.create_task(read(name)) for name in logs]
    await everything.wait()
    report(seconds=time.perf_counter() - began)
    for task in reading:
        task.cancel()
    await connection.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
