"""`/:key/settings`: what programs of the original's cloud do with a token for a key.

A body is checked before anything else, also before the token, as in the original. Matching a person's preferences with
the programs of a device is not done here: whoever asks gets the preferences, and for a device is told so.
"""

from typing import Any, Final
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web

from edge_http.http.observe import TRACE
from edge_http.http.responses import BODY_END
from edge_http.keys import AUTHENTICATOR, PUBLIC_URL
from edge_http.preferences.answers import HEADERS, answered, render_error
from edge_http.preferences.asked import key_of
from edge_http.preferences.bodies import read_preferences
from edge_http.preferences.face import PREFERENCES
from edge_http.preferences.limited import BeyondAllowed
from edge_http.preferences.putting import check_body, put_preferences
from edge_http.preferences.reached import ReachedPlace, begin
from identity.preferences.key_tokens import KeyGrant
from schemas.errors import Code, Error, LlumError, Refusal
from schemas.preferences import DEFAULT_VIEW

_SETTINGS: Final = "/{key:[^/]+}/settings"

_FOR_DEVICE: Final = "/{key:[^/]+}/settings/{device:.+}"


def add_key_settings(app: web.Application) -> None:
    """Add the paths. A path that somebody else has is theirs, whatever the order: these begin with any name."""
    for path in (_SETTINGS, f"{_SETTINGS}/"):
        app.router.add_put(path, _put)
        app.router.add_get(path, _get)
    app.router.add_get(_FOR_DEVICE, _get_for_device)


async def _put(request: web.Request) -> web.Response:
    """Merge settings into the preferences of the token's key, in the flat ontology."""
    key = key_of(request, "/")
    face = begin(request, key).edge[PREFERENCES]
    body = check_body(face, await read_preferences(request))
    grant = await _granted(request, key)
    if grant is None:
        return _unauthorized()
    try:
        reached = (await _reached(request, key))._replace(allowed=grant.allowed)
        await put_preferences(face, reached, body, DEFAULT_VIEW, "merge")
    except BeyondAllowed:
        return _unauthorized()
    except LlumError as error:
        return _relayed(request, error, key)
    return answered({"gpiiKey": key, "message": "Successfully updated."})


async def _get(request: web.Request) -> web.Response:
    """Give the preferences of the token's key, in the flat ontology. Where there is no safe yet there are none."""
    key = key_of(request, "/")
    face = begin(request, key).edge[PREFERENCES]
    if await _granted(request, key) is None:
        return _unauthorized()
    reached = await _reached(request, key)
    try:
        preferences: Any = msgspec.Raw(face.answer(await reached.ask_sets(), DEFAULT_VIEW).body)
    except Refusal as refusal:
        if refusal.code is not Code.NO_SUCH_MODEL:
            raise
        preferences = {"contexts": {}}
    return answered({"gpiiKey": key, "preferences": preferences})


async def _get_for_device(request: web.Request) -> web.Response:
    """Say that nothing is matched here."""
    key = key_of(request, "/")
    begin(request, key)
    if await _granted(request, key) is None:
        return _unauthorized()
    error = Error(
        Code.UNKNOWN_VERB,
        "this server keeps preferences, and matches them with no programs of a device",
        "device",
        "GET /:key/settings gives the preferences",
    )
    members = {"isError": True, "code": error.code.value, "message": error.message, "field": error.field}
    return _answer(501, {**members, "hint": error.hint})


async def _granted(request: web.Request, key: str) -> KeyGrant | None:
    """Give what the token is good for, if it is for this key."""
    words = request.headers.get(hdrs.AUTHORIZATION, "").split()
    if len(words) != 2 or words[0].lower() != "bearer":
        return None
    grant = await request.app[AUTHENTICATOR].key_tokens.grant(words[1])
    return grant if grant is not None and grant.key == key else None


async def _reached(request: web.Request, key: str) -> ReachedPlace:
    """Give where the key of a token leads."""
    trace = request[TRACE]
    record = (await trace.edge[AUTHENTICATOR].preference_keys.find(key)).check()
    trace.user, trace.app = record.user, record.app
    return ReachedPlace(key, record.user, record.app, record.place, request)


def _relayed(request: web.Request, error: LlumError, key: str) -> web.Response:
    """Answer with an error of the preferences as the original's flow manager does, which asks them over HTTP."""
    response = render_error(error, key)
    assert isinstance(response.body, bytes), "errors are rendered whole"
    members = msgspec.json.decode(response.body)
    url = f"{request.app[PUBLIC_URL].rstrip('/')}/preferences/{quote(key, safe='')}?merge=true"
    members["message"] = f"{members['message']} while executing HTTP PUT on url {url}"
    response.body = msgspec.json.encode(members) + BODY_END
    return response


def _unauthorized() -> web.Response:
    return _answer(401, {"isError": True, "message": "Unauthorized"})


def _answer(status: int, members: dict[str, Any]) -> web.Response:
    headers: dict[str, str] = {**HEADERS}
    if status == 401:
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    return web.Response(body=msgspec.json.encode(members) + BODY_END, status=status, headers=headers)
