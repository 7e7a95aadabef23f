"""Icons of clients. An administrator uploads one; whoever is asked to allow something sees it, from llum itself."""

from aiohttp import web

from edge_http.clients.administrators import clients_of, require_fresh_admin
from edge_http.clients.page import show_done, show_wrong
from edge_http.http.observe import TRACE
from edge_http.keys import PUBLIC_URL
from edge_http.sessions.forms import posted_upload
from edge_http.web.headers import strict_headers
from identity.oauth.icons import MAX_ICON_BYTES, icon_type
from schemas.errors import Code, LlumError, Refusal


async def take_icon(request: web.Request) -> web.Response:
    """Take the icon of a client; without a file it has none any more."""
    form, data = await posted_upload(request, MAX_ICON_BYTES)
    await require_fresh_admin(request)
    client_id = form.get("client_id").strip()
    if not data and "remove" not in form:
        return await show_wrong(request, client_id, Refusal(Code.BAD_FIELD, "choose a picture first", "icon"))
    try:
        client = await clients_of(request).set_icon(client_id, data or None)
    except LlumError as error:
        return await show_wrong(request, client_id, error)
    words = f"{client.name} has {'its icon' if client.has_icon else 'no icon any more'}."
    return await show_done(request, client, words)


async def show_icon(request: web.Request) -> web.Response:
    """Show an icon as what its bytes are. Browsers ask for it each time: it may be another one."""
    data = await clients_of(request).icon(request.match_info["client_id"])
    kind = None if data is None else icon_type(data)
    if data is None or kind is None:
        raise web.HTTPNotFound
    headers = {"Content-Type": kind, "Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"}
    return web.Response(body=data, headers=headers | strict_headers(request[TRACE].edge[PUBLIC_URL]))
