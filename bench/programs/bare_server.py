"""A bare aiohttp server, as the limits and the peers have it."""

from aiohttp import web

from bench.programs.loop import report, until_terminated


async def serve(app: web.Application) -> None:
    """Serve until terminated; the ready line says where."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    report(url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    await until_terminated()
    await runner.cleanup()
