"""Sign-ins of programs without a browser (RFC 8628): a program shows a short code, and its person types it elsewhere.

What is asked for is one entry, which is changed by writes of which one of many succeeds: so all edges see how often a
program polls, and a code is redeemed once. The entry is found by the short code, mixed with a key of the installation:
whoever has a copy of the bucket cannot try all short codes. The program's own code leads to it by a second entry.
"""

import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final, Literal, NamedTuple

import msgspec

from bus.connection import Bus
from identity.oauth.families import SIGN_IN_AGAIN, Families, Issued, Keys
from identity.sealed import FoundSealed, SealedEntries
from schemas.errors import Code, Refusal, Transient
from schemas.slices import Slice

LIFETIME_S: Final = 600.0
"""Seconds that a person has for typing the code, and deciding."""

REMEMBERED_S: Final = 600.0
"""Seconds after that in which a program is told that its code has expired, and not that there is none."""

INTERVAL_S: Final = 5.0
"""Seconds that a program waits from one poll to the next, to begin with."""

SLOWER_BY_S: Final = 5.0
"""Seconds that are added each time it did not wait (RFC 8628, 3.5)."""

JITTER_S: Final = 1.0
"""Seconds by which a poll may come too early: networks do not keep time."""

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters of short codes: no vowels, so no words; no digits, which look like letters."""

USER_CODE_LETTERS: Final = 8
"""20 to the power of 8: 25 billion codes, of which a guesser may try a few."""

ATTEMPTS: Final = 8
"""Attempts to change an entry that others change at the same time."""

MAX_CODE_CHARACTERS: Final = 128
"""Characters of a program's code that is looked for: ours have 49."""

_FORM: Final = frozenset(ALPHABET)


class DeviceRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a program without a browser asks a person for. Times are seconds since 1970."""

    client_id: str
    user_code: str
    slices: list[Slice]
    owner: bool = False
    """To become an owner's app."""
    audience: str = ""
    """For whom the tokens are meant; "": llum itself."""
    place: str
    """From where it asks, in words."""
    source: str
    """The address that it asks from."""
    made: float
    interval_s: float = INTERVAL_S
    polled: float = 0.0
    decision: Literal["", "allowed", "refused", "used"] = ""
    user: str = ""
    """Who has decided."""
    registration: int = 0
    """That of the app in the person's model, once it is allowed."""

    def __repr__(self) -> str:
        return f"DeviceRequest({self.client_id!r})"

    @property
    def expires(self) -> float:
        return self.made + LIFETIME_S


AdmitDevice = Callable[[DeviceRequest], Awaitable[None]]
"""Called with what a person has agreed to, before tokens are given for it."""


class BegunDevice(NamedTuple):
    """What a program is told that has asked."""

    device_code: str
    user_code: str
    """As people read it: `BCDF-GHJK`."""
    expires_in: int
    interval: int

    def __repr__(self) -> str:
        return "BegunDevice()"


class FoundDevice(NamedTuple):
    """A request that was found, and where it is."""

    handle: str
    """Names it for `allow` and `refuse`, as long as it is there. Nobody sees it but llum."""
    asked: DeviceRequest
    sealed: FoundSealed

    def __repr__(self) -> str:
        return f"FoundDevice({self.asked!r})"


