"""Half of the limit of tells: a bare nats-py consumer that answers the inbox of each message.

`durable_consumer NATS_URL`. It makes its streams itself: one beside each of llum's log streams, configured like it.
"""

import sys
from typing import Any

import nats

from bench.people import LOG_STREAMS
from bench.programs.loop import report, run, until_terminated
from bus.subjects import REPLY_TO_HEADER
from schemas.codec import encode
from schemas.replies import Accepted

ANSWER = encode(Accepted(id="0" * 32, seq=100_000))


async def main(url: str) -> None:
    """Answer until terminated; the ready line says on which subjects."""
    connection = await nats.connect(url)
    jetstream = connection.jetstream()
    logs = [one.config for one in await jetstream.streams_info() if one.config.name in LOG_STREAMS]

    async def on_message(message: Any) -> None:
        await connection.publish(message.headers[REPLY_TO_HEADER], ANSWER)

    for number, log in enumerate(logs):
        stream = log.evolve(name=f"BENCH_{log.name}", subjects=[_subject(number)])
        await jetstream.add_stream(stream)
        await jetstream.subscribe(_subject(number), stream=stream.name, cb=on_message, ordered_consumer=True)
    report(subjects=[_subject(number) for number in range(len(logs))])
    await until_terminated()
    await connection.close()


def _subject(number: int) -> str:
    return f"bench.durable.{number}"


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
