"""A question to a person: may this app have these slices? Kept from its asking until it has been answered.

It is found by a secret that stands in the address of its page, and is encrypted with it: nobody reads in the bucket who
has been asked what. It remembers what the page has shown last, so that nobody agrees to something else.
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from bus.connection import Bus
from identity.oauth.authorization import CodeRequest
from identity.sealed import FoundSealed, SealedEntries, new_secret
from schemas.slices import Slice

LIFETIME_S: Final = 3600.0
"""Seconds that a person has for signing in or up, reading, and deciding."""

AGAIN_WITHIN_S: Final = 10.0
"""Seconds after an answer in which the same form leads to the same place once more: who clicks twice gets there."""

MAX_SECRET_CHARACTERS: Final = 64
"""Characters of a secret that is looked at: ours are 43."""


class ShownConsent(msgspec.Struct, frozen=True, kw_only=True):
    """What the page has shown last, and to whom."""

    user: str
    session: str
    """Names the session, as lists of sessions do."""
    now: float
    """What "from now on" means (seconds since 1970)."""
    seq: int
    """Of the model that was looked at."""
    time: float
    """Of what was shown, seconds since 1970."""
    granted: list[Slice]
    """Under which grant."""


class AnsweredQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Where an answer has led."""

    user: str
    session: str
    location: str
    time: float
    """Seconds since 1970."""


class ConsentQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks a person for."""

    code_request: CodeRequest
    slices: list[Slice]
    owner: bool
    """To become an owner's app."""
    decision: str
    """The id of the command that will say what the person has decided: it counts once."""
    made: float
    shown: ShownConsent | None = None
    answered: AnsweredQuestion | None = None

    def __repr__(self) -> str:
        return f"ConsentQuestion({self.code_request.client_id!r})"


class FoundQuestion(NamedTuple):
    """A question, and where it is kept."""

    secret: str
    question: ConsentQuestion
    sealed: FoundSealed

    def __repr__(self) -> str:
        return f"FoundQuestion({self.question!r})"


class Questions:
    """Keeps questions. All methods raise `Transient`."""

    def __init__(self, bus: Bus, now: Callable[[], float] = time.time) -> None:
        self._entries = SealedEntries(bus, "consent")
        self._now = now

    async def ask(self, code_request: CodeRequest, slices: list[Slice], *, owner: bool) -> str:
        """Keep a question, and give its secret."""
        secret = new_secret()
        question = ConsentQuestion(
            code_request=code_request, slices=slices, owner=owner, decision=new_secret(), made=self._now()
        )
        await self._entries.put(secret, _encode(question), LIFETIME_S)
        return secret

    async def find(self, secret: str) -> FoundQuestion | None:
        """Give a question; None: there is none (any more)."""
        if not 0 < len(secret) <= MAX_SECRET_CHARACTERS:
            return None
        sealed = await self._entries.find(secret)
        if sealed is None:
            return None
        question = _decode(sealed.content)
        is_over = self._now() - question.made >= LIFETIME_S
        return None if is_over else FoundQuestion(secret, question, sealed)

    async def note_shown(self, found: FoundQuestion, shown: ShownConsent) -> bool:
        """Remember what the page shows; tell whether nobody else was faster."""
        return await self._change(found, msgspec.structs.replace(found.question, shown=shown))

    async def note_answered(self, found: FoundQuestion, answered: AnsweredQuestion) -> bool:
        """Remember where the answer leads; tell whether nobody else was faster."""
        return await self._change(found, msgspec.structs.replace(found.question, answered=answered))

    async def _change(self, found: FoundQuestion, question: ConsentQuestion) -> bool:
        lifetime_s = max(1.0, question.made + LIFETIME_S - self._now())
        return await self._entries.replace(found.secret, found.sealed, _encode(question), lifetime_s)


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(ConsentQuestion).decode
