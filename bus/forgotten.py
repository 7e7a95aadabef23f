"""The register of forgotten people: by it a backup that is older forgets them again when it is restored.

It holds no name, but the HMAC of one under a secret of the installation. Whoever has that secret and a name can find
out whether the person of that name was forgotten; without a name nothing is found out. Every backup has the secret.
"""

import hmac
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from bus.connection import Bus
from bus.kv import Bucket
from bus.secret import DIGEST_KEY, secret
from bus.subjects import FORGOTTEN_BUCKET

_PURPOSE: Final = b"llum: names of forgotten people"
_PEOPLE: Final = "who"
"""What keys of the bucket begin with that stand for a person."""


class Forgotten(msgspec.Struct, frozen=True):
    """That somebody was forgotten."""

    who: str
    """The HMAC of the name, 64 hexadecimal digits."""
    at: float
    """Seconds since 1970, by the clock of who forgot."""
    is_finished: bool = True
    """False: the model is gone, and what there is beside it may not be."""


KnownForgotten = dict[str, Forgotten]
"""Who was forgotten, by `who`."""


class NameDigests:
    """Gives the digests of names, in one installation."""

    def __init__(self, secret_of_digests: bytes) -> None:
        self._key = hmac.digest(secret_of_digests, _PURPOSE, "sha256")
        self.installation = self.of("")[:16]
        """A word that tells whether two digests are of the same installation."""

    def of(self, user: str) -> str:
        """Give the digest of a name."""
        return hmac.digest(self._key, user.encode(), "sha256").hex()


async def names_of(bus: Bus) -> NameDigests:
    """Give what makes the digests of names. Raises `Transient`."""
    return NameDigests(await secret(bus, DIGEST_KEY))


def merged(*several: Iterable[Forgotten]) -> KnownForgotten:
    """Put what is known together: of each person the newest."""
    known: KnownForgotten = {}
    for one in (one for each in several for one in each):
        last = known.get(one.who)
        if last is None or (last.at, last.is_finished) < (one.at, one.is_finished):
            known[one.who] = one
    return known


class Register:
    """The register of one installation. Costs nothing to make. All methods raise `Transient`, `ApiError`."""

    def __init__(self, bus: Bus, now: Callable[[], float] = time.time) -> None:
        self._bus = bus
        self._bucket = Bucket(bus, FORGOTTEN_BUCKET)
        self._now = now

    async def record(self, user: str, *, is_finished: bool) -> None:
        """Record that a person was forgotten just now."""
        await self.add(Forgotten((await names_of(self._bus)).of(user), self._now(), is_finished))

    async def add(self, one: Forgotten) -> None:
        """Record what was recorded elsewhere."""
        value = msgspec.json.encode({"at": one.at, "is_finished": one.is_finished})
        await self._bucket.put(f"{_PEOPLE}.{one.who}", value)

    async def known(self) -> KnownForgotten:
        """Give all who were forgotten."""
        found = await self._bucket.list(f"{_PEOPLE}.*")
        return merged(_forgotten(entry.key.removeprefix(f"{_PEOPLE}."), entry.value) for entry in found)


def _forgotten(who: str, value: bytes) -> Forgotten:
    said = msgspec.json.decode(value)
    return Forgotten(who, said["at"], said["is_finished"])
