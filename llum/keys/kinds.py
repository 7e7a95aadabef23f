"""Which keys can be replaced, and what that costs."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple, get_args

from bus.credentials import CredentialPart
from bus.key_rings import CHALLENGE_KEYS, HEARD_OF_WITHIN_S, INBOX_KEYS, NOTICE_KEYS, REFRESH_KEYS, SESSION_KEYS
from identity.accounts.challenges import LIFETIME_S
from identity.signing import ANNOUNCED_S

RingKind = Literal["inboxes", "sessions", "passkeys", "refresh", "notices"]
Which = CredentialPart | RingKind

KINDS: Final[Sequence[Which]] = (*get_args(CredentialPart), *get_args(RingKind))

ACCEPTED_S: Final = 24 * 3600.0
"""Seconds for which a page that was open when the key of sessions was replaced can still be sent."""

STOLEN_KNOWN_S: Final = 90 * 24 * 3600.0
"""Seconds for which an old refresh token still shows that it was stolen, after the key was replaced that it was made
with."""


class RingRule(NamedTuple):
    """How a ring gets a new key."""

    ring: str
    used_after_s: float
    """Seconds until a new key is used."""
    accepted_s: float | None
    """Seconds for which the one before is accepted after that; None: as long as there are tokens of its time."""


RINGS: Final[Mapping[RingKind, RingRule]] = {
    "inboxes": RingRule(INBOX_KEYS, HEARD_OF_WITHIN_S, None),
    "sessions": RingRule(SESSION_KEYS, HEARD_OF_WITHIN_S, ACCEPTED_S),
    "passkeys": RingRule(CHALLENGE_KEYS, HEARD_OF_WITHIN_S, float(LIFETIME_S)),
    "refresh": RingRule(REFRESH_KEYS, HEARD_OF_WITHIN_S, STOLEN_KNOWN_S),
    "notices": RingRule(NOTICE_KEYS, ANNOUNCED_S, 0.0),
}

_RESTART: Final = "the nats-server of this llum starts anew, and all connections come back within about a second"

WHAT: Final[Mapping[Which, str]] = {
    "passwords": "passwords of llum's own processes on the bus",
    "callout": "keys of the auth callout (issuer seed, xkey)",
    "inboxes": "key that proves the inboxes of apps",
    "sessions": "key that proves forms of signed-in people",
    "passkeys": "key that proves what passkeys are to sign",
    "refresh": "key that refresh tokens of apps are computed with",
    "notices": "secret behind the keys that sign notices",
}

COSTS: Final[Mapping[Which, str]] = {
    "passwords": _RESTART,
    "callout": _RESTART,
    "inboxes": "nothing: what older tokens prove stays accepted until they have expired",
    "sessions": "nobody is signed out; a page that has been open for more than a day must be loaded again",
    "passkeys": "nothing: no passkey changes",
    "refresh": "nothing: no app has to sign in again",
    "notices": "for 7 days notices carry two signatures; by then each receiver needs its new key, which "
    "`llum admin keys notice APP` prints",
}

COSTS_NOW: Final[Mapping[Which, str]] = {
    **COSTS,
    "inboxes": "apps on the bus get no answers any more until they have new tokens; over HTTP nothing changes",
    "sessions": "nobody is signed out; each page that is open now must be loaded again",
    "refresh": "no app has to sign in again; one whose answer is lost at this moment must, and older tokens that were "
    "stolen end nothing any more",
    "passkeys": "who is signing in with a passkey at this moment must do so again",
    "notices": "receivers refuse notices until each has its new key, which `llum admin keys notice APP` prints",
}
"""What it costs when nothing of the key before is accepted any more."""
