"""The register of forgotten people, and of parts of people: by it a backup that is older forgets them again when it is
restored.

It holds no name, but the HMAC of one under a secret of the installation. Whoever has that secret and a name can find
out whether the person of that name was forgotten; without a name nothing is found out. Every backup has the secret.
Which part it was, is encrypted with a key that only who has both can make.
"""

import base64
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
"""What keys of the bucket begin with that stand for a person, or a part of one."""

_WHICH_DIGITS: Final = 32


class Forgotten(msgspec.Struct, frozen=True, omit_defaults=True):
    """That somebody was forgotten, or a part of them."""

    who: str
    """The HMAC of the name, 64 hexadecimal digits."""
    at: float
    """Seconds since 1970, by the clock of who forgot."""
    is_finished: bool = True
    """False: the model is gone, and what there is beside it may not be."""
    which: str = ""
    """Stands for one command that forgot a part; empty: the whole person was forgotten."""
    part: str = ""
    """What it said, encrypted, as base64."""

    @property
    def key(self) -> str:
        """What is known by it: the person, or this part of them."""
        return f"{self.who}.{self.which}" if self.which else self.who


class PartCommand(msgspec.Struct, frozen=True):
    """What forgot a part of somebody."""

    user: str
    app: str
    body: bytes
    """The command, as it stood in the log."""
    id: str
    """That of the command."""


KnownForgotten = dict[str, Forgotten]
"""Who and what was forgotten, by `key`."""


class NameDigests:
    """Gives the digests of names, in one installation."""

    def __init__(self, secret_of_digests: bytes) -> None:
        self._key = hmac.digest(secret_of_digests, _PURPOSE, "sha256")
        self.installation = self.of("")[:16]
        """A word that tells whether two digests are of the same installation."""

    def of(self, user: str) -> str:
        """Give the digest of a name."""
        return hmac.digest(self._key, user.encode(), "sha256").hex()

    def closed(self, command: PartCommand, at: float) -> Forgotten:
        """Give what is recorded of a part that was forgotten."""
        from nacl.secret import SecretBox

        sealed = SecretBox(self._key_of(command.user)).encrypt(msgspec.json.encode(command))
        which = self.of(f"{command.user} {command.app} {command.id}")[:_WHICH_DIGITS]
        return Forgotten(self.of(command.user), at, which=which, part=base64.b64encode(sealed).decode())

    def opened(self, user: str, one: Forgotten) -> PartCommand:
        """Give the command that forgot a part of a user. Raises `ValueError` if it is of somebody else, or damaged."""
        from nacl.exceptions import CryptoError
        from nacl.secret import SecretBox

        try:
            content = SecretBox(self._key_of(user)).decrypt(base64.b64decode(one.part))
        except CryptoError as error:
            raise ValueError(str(error)) from error
        return msgspec.json.decode(content, type=PartCommand)

    def _key_of(self, user: str) -> bytes:
        return hmac.digest(self._key, f"parts of {user}".encode(), "sha256")


async def names_of(bus: Bus) -> NameDigests:
    """Give what makes the digests of names. Raises `Transient`."""
    return NameDigests(await secret(bus, DIGEST_KEY))


def merged(*several: Iterable[Forgotten]) -> KnownForgotten:
    """Put what is known together: of each person, and each part, the newest."""
    known: KnownForgotten = {}
    for one in (one for each in several for one in each):
        last = known.get(one.key)
        if last is None or (last.at, last.is_finished) < (one.at, one.is_finished):
            known[one.key] = one
    return known


class Register:
    """The register of one installation. Costs nothing to make. All methods raise `Transient`, `ApiError`."""

    def __init__(self, bus: Bus, now: Callable[[], float] = time.time) -> None:
        self._bus = bus
        self._bucket = Bucket(bus, FORGOTTEN_BUCKET)
        self._now = now

    async def record(self, user: str, *, is_finished: bool) -> None:
        """Record that a person was forgotten just now. What was known of parts of them goes."""
        one = Forgotten((await names_of(self._bus)).of(user), self._now(), is_finished)
        await self.add(one)
        await self._bucket.erase(f"{_PEOPLE}.{one.who}.*")

    async def record_part(self, command: PartCommand) -> None:
        """Record that a part of a person was forgotten, unless that is recorded."""
        one = (await names_of(self._bus)).closed(command, self._now())
        await self._bucket.create(f"{_PEOPLE}.{one.key}", msgspec.json.encode(one))

    async def add(self, one: Forgotten) -> None:
        """Record what was recorded elsewhere."""
        await self._bucket.put(f"{_PEOPLE}.{one.key}", msgspec.json.encode(one))

    async def known(self) -> KnownForgotten:
        """Give all that was forgotten."""
        found = await self._bucket.list(f"{_PEOPLE}.>", is_whole=True)
        return merged(msgspec.json.decode(entry.value, type=Forgotten) for entry in found)
