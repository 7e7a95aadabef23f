"""What a client asks for: the slices of `scope` and `authorization_details` together."""

import re
from typing import Final, NamedTuple

from identity.oauth.authorization import RefusedRequest
from identity.oauth.authorization_parameters import AuthorizationParameters
from identity.oauth.clients import OAuthClient
from schemas.errors import Refusal
from schemas.scopes import MODEL, parse_details, parse_scope
from schemas.slices import Slice
from schemas.slicing import check_ends, checked

OLD_SCOPES: Final = frozenset({"https://www.personis.info/auth/model", "https://www.personis.com/auth/model"})
"""By which the clients of the original ask for all that there is: its web apps, and its command line."""

_FORBIDDEN: Final = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
"""What the description of an error may not hold (RFC 6749, 4.1.2.1)."""


class Wishes(NamedTuple):
    """What a client would like to have."""

    slices: list[Slice]
    owner: bool
    """To become an owner's app."""


def wishes_of(client: OAuthClient, parameters: AuthorizationParameters, redirect_uri: str, now: float) -> Wishes:
    """Read what a client asks for at a time (seconds since 1970). Raises `RefusedRequest`."""

    def refused(error: str, description: str) -> RefusedRequest:
        return RefusedRequest(error, _FORBIDDEN.sub("'", description), redirect_uri, parameters["state"])

    details = parameters["authorization_details"]
    try:
        scopes = parse_scope(_scope_of(client, parameters))
        slices = checked([*scopes.slices, *(parse_details(details) if details else ())], "slices")
        check_ends(slices, now, "slices")
    except Refusal as refusal:
        error = "invalid_authorization_details" if details else "invalid_scope"
        raise refused(error, str(refusal)) from refusal
    if scopes.owner and not client.may_own:
        raise refused("invalid_scope", "this client may not ask for the scope owner: an administrator says who may")
    if not slices and not scopes.owner:
        raise refused("invalid_scope", "say what you ask for: by scope, such as ask:Personal, or authorization_details")
    return Wishes(slices, scopes.owner)


def _scope_of(client: OAuthClient, parameters: AuthorizationParameters) -> str:
    """Give the scope, in which an old client may say what the original understood, or nothing."""
    scope = parameters["scope"]
    if not client.legacy:
        return scope
    words = [MODEL if word in OLD_SCOPES else word for word in scope.split(" ") if word]
    return " ".join(words or ([] if parameters["authorization_details"] else [MODEL]))
