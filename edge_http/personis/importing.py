"""`import_model`: a JSON text as `export_model` gives it, put below a context by as many commands as it needs.

The commands' ids come from what they hold, so that the same import again changes nothing, also when it broke off half
way. Where the imported context has been deleted meanwhile it is made anew. Order, times, sources and owners of the
evidence are kept. Permissions are set for the apps that are registered. Rules are those of the calling app, and
suspended until an owner activates them; corrections become evidence like any other.
"""

import asyncio
from collections.abc import Collection, Iterator
from typing import Final

import msgspec
from aiohttp import web

from edge_http.http.body import read_body
from edge_http.personis import calls, requests
from edge_http.personis.caller import Caller
from model.formats.foreign import plain_pieces
from model.formats.parcels import import_commands
from model.formats.personis import ExportedContext, Exporter, contexts_of, pieces_of, read_exported, rules_of
from model.formats.spellings import Segments, permissions_of
from schemas.app_names import app_id
from schemas.commands import Import, MakeRule, SetPermission
from schemas.decoding import decode
from schemas.errors import Code, Refusal
from schemas.queries import GetContext, ListApps
from schemas.replies import AppsReply

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
    """Import, and give the model as it was given. Raises what sending raises; what was sent until then stays.

    The list of apps is asked for before the model is looked at: only an owner's app gets it.
    """
    call = caller.parse(calls.IMPORT)
    apps: AppsReply = await caller.ask(ListApps())
    text = _given(call.partial_model)
    if text is None:
        return None
    model, context = read_exported(text), requests.path_of(call.context)
    given_id = caller.idempotency_key or call.id or ""
    salt = await _send_parts(caller, model, context, given_id)
    for command in _grants(model, context, salt, apps.apps):
        await caller.send(command)
    for rule in _rules(model, context, salt, caller.principal.app):
        await caller.send(rule)
    return msgspec.Raw(text)


def _given(partial_model: msgspec.Raw) -> bytes | None:
    """Give the exported text, which may itself be given as text or as JSON; None for null."""
    given = bytes(partial_model).strip()
    if given.startswith(b'"'):
        return decode(_text, given).encode()
    return None if given == b"null" else given


async def _send_parts(caller: Caller, model: ExportedContext, context: Segments, salt: str) -> str:
    """Send the commands, and give the salt of their ids: another one for each time that the context was deleted."""
    default = Exporter(caller.principal.user, caller.principal.app)
    while True:
        again = await _send_all(caller, import_commands(plain_pieces(pieces_of(model, default)), context, salt))
        if again is None or await _is_there(caller, model, context):
            return salt
        salt = f"{salt} {again}"


async def _send_all(caller: Caller, commands: Iterator[Import]) -> int | None:
    """Send the commands in order. Give the sequence of the last one if all of them had been sent before."""
    last = None
    all_repeated = True
    for command in commands:
        outcome = await caller.accepted(command)
        all_repeated = all_repeated and outcome.repeated
        last = outcome.seq
    return last if all_repeated else None


async def _is_there(caller: Caller, model: ExportedContext, context: Segments) -> bool:
    path, _ = next(contexts_of(model))
    try:
        await caller.ask(GetContext(context=[*context, *path]))
    except Refusal as refusal:
        if refusal.code is Code.NO_SUCH_CONTEXT:
            return False
        raise
    return True


def _grants(model: ExportedContext, context: Segments, salt: str, apps: Collection[str]) -> Iterator[SetPermission]:
    for path, each in contexts_of(model):
        where = [*context, *path]
        for name, permission in permissions_of(each.contextinfo.perms, "partial_model.contextinfo.perms").items():
            if app_id(name) in apps:
                what = msgspec.json.encode([where, name, permission]).decode()
                identifier = requests.derived_id(f"import {salt}", what)
                yield requests.set_permission_of(identifier, where, None, name, permission)


def _rules(model: ExportedContext, context: Segments, salt: str, app: str) -> Iterator[MakeRule]:
    for rule in rules_of(model):
        where = [*context, *rule.path]
        what = msgspec.json.encode([where, rule.component, rule.statement]).decode()
        identifier = requests.derived_id(f"import suspended {salt}", what)
        yield MakeRule(id=identifier, context=where, component=rule.component, statement=rule.statement, app=app)
