"""The address of this machine that a browser comes back to with a code (RFC 8252): open until it has come.

Whoever comes without the `state` that only the real browser was given is sent away, and waiting goes on.
"""

import asyncio
import contextlib
import hmac
from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from llum.failures import Fault

_CLOSE_WITHIN_S: Final = 2.0
"""Seconds in which the browser gets the last page."""

_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><h1>{title}</h1><p>{text}</p></html>
"""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
}


class Loopback:
    """Waits for a browser at one address of this machine."""

    def __init__(self, uri: str, state: str) -> None:
        self.uri = uri
        """Where the browser is to come, with the port that is open."""
        self._state = state
        self._came: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()

    async def came(self) -> Mapping[str, str]:
        """Wait for the browser, and give what it has brought."""
        return await self._came

    async def _take(self, request: web.Request) -> web.Response:
        given = {name: request.query[name] for name in request.query if len(request.query.getall(name)) == 1}
        if not hmac.compare_digest(given.get("state", "").encode(), self._state.encode()):
            return _page(400, "This is not the way in", "The program here waits for another browser.")
        if not self._came.done():
            self._came.set_result(given)
        if "code" not in given:
            return _page(200, "The app was not let in", "You can close this page, and go back to the program.")
        return _page(200, "You have signed in", "You can close this page, and go back to the program.")


@contextlib.asynccontextmanager
async def open_loopback(redirect_uri: str, state: str) -> AsyncIterator[Loopback]:
    """Open the address, at a free port where it names none. Raises a `Fault`."""
    parts = urlsplit(redirect_uri)
    host, path = parts.hostname or "127.0.0.1", parts.path or "/"
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_WITHIN_S)
    waiting: list[Loopback] = []

    async def take(request: web.Request) -> web.Response:
        return await waiting[0]._take(request)

    app.router.add_get(path, take)
    await runner.setup()
    try:
        port = await _listen(runner, host, parts.port or 0)
        shown = f"[{host}]" if ":" in host else host
        waiting.append(Loopback(f"http://{shown}:{port}{path}", state))
        yield waiting[0]
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> int:
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError as error:
        hint = "Sign in by a short code instead: --device, or how='device'."
        raise Fault(f"the browser could not come back to {host}:{port}: {error.strerror}", hint) from error
    return int(runner.addresses[0][1])


def _page(status: int, title: str, text: str) -> web.Response:
    body = _PAGE.format(title=title, text=text)
    return web.Response(status=status, text=body, content_type="text/html", headers=_HEADERS)
