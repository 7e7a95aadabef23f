"""`/list_clients`: which programs of others may ask people, and what is known of each. No person is shown here."""

from typing import Any, Final

import msgspec
from aiohttp import web

from edge_http.accounts.mistakes import Mistakes, shown_again
from edge_http.clients.administrators import clients_of, note_client, require_admin, require_fresh_admin
from edge_http.clients.described import described, of_the_field
from edge_http.sessions.forms import Form, posted_form
from edge_http.web.pages import page
from identity.oauth.clients import OAuthClient, no_such_client
from identity.oauth.resembling import resembling
from schemas.errors import LlumError

MOST_SHOWN: Final = 200
"""Clients that the page lists, by their names; `llum admin client list` lists all."""

_PAGE: Final = "list_clients.html"
_NEW: Final = OAuthClient("", "", kind="confidential", made_by="administrator")


async def show_clients(request: web.Request) -> web.Response:
    """List the clients; with `?edit=<id>` one of them in a form, with `?add` an empty form."""
    await require_admin(request)
    adding = _NEW if "add" in request.query else None
    edited = request.query.get("edit", "")
    return page(request, _PAGE, errors=Mistakes(), **await _values(request, adding=adding, edited=edited))


async def add_client(request: web.Request) -> web.Response:
    """Register a client, and show its secret this once."""
    form = await posted_form(request)
    await require_fresh_admin(request)
    client = described(form, msgspec.structs.replace(_NEW, id=form.get("client_id").strip()))
    try:
        made = await clients_of(request).add(client)
        secret = "" if made.is_public else await clients_of(request).new_secret(made.id)
    except LlumError as error:
        return shown_again(request, of_the_field(error), _PAGE, **await _values(request, adding=client))
    await note_client(request, "added_client", made.id)
    return await _done(request, made.id, f"{made.name} is registered.", secret)


async def change_client(request: web.Request) -> web.Response:
    """Change what is known of a client."""
    form = await posted_form(request)
    await require_fresh_admin(request)
    client_id = _id_in(form)
    try:
        changed = await clients_of(request).change(client_id, lambda before: described(form, before))
    except LlumError as error:
        typed = described(form, await _there(request, client_id))
        values = await _values(request, edited=client_id, typed=typed)
        return shown_again(request, of_the_field(error), _PAGE, **values)
    await note_client(request, "changed_client", client_id)
    return await _done(request, client_id, f"{changed.name} is changed.")


async def make_secret(request: web.Request) -> web.Response:
    """Give a client a new secret, and show it this once."""
    form = await posted_form(request)
    await require_fresh_admin(request)
    client = await _there(request, _id_in(form))
    secret = await clients_of(request).new_secret(client.id)
    await note_client(request, "made_client_secret", client.id)
    return await _done(request, client.id, f"{client.name} has a new secret. The one before is worthless.", secret)


async def delete_client(request: web.Request) -> web.Response:
    """Delete a client, and end everybody's tokens for it."""
    form = await posted_form(request)
    await require_fresh_admin(request)
    client = await _there(request, _id_in(form))
    await clients_of(request).delete(client.id)
    await note_client(request, "deleted_client", client.id)
    return await _done(request, "", f"{client.name} is no client any more, and its tokens have ended.")


async def show_done(request: web.Request, client: OAuthClient, done: str) -> web.Response:
    """Show the page after something was done to a client."""
    return await _done(request, client.id, done)


async def show_wrong(request: web.Request, client_id: str, error: LlumError) -> web.Response:
    """Show the page with what was wrong."""
    return shown_again(request, error, _PAGE, **await _values(request, open_id=client_id))


async def _done(request: web.Request, client_id: str, done: str, secret: str = "") -> web.Response:
    values = await _values(request, done=done, secret=secret, open_id=client_id)
    return page(request, _PAGE, errors=Mistakes(), **values)


async def _there(request: web.Request, client_id: str) -> OAuthClient:
    """Give a client. Raises `no_such_client`."""
    found = await clients_of(request).find(client_id)
    if found is None:
        raise no_such_client(client_id)
    return found


def _id_in(form: Form) -> str:
    return form.get("client_id").strip()


async def _values(request: web.Request, typed: OAuthClient | None = None, **more: Any) -> dict[str, Any]:
    """Give what the page shows. `edited`: whose form is open, with what was `typed`; `open_id`: what was dealt with."""
    clients = await clients_of(request).list()
    known = {
        "clients": clients[:MOST_SHOWN],
        "hidden": max(0, len(clients) - MOST_SHOWN),
        "alike": resembling(clients),
        "typed": typed,
    }
    return known | {"adding": None, "edited": "", "open_id": "", "done": "", "secret": ""} | more
