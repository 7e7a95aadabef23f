"""The inboxes of apps on the bus, and whom llum may answer there.

nats-server does not look at where a reply is to go. So the name of an app's inbox proves whose it is:
`_INBOX_APP.<sign-in>.<proof>`, where the proof is a keyed hash of person, app and sign-in. Whoever has the key tells
from the subject alone whether an inbox belongs to who speaks. The sign-in stays the same when a token is refreshed,
and so does the inbox.
"""

import hashlib
import hmac
import re
import secrets
import time
from functools import lru_cache
from typing import Final

from bus.connection import Bus
from bus.key_rings import INBOX_KEYS, KeyRings, WatchedRing
from bus.subjects import APP_INBOXES
from schemas.recent import CHEAP_RESULTS

PROOF_BYTES: Final = 16
_SIGN_IN: Final = re.compile(r"[0-9a-f]{16}")
_SIGN_IN_BYTES: Final = 8


class Inboxes:
    """Names and checks the inboxes of apps. `key` is the one that is used; the others are accepted, too."""

    def __init__(self, key: bytes, *others: bytes) -> None:
        self._keys = (key, *others)
        self._proof_by = lru_cache(maxsize=CHEAP_RESULTS)(_proof)

    def take(self, key: bytes, *others: bytes) -> None:
        """Go on with these keys."""
        self._keys = (key, *others)

    def proof(self, user: str, app: str, sign_in: str) -> str:
        """Prove that a sign-in is of this app of this person."""
        return self._proof_by(self._keys[0], user, app, sign_in)

    def prefixes(self, user: str, app: str, sign_in: str) -> list[str]:
        """Name the inboxes of a sign-in: what it may subscribe to begins with one of them and a dot.

        There is one, and for a while another one, after a key was replaced.
        """
        return [f"{APP_INBOXES}.{sign_in}.{self._proof_by(key, user, app, sign_in)}" for key in self._keys]

    def may_answer(self, reply_to: str, user: str, app: str) -> bool:
        """Tell whether what is said to this app about this person may go there: to its own inbox, or to one of
        llum's own.
        """
        if not reply_to.startswith(f"{APP_INBOXES}."):
            return True
        parts = reply_to.split(".")
        if len(parts) < 4 or not _SIGN_IN.fullmatch(parts[1]):
            return False
        return any(hmac.compare_digest(parts[2], self._proof_by(key, user, app, parts[1])) for key in self._keys)


class WatchedInboxes:
    """Those of the installation, whose keys are always the newest ones, from `open` to `close`."""

    def __init__(self, bus: Bus) -> None:
        self._ring = WatchedRing(bus, INBOX_KEYS)
        self._ring.on_change.append(self._take)
        self._inboxes: Inboxes | None = None

    @property
    def known(self) -> Inboxes | None:
        """Give them if they are open. They are never kept: the key that is used is another one later."""
        if self._inboxes is not None:
            self._take()
        return self._inboxes

    async def open(self) -> Inboxes:
        """Give them. Raises `Transient`."""
        await self._ring.open()
        if self._inboxes is None:
            self._inboxes = Inboxes(*self._ring.accepted)
        return self._inboxes

    def close(self) -> None:
        """Let the keys be."""
        self._ring.close()

    def _take(self) -> None:
        if self._inboxes is not None:
            self._inboxes.take(*self._ring.accepted)


async def inboxes_of(bus: Bus) -> Inboxes:
    """Give those of the installation as they are now. Raises `Transient`."""
    ring = await KeyRings(bus).read(INBOX_KEYS)
    return Inboxes(*(key.bytes for key in ring.accepted(time.time())))


def new_sign_in() -> str:
    """Name a new sign-in."""
    return secrets.token_hex(_SIGN_IN_BYTES)


def _proof(key: bytes, user: str, app: str, sign_in: str) -> str:
    said = f"{user}.{app}.{sign_in}".encode()
    return hashlib.blake2b(said, digest_size=PROOF_BYTES, key=key).hexdigest()
