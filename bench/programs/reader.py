"""The limit of catching up: a bare nats-py ordered consumer that does nothing. `reader NATS_URL COUNT`.

Counts from before the subscription is made to the last message.
"""

import sys
import time

import nats

from bench.programs.loop import report, run


async def main(url: str, count: str) -> None:
    """Read so many messages, and report the seconds."""
    connection = await nats.connect(url)
    left = int(count)
    began = time.perf_counter()
    subscription = await connection.jetstream().subscribe("llum.log.>", ordered_consumer=True)
    async for _ in subscription.messages:
        left -= 1
        if not left:
            break
    report(seconds=time.perf_counter() - began)
    await connection.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
