"""The addresses of sign-ins by a short code, added to the application."""

from aiohttp import web

from edge_http.devices.asking import DEVICE_GRANT, begin_device, redeem_device
from edge_http.oauth.addresses import DEVICE, DEVICE_AUTHORIZATION, DEVICE_CONFIRM
from edge_http.oauth.token import add_token_grant


def add_devices(app: web.Application) -> None:
    """Add them, and the grant."""
    app.router.add_post(DEVICE_AUTHORIZATION, begin_device)
    add_token_grant(app, DEVICE_GRANT, redeem_device)
    app.router.add_get(DEVICE, _show_page)
    app.router.add_post(DEVICE, _take_code)
    app.router.add_post(DEVICE_CONFIRM, _confirm_code)


# The pages bring Authlib and templates, which an edge imports when somebody first opens one.


async def _show_page(request: web.Request) -> web.Response:
    from edge_http.devices.typing import show_page

    return await show_page(request)


async def _take_code(request: web.Request) -> web.Response:
    from edge_http.devices.typing import take_code

    return await take_code(request)


async def _confirm_code(request: web.Request) -> web.Response:
    from edge_http.devices.typing import confirm_code

    return await confirm_code(request)
