"""One-time links: whoever has one may sign up, claim a model, or come back to an account. Only a hash is stored.

link.<hash>.<purpose>.<user>      with `_` for the user of a link that is for anybody
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, cast

import msgspec

from bus.connection import Bus
from bus.kv import Bucket, KeyValue
from bus.subjects import ACCOUNT_BUCKET
from schemas.paths import check_token

Purpose = Literal["first", "invite", "claim", "recover"]
"""`first`: sign up and become administrator. `invite`: sign up. `claim`: sign up for the model that is there.
`recover`: come back to an account."""

LIFETIMES_S: Final[dict[Purpose, float]] = {
    "first": 7 * 86_400.0,
    "invite": 7 * 86_400.0,
    "claim": 7 * 86_400.0,
    "recover": 3_600.0,
}
"""Seconds for which a link is good: a week to read one's mail, an hour for who stands by."""

ANYBODY: Final = "_"

FOUNDED: Final = "founded"
"""The key that is there once there has been an account."""

_TOKEN_BYTES: Final = 24
_MAX_TOKEN_CHARACTERS: Final = 64


class _Stored(msgspec.Struct, frozen=True):
    made: float
    by: str
    """The administrator who made it, or `""`: the operator."""


class Link(NamedTuple):
    """A link that is good, and has not been used."""

    purpose: Purpose
    user: str | None
    """Whose account or model it is for; None: whoever has it chooses a name."""
    by: str
    made: float
    entry: KeyValue

    @property
    def expires(self) -> float:
        """When it ends, seconds since 1970."""
        return self.made + LIFETIMES_S[self.purpose]


class Links:
    """Makes, finds and takes one-time links. Costs nothing to make. All methods raise `Transient`, `ApiError`."""

    def __init__(self, bus: Bus, now: Callable[[], float] = time.time) -> None:
        self._bucket = Bucket(bus, ACCOUNT_BUCKET)
        self._now = now

    async def is_founded(self) -> bool:
        """Tell whether there has ever been an account. Before that only the holder of the first link signs up."""
        return await self._bucket.get(FOUNDED) is not None

    async def make(self, purpose: Purpose, user: str | None = None, by: str = "") -> str:
        """Make a link, and give its token. An earlier one of the same purpose for the same user ends; so does an
        earlier `first`.
        """
        whom = ANYBODY if user is None else check_token(user, "user")
        if user is not None or purpose == "first":
            for entry in await self._bucket.list(f"link.*.{purpose}.{whom}"):
                await self._bucket.delete(entry.key)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        stored = _Stored(self._now(), by)
        key = f"link.{_hash(token)}.{purpose}.{whom}"
        await self._bucket.put(key, msgspec.json.encode(stored), LIFETIMES_S[purpose])
        return token

    async def find(self, token: str) -> Link | None:
        """Tell what a token is good for; None: it is none, has been used, or has ended."""
        if not 0 < len(token) <= _MAX_TOKEN_CHARACTERS:
            return None
        entry = await self._bucket.find(f"link.{_hash(token)}.*.*")
        if entry is None:
            return None
        _, _, purpose, user = entry.key.split(".")
        stored = msgspec.json.decode(entry.value, type=_Stored)
        link = Link(cast(Purpose, purpose), None if user == ANYBODY else user, stored.by, stored.made, entry)
        return link if link.expires > self._now() else None

    async def take(self, link: Link) -> bool:
        """Use a link up; tell whether it was still there: of many who take it, one does."""
        return await self._bucket.take(link.entry)

    async def put_back(self, link: Link) -> None:
        """Let a link be good again that was taken for nothing."""
        left_s = link.expires - self._now()
        if left_s > 0:
            await self._bucket.put(link.entry.key, link.entry.value, left_s)

    async def drop(self, purpose: Purpose) -> None:
        """End all links of a purpose."""
        for entry in await self._bucket.list(f"link.*.{purpose}.*"):
            await self._bucket.delete(entry.key)


def sign_up_address(public_url: str, token: str) -> str:
    """Write the address at which whoever has this link signs up."""
    return f"{public_url.rstrip('/')}/sign-up?link={token}"


def come_back_address(public_url: str, token: str) -> str:
    """Write the address at which whoever has this link comes back to their account."""
    return f"{public_url.rstrip('/')}/sign-in/by-link?link={token}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
