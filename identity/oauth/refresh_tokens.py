"""The form of refresh tokens: `llumr_<family>.<generation>.<secret>.<mac>`.

The successor of a token is a keyed function of it. So all edges that are shown the same token at once compute the same
successor, and the answer can be computed again when it was lost, though only hashes are stored. The mac shows that
llum has made a token, also when its hash is no longer stored: only what is genuine can show that a token was stolen.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from typing import Final, NamedTuple

_FORM: Final = re.compile(r"llumr_([0-9a-f]{16})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})\.([0-9a-f]{32})", re.ASCII)

_SECRET_BYTES: Final = 32
_MAC_BYTES: Final = 16


class RefreshToken(NamedTuple):
    """A refresh token in its parts."""

    family: str
    generation: int
    """0 for the first of a family."""
    secret: str
    mac: str

    @property
    def text(self) -> str:
        """What the client holds."""
        return f"llumr_{self.family}.{self.generation}.{self.secret}.{self.mac}"

    @property
    def hash(self) -> str:
        """Give what is stored of it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def __repr__(self) -> str:
        return f"RefreshToken({self.family}.{self.generation})"


def parse(text: str) -> RefreshToken | None:
    """Read a refresh token; None for what has not the form of one."""
    match = _FORM.fullmatch(text)
    return None if match is None else RefreshToken(match[1], int(match[2]), match[3], match[4])


def first(family: str, key: bytes) -> RefreshToken:
    """Make the first one of a family."""
    return _signed(family, 0, secrets.token_urlsafe(_SECRET_BYTES), key)


def successor(token: RefreshToken, key: bytes) -> RefreshToken:
    """Give the one that comes after it: always the same with the same key."""
    digest = hashlib.blake2b(token.text.encode(), digest_size=_SECRET_BYTES, key=key, person=b"llum successor")
    secret = urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return _signed(token.family, token.generation + 1, secret, key)


def is_genuine(token: RefreshToken, keys: Iterable[bytes]) -> bool:
    """Tell whether llum has made it, with one of these keys."""
    expected = (_mac(token.family, token.generation, token.secret, key) for key in keys)
    return any(hmac.compare_digest(token.mac, one) for one in expected)


def _signed(family: str, generation: int, secret: str, key: bytes) -> RefreshToken:
    return RefreshToken(family, generation, secret, _mac(family, generation, secret, key))


def _mac(family: str, generation: int, secret: str, key: bytes) -> str:
    said = f"{family}.{generation}.{secret}".encode()
    return hashlib.blake2b(said, digest_size=_MAC_BYTES, key=key, person=b"llum refresh mac").hexdigest()
