"""The password of an app, as a face has found it in a request."""

from typing import NamedTuple

from aiohttp import web

from edge_http.auth.bearer import challenge
from edge_http.http.errors import Unauthenticated


class AppPassword(NamedTuple):
    """What a simple device says of itself: whose model, which app, and the app's password."""

    user: str
    app: str | None
    """The app's id; None: it names one that cannot be."""
    password: str


def wrong(request: web.Request, hint: str) -> Unauthenticated:
    """Make the refusal of a password, in the same words whatever is wrong with it. `hint` is the face's."""
    return Unauthenticated("model, app or password is wrong", challenge(request), "password", hint)
