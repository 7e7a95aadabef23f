"""A simple device names in the body whose model, which app, and the app's password."""

from typing import Any, Final

import msgspec

from edge_http.auth.app_password import AppPassword
from edge_http.personis import calls, requests
from schemas.app_names import app_id
from schemas.errors import Refusal

MAX_UNKNOWN_BODY_BYTES: Final = 256 * 1024
"""Bytes of a body that are read before it is known whose it is. A larger value is told with a bearer token."""

HINT: Final = "send modelname, user (the app's name) and password in the body, or a bearer token"


def password_in(body: bytes) -> AppPassword | None:
    """Give what the body says of its sender; None if it does not name a password."""
    if b"password" not in body and b"\\u" not in body:
        return None
    try:
        found = calls.DEVICE_LOGIN.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    user, name, password = given = (found.modelname, found.user, found.password)
    if not _all_texts(given) or user == requests.OWN_MODEL:
        return None
    return AppPassword(user, _id_or_none(name), password)


def _all_texts(given: tuple[Any, ...]) -> bool:
    return all(isinstance(one, str) and one for one in given)


def _id_or_none(name: str) -> str | None:
    try:
        return app_id(name)
    except Refusal:
        return None
