"""Who is this, without a token: a simple device names in the body whose model, which app, and the app's password."""

from typing import Any, Final

import msgspec
from aiohttp import web

from edge_http.auth.chain import unauthenticated
from edge_http.http.errors import Unauthenticated
from edge_http.http.observe import TRACE
from edge_http.keys import APP_KEYS, PUBLIC_URL
from edge_http.personis import calls, requests
from identity.tokens import Identity
from schemas.app_names import app_id
from schemas.errors import Refusal

MAX_UNKNOWN_BODY_BYTES: Final = 256 * 1024
"""Bytes of a body that are read before it is known whose it is. A larger value is told with a bearer token."""

_UNLIMITED: Final = float("inf")


async def authenticate_by_password(request: web.Request, body: bytes) -> Identity:
    """Give the identity of the caller and note it in the trace.

    Raises `not_authenticated` (in the same words whatever is wrong), `rate_limited`, `unavailable`.
    """
    given = _credentials(body)
    if given is None:
        raise unauthenticated(request, "there is no bearer token")
    user, name, password = given
    app = _id_or_none(name)
    if app is None or not await request.app[APP_KEYS].verify(user, app, password):
        hint = "send modelname, user (the app's name) and password in the body, or a bearer token"
        challenge = f'Bearer realm="{request.app[PUBLIC_URL]}"'
        raise Unauthenticated("model, app or password is wrong", challenge, "password", hint)
    trace = request[TRACE]
    trace.user, trace.app = user, app
    return Identity(user, app, _UNLIMITED)


def _credentials(body: bytes) -> tuple[str, str, str] | None:
    try:
        found = calls.CREDENTIALS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    given = (found.modelname, found.user, found.password)
    return given if _all_texts(given) and found.modelname != requests.OWN_MODEL else None


def _all_texts(given: tuple[Any, ...]) -> bool:
    return all(isinstance(one, str) and one for one in given)


def _id_or_none(name: str) -> str | None:
    try:
        return app_id(name)
    except Refusal:
        return None
