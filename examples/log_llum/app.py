"""All of log-llum together."""

from aiohttp import web

from log_llum.answers import HERE
from log_llum.config import Config
from log_llum.pages import PAGES, Pages, kindly


def make_app(config: Config) -> web.Application:
    """Make the application."""
    app = web.Application(middlewares=[kindly])
    app[PAGES] = Pages(config)
    app[PAGES].add_to(app)
    app.router.add_static("/static/", HERE / "static")
    app.on_cleanup.append(_close)
    return app


async def _close(app: web.Application) -> None:
    await app[PAGES].visits.close()
