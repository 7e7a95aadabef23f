"""The other half of the limit of tells: a bare aiohttp handler. `durable_http NATS_URL SUBJECT…`.

`POST /tell` publishes the body to one of the subjects, whose streams keep it, and gives back what comes into the inbox
that it has named.
"""

import asyncio
import itertools
import sys
from typing import Any

import nats
from aiohttp import web

from bench.programs import bare_server
from bench.programs.loop import run
from bus.subjects import REPLY_TO_HEADER


async def main(url: str, *subjects: str) -> None:
    """Serve until terminated; the ready line says where."""
    connection = await nats.connect(url)
    inbox, numbers, streams = connection.new_inbox(), itertools.count(), itertools.cycle(subjects)
    waiting: dict[str, asyncio.Future[bytes]] = {}

    async def on_answer(message: Any) -> None:
        waiting.pop(message.subject).set_result(message.data)

    async def serve(request: web.Request) -> web.Response:
        body, reply_to = await request.read(), f"{inbox}.{next(numbers)}"
        answer = waiting[reply_to] = asyncio.get_running_loop().create_future()
        await connection.publish(next(streams), body, headers={REPLY_TO_HEADER: reply_to})
        return web.Response(body=await answer, content_type="application/json")

    await connection.subscribe(f"{inbox}.*", cb=on_answer)
    app = web.Application()
    app.router.add_post("/tell", serve)
    await bare_server.serve(app)
    await connection.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
