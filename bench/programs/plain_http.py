"""The limit over HTTP: a bare aiohttp handler that makes one request to the echo. `plain_http NATS_URL`.

`POST /<name>` sends the body to `bench.echo.<name>` and gives back what comes.
"""

import sys

import nats
from aiohttp import web

from bench.programs.loop import report, run, until_terminated


async def main(url: str) -> None:
    """Serve until terminated; the ready line says where."""
    connection = await nats.connect(url)

    async def serve(request: web.Request) -> web.Response:
        answer = await connection.request("bench.echo." + request.match_info["name"], await request.read(), timeout=5)
        return web.Response(body=answer.data, content_type="application/json")

    app = web.Application()
    app.router.add_post("/{name}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    report(url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    await until_terminated()
    await runner.cleanup()
    await connection.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
