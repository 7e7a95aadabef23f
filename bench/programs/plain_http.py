"""The limit over HTTP: a bare aiohttp handler that makes one request to the echo. `plain_http NATS_URL`.

`POST /<name>` sends the body to `bench.echo.<name>` and gives back what comes.
"""

import sys

import nats
from aiohttp import web

from bench.programs import bare_server
from bench.programs.loop import run


async def main(url: str) -> None:
    """Serve until terminated; the ready line says where."""
    connection = await nats.connect(url)

    async def serve(request: web.Request) -> web.Response:
        answer = await connection.request("bench.echo." + request.match_info["name"], await request.read(), timeout=5)
        return web.Response(body=answer.data, content_type="application/json")

    app = web.Application()
    app.router.add_post("/{name}", serve)
    await bare_server.serve(app)
    await connection.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
