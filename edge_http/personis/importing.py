"""`import_model`: a JSON text as `export_model` gives it, put below a context, whole or not at all.

Only one that is larger than a command may be is several (see `bus.importing`). The commands' ids come from what they
hold, so that the same import again changes nothing, also when it broke off half way. Where the imported context has
been deleted meanwhile it is made anew. Order, times, sources and owners of the evidence are kept, as are members that
llum does not know; corrections become evidence like any other. Rules are those of the calling app, and suspended until
an owner activates them. What is set for apps that are not registered, and rules of
components that are not there, are left out and named in `skipped`, beside the answer.
"""

import asyncio
from collections.abc import Iterator
from typing import Final

import msgspec
from aiohttp import web

from edge_http.http.body import read_body
from edge_http.personis import calls, render, requests
from edge_http.personis.caller import Caller
from model.formats.foreign import plain_pieces
from model.formats.parcels import import_commands
from model.formats.personis import Exporter, contexts_of, left_out, pieces_of, read_exported
from schemas.commands import Import
from schemas.decoding import decode
from schemas.queries import ListApps

MAX_IMPORT_BODY_BYTES: Final = 64 * 1024 * 1024
"""Bytes of the body of an import: a largest export, as a text within JSON, with all its quotes escaped."""

IMPORT_BODY_TIMEOUT_S: Final = 120.0
"""Seconds for such a body to arrive."""

MAX_IMPORTS: Final = 2
"""Imports that are read and sent at once: each may take some hundred megabytes."""

FEW_IMPORTS: Final = web.AppKey("few_imports", asyncio.Semaphore)

_text: Final = msgspec.json.Decoder(str)


async def read(request: web.Request) -> bytes:
    """Read the body of an import. Raises `too_large`, `malformed`."""
    return await read_body(request, MAX_IMPORT_BODY_BYTES, IMPORT_BODY_TIMEOUT_S)


async def import_model(caller: Caller) -> msgspec.Raw | None:
    """Import, and give the model as it was given. Raises what sending raises.

    The list of apps is asked for before the model is looked at: only an owner's app gets it.
    """
    call = caller.parse(calls.IMPORT)
    await caller.ask(ListApps())
    text = _given(call.partial_model)
    if text is None:
        return None
    model, context = read_exported(text), requests.path_of(call.context)
    default = Exporter(caller.principal.user, caller.principal.app)
    path, _ = next(contexts_of(model))
    given_id = caller.idempotency_key or call.id or ""

    def commands(salt: str) -> Iterator[Import]:
        return import_commands(plain_pieces(pieces_of(model, default)), context, salt)

    imported = await caller.imported(commands, [*context, *path], given_id)
    caller.skipped = [
        *(render.left_out(one, context) for one in left_out(model)),
        *map(render.skipped, imported.skipped),
    ]
    return msgspec.Raw(text)


def _given(partial_model: msgspec.Raw) -> bytes | None:
    """Give the exported text, which may itself be given as text or as JSON; None for null."""
    given = bytes(partial_model).strip()
    if given.startswith(b'"'):
        return decode(_text, given).encode()
    return None if given == b"null" else given
