"""What a program would like to have of a model, and what it was granted: which may be less."""

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from llum.failures import Fault
from schemas.slices import Slice


class Wish(msgspec.Struct, frozen=True):
    """What a program asks a person for: by scope, by slices, or both."""

    scope: str = ""
    slices: list[Slice] = []

    @property
    def form(self) -> dict[str, str]:
        """Give it as a request carries it (RFC 6749, RFC 9396)."""
        details = msgspec.json.encode(self.slices).decode() if self.slices else ""
        return {"scope": self.scope, "authorization_details": details}


class GrantedSlices(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the person has granted, as the answer with the tokens said."""

    scope: str = ""
    slices: list[Slice] = []


class KeptTokens(msgspec.Struct, frozen=True):
    """The tokens of a sign-in."""

    access_token: str
    refresh_token: str
    expires: float
    """When the access token expires, seconds since 1970."""

    def __repr__(self) -> str:
        return "KeptTokens()"


class _Answer(msgspec.Struct, frozen=True):
    access_token: str
    refresh_token: str
    expires_in: float
    token_type: str = "Bearer"  # noqa: S105 - the name of a type
    scope: str = ""
    authorization_details: list[Slice] = []


class Received(msgspec.Struct, frozen=True):
    """What a token endpoint has given."""

    tokens: KeptTokens
    granted: GrantedSlices


def received(members: dict[str, Any]) -> Received:
    """Read the answer of a token endpoint. Raises a `Fault` for what is none."""
    now = time.time()
    try:
        answer = msgspec.convert(members, _Answer)
    except msgspec.ValidationError as error:
        raise Fault(f"the answer with the tokens cannot be read: {error}", "This llum may be newer: update.") from error
    tokens = KeptTokens(answer.access_token, answer.refresh_token, now + answer.expires_in)
    return Received(tokens, GrantedSlices(answer.scope, answer.authorization_details))


def described(slices: Iterable[Slice]) -> list[str]:
    """Write each slice as people read it: `ask, tell: Personal`."""
    return [f"{', '.join(one.actions)}: {', '.join(_places(one))}" for one in slices]


def _places(one: Slice) -> list[str]:
    return [path or "the whole model" for path in one.paths] + list(one.components)
