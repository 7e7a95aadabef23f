"""What a refresh token that is presented means for its family: decided from what is stored, and from nothing else."""

import enum
import hmac
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from identity.oauth.refresh_tokens import RefreshToken, is_genuine, successor

REPEATED_WITHIN_S: Final = 30.0
"""Seconds in which a refresh can be repeated because its answer was lost. Later the same token counts as stolen."""


class Family(msgspec.Struct, frozen=True, omit_defaults=True):
    """The tokens that come from one sign-in of an app. Times are seconds since 1970."""

    registration: int
    """The registration of the app that the person's model had then."""
    made: float
    used: float
    """When it was refreshed last, or made."""
    expires: float
    """Until when it can be refreshed."""
    current: str
    """The hash of the one refresh token that is live."""
    generation: int = 0
    """Of that token."""
    previous: str = ""
    """The hash of the one before."""
    audience: str = ""
    """For whom its access tokens are meant; "": llum itself."""
    how: str = "code"
    """How the app has signed in: code, device, password."""

    def __repr__(self) -> str:
        return f"Family({self.generation})"


class Meaning(enum.Enum):
    """What a token that is presented means."""

    NEXT = "it is the live one: its successor takes its place"
    AGAIN = "its successor is the live one, since a moment ago: the answer was lost, or others ask at the same time"
    STOLEN = "it was used long ago, or more than once before: somebody has a copy"
    UNKNOWN = "it is none of this family, or too old to be told"


class Judgement(NamedTuple):
    """A meaning, and the token to answer with, if there is one."""

    meaning: Meaning
    successor: RefreshToken | None = None


def judge(family: Family, presented: RefreshToken, keys: Sequence[bytes], now: float) -> Judgement:
    """Tell what a token means. `keys`: those that are accepted, the used one first."""
    shown = presented.hash
    if hmac.compare_digest(shown, family.current):
        return Judgement(Meaning.NEXT, successor(presented, keys[0]))
    if hmac.compare_digest(shown, family.previous):
        return _judge_previous(family, presented, keys, now)
    if presented.generation < family.generation and is_genuine(presented, keys):
        return Judgement(Meaning.STOLEN)
    return Judgement(Meaning.UNKNOWN)


def follow(family: Family, judged: Judgement, now: float, lifetime_s: float) -> Family:
    """Give the family after its live token was used."""
    assert judged.successor is not None, "the live token has a successor"
    return msgspec.structs.replace(
        family,
        used=now,
        expires=now + lifetime_s,
        current=judged.successor.hash,
        generation=judged.successor.generation,
        previous=family.current,
    )


def _judge_previous(family: Family, presented: RefreshToken, keys: Sequence[bytes], now: float) -> Judgement:
    """The successor was made with one of the keys, and it is known by its hash with which one."""
    if now - family.used > REPEATED_WITHIN_S:
        return Judgement(Meaning.STOLEN)
    made = (successor(presented, key) for key in keys)
    live = next((one for one in made if hmac.compare_digest(one.hash, family.current)), None)
    return Judgement(Meaning.UNKNOWN) if live is None else Judgement(Meaning.AGAIN, live)
