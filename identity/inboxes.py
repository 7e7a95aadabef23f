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
from functools import lru_cache
from typing import Final

from bus.connection import Bus
from bus.secret import INBOX_KEY, secret
from bus.subjects import APP_INBOXES

PROOF_BYTES: Final = 16
_SIGN_IN: Final = re.compile(r"[0-9a-f]{16}")
_SIGN_IN_BYTES: Final = 8


class Inboxes:
    """Names and checks the inboxes of apps; `key` is the installation's."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.proof = lru_cache(maxsize=10_000)(self._proof)

    def prefix(self, user: str, app: str, sign_in: str) -> str:
        """Name the inbox of a sign-in: what it may subscribe to begins with it and a dot."""
        return f"{APP_INBOXES}.{sign_in}.{self.proof(user, app, sign_in)}"

    def may_answer(self, reply_to: str, user: str, app: str) -> bool:
        """Tell whether what is said to this app about this person may go there: to its own inbox, or to one of
        llum's own.
        """
        if not reply_to.startswith(f"{APP_INBOXES}."):
            return True
        parts = reply_to.split(".")
        if len(parts) < 4 or not _SIGN_IN.fullmatch(parts[1]):
            return False
        return hmac.compare_digest(parts[2], self.proof(user, app, parts[1]))

    def _proof(self, user: str, app: str, sign_in: str) -> str:
        said = f"{user}.{app}.{sign_in}".encode()
        return hashlib.blake2b(said, digest_size=PROOF_BYTES, key=self._key).hexdigest()


async def inboxes_of(bus: Bus) -> Inboxes:
    """Give those of the installation. Raises `Transient`."""
    return Inboxes(await secret(bus, INBOX_KEY))


def new_sign_in() -> str:
    """Name a new sign-in."""
    return secrets.token_hex(_SIGN_IN_BYTES)