class Devices:
    """Begins such sign-ins, has people decide on them, and gives tokens. All methods raise `Transient`."""

    def __init__(self, bus: Bus, keys: Keys, families: Families, now: Callable[[], float] = time.time) -> None:
        self._requests = SealedEntries(bus, "device")
        self._handles = SealedEntries(bus, "device_code")
        self._keys = keys
        self._families = families
        self._now = now

    async def begin(
        self, client_id: str, slices: list[Slice], *, owner: bool, audience: str, place: str, source: str
    ) -> BegunDevice:
        """Keep what a program asks for, and give its two codes. `audience`: what `audience_of` gives."""
        device_code = f"llumd_{secrets.token_urlsafe(32)}"
        user_code = await self._unused_code()
        (handle, *_) = await self._handles_of(user_code)
        asked = DeviceRequest(
            client_id=client_id,
            user_code=user_code,
            slices=slices,
            owner=owner,
            audience=audience,
            place=place,
            source=source,
            made=self._now(),
        )
        kept_s = LIFETIME_S + REMEMBERED_S
        await self._requests.put(handle, _encode(asked), kept_s)
        await self._handles.put(device_code, handle.encode(), kept_s)
        return BegunDevice(device_code, shown_code(user_code), int(LIFETIME_S), int(INTERVAL_S))

    async def find(self, user_code: str) -> FoundDevice | None:
        """Give the request of a short code, as a person has typed it; None: nobody waits for an answer to such a one.

        Whoever asks counts guesses.
        """
        code = typed_code(user_code)
        for handle in await self._handles_of(code) if code else ():
            found = await self._find(handle)
            if found is not None and not found.asked.decision and found.asked.expires > self._now():
                return found
        return None

    async def waiting(self, handle: str) -> DeviceRequest:
        """Give a request that still waits for an answer. Raises `expired_token` if it does not."""
        found = await self._find(handle)
        if found is None or found.asked.decision or found.asked.expires <= self._now():
            raise _over()
        return found.asked

    async def allow(self, handle: str, user: str, registration: int) -> None:
        """Let a program in, by a registration of its app in the person's model. The same again changes nothing.

        Raises `expired_token` if it waits no longer, or somebody has answered otherwise.
        """
        await self._decide(handle, "allowed", user, registration)

    async def refuse(self, handle: str, user: str) -> None:
        """Let a program not in. Raises as `allow`."""
        await self._decide(handle, "refused", user, 0)

    async def poll(self, device_code: str, client_id: str, admit: AdmitDevice | None = None) -> Issued:
        """Give tokens to a program whose person has let it in: once, whoever else polls at the same time.

        `admit` is called before that, and may raise. Raises `Transient` `authorization_pending` or `slow_down`, which
        say after how many seconds to poll again, and `Refusal` `expired_token`, `access_denied`, `invalid_grant`.
        """
        for _ in range(ATTEMPTS):
            found = await self._of_device(device_code, client_id)
            if found.asked.decision == "used":
                raise _unknown()
            if found.asked.expires <= self._now():
                raise _over()
            if found.asked.decision == "refused":
                raise Refusal(Code.ACCESS_DENIED, "the person has not let this program in")
            if found.asked.decision == "allowed":
                if admit is not None:
                    await admit(found.asked)
                return await self._redeem(found)
            if await self._note_poll(found):
                raise Transient(
                    Code.AUTHORIZATION_PENDING, "the person has not decided yet", None, found.asked.interval_s
                )
        raise Transient(Code.SLOW_DOWN, "too many poll with this code at once", None, INTERVAL_S + SLOWER_BY_S)

    async def _note_poll(self, found: FoundDevice) -> bool:
        """Note when a program has polled; tell whether nobody else changed anything. Raises `slow_down`."""
        asked, now = found.asked, self._now()
        if now - asked.polled >= asked.interval_s - JITTER_S:
            return await self._replace(found, msgspec.structs.replace(asked, polled=now))
        slower_s = asked.interval_s + SLOWER_BY_S
        if not await self._replace(found, msgspec.structs.replace(asked, polled=now, interval_s=slower_s)):
            return False
        message = f"it has polled too soon: from now on it waits {slower_s:.0f} s"
        raise Transient(Code.SLOW_DOWN, message, None, slower_s)

    async def _redeem(self, found: FoundDevice) -> Issued:
        asked = found.asked
        families = self._families
        issued = await families.begin(asked.user, asked.client_id, asked.registration, asked.audience, "device")
        try:
            won = await self._replace(found, msgspec.structs.replace(asked, decision="used"))
        except BaseException:
            await families.end_named(issued.family, asked.user, asked.client_id)
            raise
        if won:
            return issued
        await families.end_named(issued.family, asked.user, asked.client_id)
        raise _unknown()

    async def _decide(self, handle: str, decision: Literal["allowed", "refused"], user: str, registration: int) -> None:
        for _ in range(ATTEMPTS):
            found = await self._find(handle)
            if found is None or found.asked.expires <= self._now():
                raise _over()
            asked = found.asked
            after = msgspec.structs.replace(asked, decision=decision, user=user, registration=registration)
            if asked == after or (asked.decision, asked.user, decision) == ("used", user, "allowed"):
                return
            if asked.decision:
                raise _over()
            if await self._replace(found, after):
                return
        raise Transient(Code.UNAVAILABLE, "the program polls so often that no answer can be noted")

    async def _of_device(self, device_code: str, client_id: str) -> FoundDevice:
        looks_right = device_code.startswith("llumd_") and len(device_code) <= MAX_CODE_CHARACTERS
        handle = await self._handles.find(device_code) if looks_right else None
        found = None if handle is None else await self._find(handle.content.decode())
        if found is None or not hmac.compare_digest(found.asked.client_id.encode(), client_id.encode()):
            raise _unknown()
        return found

    async def _find(self, handle: str) -> FoundDevice | None:
        sealed = await self._requests.find(handle)
        return None if sealed is None else FoundDevice(handle, _decode(sealed.content), sealed)

    async def _replace(self, found: FoundDevice, asked: DeviceRequest) -> bool:
        kept_s = max(1.0, asked.expires + REMEMBERED_S - self._now())
        return await self._requests.replace(found.handle, found.sealed, _encode(asked), kept_s)

    async def _unused_code(self) -> str:
        while True:
            code = "".join(secrets.choice(ALPHABET) for _ in range(USER_CODE_LETTERS))
            (handle, *_) = await self._handles_of(code)
            if await self._find(handle) is None:
                return code

    async def _handles_of(self, user_code: str) -> list[str]:
        """Give the names that a request of this code may have: by the key that is used now, then by earlier ones."""
        if not self._keys.is_open:
            await self._keys.open()
        return [hmac.digest(key, b"device " + user_code.encode(), "sha256").hex() for key in self._keys.accepted]


def typed_code(text: str) -> str:
    """Give the short code that a person has typed, in whatever way; empty: it cannot be one."""
    code = "".join(filter(str.isalnum, text[:64])).upper()
    return code if len(code) == USER_CODE_LETTERS and _FORM.issuperset(code) else ""


def shown_code(user_code: str) -> str:
    """Write a short code as people read it."""
    return f"{user_code[:4]}-{user_code[4:]}"


def _unknown() -> Refusal:
    message = "the device code is unknown, was used, or belongs to another client"
    return Refusal(Code.INVALID_GRANT, message, "device_code", SIGN_IN_AGAIN)


def _over() -> Refusal:
    return Refusal(Code.EXPIRED_TOKEN, "the code has expired, or was answered", None, "let the program ask anew")


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(DeviceRequest).decode
