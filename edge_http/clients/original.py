"""The clients for programs of the original. They have its members; what it did by GET takes a POST and a page's token.

`id` is `addOneForMe`, `removeOneForMe` (`value` is the client), or `<client>|<field>` (`value` is what it is to be).
"""

import secrets
from typing import Any, Final

import msgspec
from aiohttp import web

from edge_http.clients.administrators import clients_of, note_client, require_admin, require_fresh_admin
from edge_http.http.errors import error_response
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.http.showing import wants_page
from edge_http.sessions.current import see_other
from edge_http.sessions.forms import posted_form
from identity.oauth.clients import OAuthClient
from schemas.errors import Code, Refusal

ADD: Final = "addOneForMe"
REMOVE: Final = "removeOneForMe"
SECRET: Final = "secret"  # noqa: S105 - the name of a field

PAGE: Final = "/list_clients"

_NAME: Final = "my client"
_ID_BYTES: Final = 16

_FIELDS: Final[dict[str, Any]] = {
    "friendly_name": lambda client, value: msgspec.structs.replace(client, name=value),
    "redirect_uri": lambda client, value: msgspec.structs.replace(client, redirect_uris=[value] if value else []),
}
"""How a field of the original is set. A client there has one address."""


async def list_json(request: web.Request) -> web.Response:
    """Answer all clients by their ids. Secrets are stored as hashes only, so none is shown."""
    request[TRACE].render_error = error_response
    await require_admin(request)
    found = {one.id: _shown(one) for one in await clients_of(request).list()}
    return json_response(msgspec.json.encode(found))


async def put(request: web.Request) -> web.Response:
    """Add, remove or change a client, and answer what is there then; a browser is sent to the page."""
    form = await posted_form(request)
    await require_fresh_admin(request)
    told, value = form.get("id"), form.get("value").strip()
    if told == ADD:
        added = await _add(request)
        await note_client(request, "added_client", added.id)
        return _answered(request, added.id)
    if told == REMOVE:
        await clients_of(request).delete(value)
        await note_client(request, "deleted_client", value)
        return _answered(request, value)
    client_id, _, field = told.partition("|")
    return _answered(request, await _set(request, client_id, field, value))


async def _add(request: web.Request) -> OAuthClient:
    fresh = OAuthClient(secrets.token_hex(_ID_BYTES), _NAME, kind="confidential", made_by="administrator")
    return await clients_of(request).add(fresh)


async def _set(request: web.Request, client_id: str, field: str, value: str) -> str:
    """Set a field, and give what it is then. A secret is always one that llum makes."""
    if field == SECRET:
        secret = await clients_of(request).new_secret(client_id)
        await note_client(request, "made_client_secret", client_id)
        return secret
    change = _FIELDS.get(field)
    if change is None:
        hint = f"set friendly_name, redirect_uri or secret; all else is set at {PAGE}"
        raise Refusal(Code.BAD_FIELD, f"{field[:80]!r} cannot be set here", "id", hint)
    await clients_of(request).change(client_id, lambda client: change(client, value))
    await note_client(request, "changed_client", client_id)
    return value


def _answered(request: web.Request, value: str) -> web.Response:
    if wants_page(request):
        return see_other(PAGE)
    return web.Response(text=value, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


def _shown(client: OAuthClient) -> dict[str, str]:
    return {
        "client_id": client.id,
        "friendly_name": client.name,
        "secret": "",
        "redirect_uri": client.redirect_uris[0] if client.redirect_uris else "",
        "icon": f"/client-icon/{client.id}" if client.has_icon else "",
    }
