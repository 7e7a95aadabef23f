"""What an issuer says of a person: an ID token, checked. Where something is not proven, nothing of it is used."""

import base64
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from identity.issuers.failures import UnprovenError, UnprovenTimeError

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""The signatures that count. Neither `none`, nor those with a shared secret (`HS256`): whoever checks could sign."""

CLOCKS_DIFFER_S: Final = 60
"""Seconds by which the issuer's clock may differ from ours."""

MAX_TOKEN_CHARACTERS: Final = 32 * 1024
"""Characters of an ID token."""

Subject = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
"""Whom an issuer means: a text of its own, at most as long as OpenID Connect allows."""


class Expected(NamedTuple):
    """What a token must say, as it was set when the person was sent to the issuer."""

    issuer: str
    client_id: str
    nonce: str
    max_age_s: int | None = None
    """The person must have proven who they are within so many seconds; None: whenever it was."""


class _Claims(msgspec.Struct):
    """The form of what is looked at. Without it a claim of another type could pass for none."""

    sub: Subject
    nonce: str
    azp: str | None = None
    at_hash: str | None = None
    auth_time: int | float | None = None


class _Header(msgspec.Struct):
    kid: str | None = None


def key_name(token: str) -> str | None:
    """Give the name of the key that a token says it is signed with. Nothing is proven by it. Raises `UnprovenError`."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise UnprovenError(f"the ID token has {len(token)} characters, at most {MAX_TOKEN_CHARACTERS}")
    try:
        head = token.partition(".")[0].encode("ascii")
        return msgspec.json.decode(base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)), type=_Header).kid
    except (ValueError, msgspec.MsgspecError) as error:
        raise UnprovenError("the ID token has no header") from error


def check_id_token(token: str, access_token: str, keys: KeySet, expected: Expected, now: float) -> dict[str, Any]:
    """Give the claims of a token that proves all of them. Raises `UnprovenError`."""
    try:
        signed = jwt.decode(token, keys, algorithms=ALGORITHMS)
        form = msgspec.convert(signed.claims, _Claims)
        options: Any = {
            "iss": {"essential": True, "value": expected.issuer},
            "aud": {"essential": True, "value": expected.client_id},
        }
        params = {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": access_token}
        CodeIDToken(signed.claims, signed.header, options, params).validate(int(now), CLOCKS_DIFFER_S)
    except (JoseError, ValueError, TypeError, msgspec.MsgspecError) as error:
        raise UnprovenError(f"the ID token does not hold: {type(error).__name__} {str(error)[:200]}") from error
    if expected.max_age_s is not None:
        _check_age(form.auth_time, expected.max_age_s, now)
    return dict(signed.claims)


def _check_age(auth_time: float | None, max_age_s: int, now: float) -> None:
    if auth_time is None:
        raise UnprovenTimeError("the issuer does not say when the person has proven who they are (auth_time)")
    if not now - max_age_s - CLOCKS_DIFFER_S <= auth_time <= now + CLOCKS_DIFFER_S:
        raise UnprovenTimeError("the person has not proven to the issuer who they are for too long")
