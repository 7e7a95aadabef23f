"""What nats-server and the callout say to each other: JSON web tokens signed with nkeys (NATS ADR-26).

nats-server asks with a token of its own, in which it says who connects and with which credentials. The answer names
it as audience, and holds either a token for the connection, which lists the subjects, or an error.
"""

import base64
import binascii
from typing import Any, Final

import msgspec

from bus.nkeys import KeyTextError, SigningKey, verify

_HEADER: Final = {"typ": "JWT", "alg": "ed25519-nkey"}


class BadClaimsError(ValueError):
    """A message that is not a request of nats-server's."""


class ConnectOptions(msgspec.Struct):
    """What a client has said of itself as it connected."""

    auth_token: str = ""
    user: str = ""
    password: str = msgspec.field(default="", name="pass")
    name: str = ""
    protocol: int = 0


class ClientInfo(msgspec.Struct):
    """What nats-server says of a connection."""

    id: int = 0
    """Its number ("cid")."""
    host: str = ""
    kind: str = ""
    type: str = ""
    """nats, websocket or mqtt."""
    mqtt_id: str = ""


class ServerId(msgspec.Struct):
    """Which nats-server asks."""

    id: str
    name: str = ""
    host: str = ""


class ConnectRequest(msgspec.Struct):
    """Who connects where, with which credentials."""

    user_nkey: str
    """The key that nats-server has made for the connection; the answer's token is about it."""
    server_id: ServerId
    client_info: ClientInfo = msgspec.field(default_factory=ClientInfo)
    connect_opts: ConnectOptions = msgspec.field(default_factory=ConnectOptions)


class Subjects(msgspec.Struct, frozen=True):
    """What a connection may publish on, and what it may subscribe to. Nothing else: an empty list would allow all."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


class _RequestClaims(msgspec.Struct):
    iss: str
    nats: ConnectRequest


_requests: Final = msgspec.json.Decoder(_RequestClaims)
_encode: Final = msgspec.json.Encoder().encode


def read_request(token: bytes) -> ConnectRequest:
    """Read what nats-server asks. Raises `BadClaimsError` for what it has not signed."""
    try:
        signed, _, signature = token.rpartition(b".")
        _, _, payload = signed.partition(b".")
        claims = _requests.decode(_unpadded(payload))
        genuine = verify(claims.iss, signed, _unpadded(signature), "server")
    except (msgspec.DecodeError, binascii.Error, KeyTextError, ValueError) as error:
        raise BadClaimsError(f"not a request of nats-server's: {error}") from error
    if not genuine:
        raise BadClaimsError("the request's signature is wrong")
    return claims.nats


def user_token(
    key: SigningKey, request: ConnectRequest, name: str, allowed: Subjects, now_s: int, expires_s: int
) -> str:
    """Write the token of a connection in the account APPS. `name` is shown to operators, times are seconds.

    Raises `ValueError` for a list that is empty: it would allow everything.
    """
    if not (allowed.publish and allowed.subscribe):
        raise ValueError("a connection must be allowed something, or it would be allowed everything")
    permissions = {
        "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1,
        "pub": {"allow": list(allowed.publish)}, "sub": {"allow": list(allowed.subscribe)},
    }  # fmt: skip
    claims = {"sub": request.user_nkey, "aud": APPS_ACCOUNT, "name": name, "exp": expires_s, "nats": permissions}
    return _signed(key, claims, now_s)


def granted(key: SigningKey, request: ConnectRequest, token: str, now_s: int) -> bytes:
    """Write the answer that lets a connection in."""
    return _answer(key, request, {"jwt": token}, now_s)


def denied(key: SigningKey, request: ConnectRequest, error: str, now_s: int) -> bytes:
    """Write the answer that does not. nats-server logs the error; the client hears only that it is not allowed."""
    return _answer(key, request, {"error": error}, now_s)


APPS_ACCOUNT: Final = "APPS"
"""The account of all who are not llum's own processes."""


def _answer(key: SigningKey, request: ConnectRequest, said: dict[str, str], now_s: int) -> bytes:
    content = {"type": "authorization_response", "version": 2, **said}
    claims = {"sub": request.user_nkey, "aud": request.server_id.id, "nats": content}
    return _signed(key, claims, now_s).encode()


def _signed(key: SigningKey, claims: dict[str, Any], now_s: int) -> str:
    body = {"iss": key.public, "iat": now_s, **claims}
    signed = f"{_text(_encode(_HEADER))}.{_text(_encode(body))}"
    return f"{signed}.{_text(key.sign(signed.encode()))}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpadded(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
