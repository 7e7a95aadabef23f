"""The limit of asks: a bare nats-py responder. `echo NATS_URL SUBJECT=FILE…`: answers requests with the file."""

import sys
from pathlib import Path
from typing import Any

import nats

from bench.programs.loop import report, run, until_terminated


async def main(url: str, *answers: str) -> None:
    """Answer until terminated."""
    connection = await nats.connect(url)
    for answer in answers:
        subject, _, file = answer.partition("=")
        await _answer(connection, subject, Path(file).read_bytes())  # noqa: ASYNC240 - before anything is served
    await connection.flush()
    report(ready=True)
    await until_terminated()
    await connection.close()


async def _answer(connection: Any, subject: str, answer: bytes) -> None:
    async def on_request(message: Any) -> None:
        await connection.publish(message.reply, answer)

    await connection.subscribe(subject, cb=on_request)


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
