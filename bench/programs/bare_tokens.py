"""The limit of `bench.tokens`: a bare aiohttp handler that does to nats-server what llum does. `bare_tokens URL`.

`POST /token` reads a form, reads one key, writes one into each bucket that `buckets` in the form names, and gives back
JSON of the same size. It checks nothing.
"""

import itertools
import secrets
import sys
from typing import Final

from aiohttp import web

from bench.programs import bare_server
from bench.programs.loop import run
from bus.connection import Bus
from bus.kv import Bucket

KEPT_S: Final = 60.0
VALUE: Final = b"x" * 250


async def main(url: str) -> None:
    """Serve until terminated; the ready line says where."""
    bus, numbers = await Bus.connect(url, name="bench-bare"), itertools.count()

    async def serve(request: web.Request) -> web.Response:
        buckets = [Bucket(bus, name) for name in str((await request.post())["buckets"]).split()]
        key = f"{next(numbers):016}.bench.bench"
        await buckets[-1].find(key)
        for bucket in buckets:
            await bucket.put(key, VALUE, KEPT_S)
        return web.json_response(
            {"access_token": secrets.token_urlsafe(90), "refresh_token": secrets.token_urlsafe(90)}
        )

    app = web.Application()
    app.router.add_post("/token", serve)
    await bare_server.serve(app)
    await bus.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
