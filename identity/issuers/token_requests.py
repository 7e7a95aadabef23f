"""A code for tokens: what is sent to an issuer's token endpoint, and what it answers."""

import base64
from typing import Final
from urllib.parse import quote_plus

import msgspec

from identity.issuers.configured import Issuer
from identity.issuers.failures import IssuerAway, IssuerRefuses
from identity.issuers.fetching import Answer
from identity.issuers.metadata import Metadata

MAX_TOKEN_CHARACTERS: Final = 16 * 1024
"""Characters of an access token."""


class GivenTokens(msgspec.Struct, frozen=True):
    """What an issuer gives for a code. Its text shows none of it."""

    access_token: str
    id_token: str
    token_type: str

    def __repr__(self) -> str:
        return "GivenTokens()"


class _Refused(msgspec.Struct):
    error: str


class TokenRequest(msgspec.Struct, frozen=True):
    """What is sent."""

    form: dict[str, str]
    headers: dict[str, str]

    def __repr__(self) -> str:
        return "TokenRequest()"


def token_request(issuer: Issuer, metadata: Metadata, code: str, verifier: str, redirect_uri: str) -> TokenRequest:
    """Make the request, with the secret where the issuer wants it."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    methods = metadata.token_endpoint_auth_methods_supported
    if issuer.client_secret is None:
        return TokenRequest(form | {"client_id": issuer.client_id}, {})
    if "client_secret_basic" not in methods and "client_secret_post" in methods:
        return TokenRequest(form | {"client_id": issuer.client_id, "client_secret": issuer.client_secret}, {})
    pair = f"{quote_plus(issuer.client_id)}:{quote_plus(issuer.client_secret)}"
    return TokenRequest(form, {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})


def read_tokens(answer: Answer) -> GivenTokens:
    """Read what the issuer gave. Raises `IssuerRefuses`, `IssuerAway`."""
    if 400 <= answer.status < 500 and answer.status != 429:
        raise IssuerRefuses(f"the code was refused: {_reason(answer)}")
    if answer.status != 200:
        raise IssuerAway(f"the code was answered with {answer.status}")
    try:
        tokens = msgspec.json.decode(answer.body, type=GivenTokens)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IssuerAway(f"the tokens are not OpenID Connect's: {str(error)[:200]}") from error
    if tokens.token_type.lower() != "bearer" or not is_sendable(tokens.access_token):
        raise IssuerAway("the access token is not one that can be sent")
    return tokens


def is_sendable(token: str) -> bool:
    """Tell whether a token can stand in a header."""
    return 0 < len(token) <= MAX_TOKEN_CHARACTERS and token.isascii() and token.isprintable() and " " not in token


def _reason(answer: Answer) -> str:
    """Give the error's code, which says what the operator has to put right: often the client's secret."""
    try:
        return msgspec.json.decode(answer.body, type=_Refused).error[:80]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return str(answer.status)
