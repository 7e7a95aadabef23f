"""Families of tokens: what comes from one sign-in of an app, and ends together.

The bucket's keys are `<family>.<user>.<client>`. The id of a family is that of the sign-in which its access tokens
name, so their inbox on the bus stays the same when they are refreshed.

Two things that happen at once never leave a token that nobody ends: an access token is stored *before* the family is
written, and whoever ends a family deletes it *before* looking for its access tokens. So either the one finds the
tokens of the other, or the other finds the family gone and takes its token back.
"""

import re
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Protocol

import msgspec

from bus.kv import Bucket, KeyValue
from bus.logger import get_logger
from identity.inboxes import new_sign_in
from identity.oauth.judging import Family, Judgement, Meaning, follow, judge
from identity.oauth.refresh_tokens import RefreshToken, first, is_genuine, parse
from identity.tokens import Tokens
from schemas.errors import Code, Refusal, Transient
from schemas.paths import check_token

ATTEMPTS: Final = 8
"""Attempts to refresh: each is lost only to somebody who has just refreshed with the same token, so two do."""

GRACE_S: Final = 60
"""Seconds that nats-server keeps a family after its expiry, so that clocks may differ."""

_CLIENT: Final = re.compile(r"[a-z0-9_-]{1,64}")

SIGN_IN_AGAIN: Final = "let the person sign in again"

_decoder: Final = msgspec.json.Decoder(Family)

log = get_logger("llum.identity")


SIGNED_IN: Final = "app_signed_in"
SIGNED_OUT: Final = "app_signed_out"
COPIED: Final = "app_signed_out_as_copied"
"""Events in the record of who asked about a person. The last one: a refresh token was used by two."""

Note = Callable[[str, str, str], Awaitable[None]]
"""Writes an event into a person's record: of whom, about which app, what."""


class Keys(Protocol):
    """The ring that successors are made with: `bus.key_rings.WatchedRing`."""

    @property
    def is_open(self) -> bool: ...

    async def open(self) -> None: ...

    @property
    def accepted(self) -> tuple[bytes, ...]: ...


class Lifetimes(NamedTuple):
    """For how long tokens are good, in seconds."""

    access_s: float = 3600.0
    refresh_s: float = 90 * 24 * 3600.0
    """Since the last use."""


class Issued(NamedTuple):
    """What a client gets, and whose it is."""

    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds for which the access token is good."""
    user: str
    client_id: str
    audience: str
    family: str

    def __repr__(self) -> str:
        return f"Issued({self.family!r})"


AdmitRefresh = Callable[[str, str, Family], Awaitable[None]]
"""Called as `admit(user, family id, family)` before a family is refreshed: it raises what is to be raised."""


class ListedFamily(NamedTuple):
    """A sign-in of an app, as its person sees it in a list. Times are seconds since 1970."""

    id: str
    """It opens nothing."""
    app: str
    registration: int
    made: float
    used: float
    """When it was refreshed last, or made."""
    expires: float
    how: str
    audience: str
    key: str
    """Under which it is stored."""


class Families:
    """Begins, refreshes, lists and ends them."""

    def __init__(
        self,
        bucket: Bucket,
        tokens: Tokens,
        keys: Keys,
        lifetimes: Lifetimes | None = None,
        now: Callable[[], float] = time.time,
        note: Note | None = None,
    ) -> None:
        self._bucket = bucket
        self._tokens = tokens
        self._keys = keys
        self._lifetimes = lifetimes or Lifetimes()
        self._now = now
        self._note = note

    async def begin(
        self,
        user: str,
        client_id: str,
        registration: int,
        audience: str,
        how: str,
        *,
        legacy: bool = False,
    ) -> Issued:
        """Begin a family for a registration of an app, and give its first tokens. Raises `Transient`."""
        key = f"{new_sign_in()}.{user}.{client_id}"
        now, lifetime_s = self._now(), self._lifetimes.refresh_s
        live = first(key.partition(".")[0], (await self._accepted())[0])
        family = Family(registration, now, now, now + lifetime_s, live.hash, audience=audience, how=how)
        access = await self._access(key, family, legacy=legacy)
        value = msgspec.json.encode(family)
        await self._bucket.put(key, value, lifetime_s + GRACE_S)
        entry = KeyValue(key, value, 0)
        await self._tell(key, SIGNED_IN)
        return self._issued(_Place(entry, family, Judgement(Meaning.NEXT, live)), access)

    async def refresh(
        self, token: str, client_id: str, admit: AdmitRefresh | None = None, *, legacy: bool = False
    ) -> Issued:
        """Give new tokens for a refresh token of a client. `admit` may refuse a family whose token it is.

        Raises `invalid_grant`; then its family has ended if somebody else must have a copy of it. Raises `Transient`,
        and what `admit` raises.
        """
        presented = parse(token)
        entry = await self._find(presented, client_id)
        if presented is None or entry is None:
            raise _unknown()
        place = await self._judged(entry, presented)
        if admit is not None:
            await admit(place.user, presented.family, place.family)
        access = await self._access(place.entry.key, place.family, legacy=legacy)
        try:
            return await self._advance(place, presented, access)
        except BaseException:
            await self._tokens.take_back(access, place.user, client_id)
            raise

    async def of(self, user: str) -> list[ListedFamily]:
        """List those of a person that have not expired, the oldest first. Raises `Transient`, `ApiError`."""
        return await self._list(f"*.{check_token(user, 'user')}.*")

    async def end(self, family: ListedFamily) -> None:
        """End a family: its refresh token at once, its access tokens as `Tokens.revoke` does. Raises `Transient`."""
        await self._end(family.key)

    async def end_named(self, family_id: str, user: str, client_id: str) -> None:
        """End a family by its names, if it is there. Raises `Transient`, `ApiError`."""
        await self._end(f"{family_id}.{user}.{client_id}")

    async def end_token(self, token: str, client_id: str) -> bool:
        """End the family of a refresh token of a client that llum has made; tell whether there is one.

        Raises `Transient`, `ApiError`.
        """
        presented = parse(token)
        found = await self._find(presented, client_id)
        if presented is None or found is None:
            return False
        family = _decoder.decode(found.value)
        is_ours = presented.hash in (family.current, family.previous) or is_genuine(presented, await self._accepted())
        if is_ours:
            await self._end(found.key)
        return is_ours

    async def end_of(self, user: str, client_id: str, before: int | None = None) -> int:
        """End those of an app of a person, of registrations before a sequence, and give their number.

        Raises `Transient`, `ApiError`.
        """
        ended = [one for one in await self.of(user) if one.app == client_id]
        ended = [one for one in ended if before is None or one.registration < before]
        for one in ended:
            # What ends with its registration is told by what ended that, and the person may be gone by now.
            await self._end(one.key, None if before is not None else SIGNED_OUT)
        return len(ended)

    async def end_of_client(self, client_id: str) -> int:
        """End those of a client, of everybody, and give their number. Raises `Transient`, `ApiError`."""
        if not _CLIENT.fullmatch(client_id):
            return 0
        ended = await self._list(f"*.*.{client_id}")
        for one in ended:
            await self._end(one.key)
        return len(ended)

    async def erase_user(self, user: str) -> int:
        """Erase all of a person, and give their number. Raises `Transient`, `ApiError`."""
        return await self._bucket.erase(f"*.{check_token(user, 'user')}.*")

    async def count(self, user: str) -> int:
        """Count what is stored of a person. Raises `Transient`, `ApiError`."""
        return await self._bucket.count(f"*.{user}.*")

    async def _advance(self, place: "_Place", presented: RefreshToken, access: str) -> Issued:
        """Put the successor in place, or find that somebody else has just done so. Raises as `refresh`."""
        for _ in range(ATTEMPTS):
            if place.judged.meaning is Meaning.NEXT and await self._replace(place):
                return self._issued(place, access)
            # Read after the access token was stored: if the family is there now, whoever ends it finds the token.
            place = await self._at_leader(place.entry.key, presented)
            if place.judged.meaning is Meaning.AGAIN:
                return self._issued(place, access)
        raise Transient(Code.UNAVAILABLE, "too many refresh this sign-in at once")

    async def _replace(self, place: "_Place") -> bool:
        lifetime_s = self._lifetimes.refresh_s
        after = follow(place.family, place.judged, self._now(), lifetime_s)
        return await self._bucket.replace(place.entry, msgspec.json.encode(after), lifetime_s + GRACE_S)

    async def _judged(self, entry: KeyValue, presented: RefreshToken) -> "_Place":
        """Judge by what was read; what is not the live token by what the bucket's leader has. Raises as `refresh`."""
        place = await self._judge(entry, presented)
        return place if place.judged.meaning is Meaning.NEXT else await self._at_leader(entry.key, presented)

    async def _at_leader(self, key: str, presented: RefreshToken) -> "_Place":
        """Give a family as it is now, and its token that is to be answered with. Raises as `refresh`."""
        entry = await self._bucket.find_at_leader(key)
        if entry is None:
            raise _unknown()
        place = await self._judge(entry, presented)
        if place.judged.meaning is Meaning.STOLEN:
            await self._end(key, COPIED)
            log.warning("refresh_token_reused", user=place.user, app=place.app)
            raise Refusal(
                Code.INVALID_GRANT, "the refresh token was used before: its sign-in has ended", None, SIGN_IN_AGAIN
            )
        if place.judged.successor is None:
            raise _unknown()
        return place

    async def _judge(self, entry: KeyValue, presented: RefreshToken) -> "_Place":
        family, now = _decoder.decode(entry.value), self._now()
        if family.expires <= now:
            raise _unknown()
        return _Place(entry, family, judge(family, presented, await self._accepted(), now))

    async def _find(self, token: RefreshToken | None, client_id: str) -> KeyValue | None:
        if token is None or not _CLIENT.fullmatch(client_id):
            return None
        keys = f"{token.family}.*.{client_id}"
        return await self._bucket.find(keys) or await self._bucket.find_at_leader(keys)

    async def _accepted(self) -> tuple[bytes, ...]:
        if not self._keys.is_open:
            await self._keys.open()
        return self._keys.accepted

    async def _access(self, key: str, family: Family, *, legacy: bool) -> str:
        sign_in, user, app = key.split(".")
        return await self._tokens.issue(
            user,
            app,
            family.registration,
            self._lifetimes.access_s,
            sign_in=sign_in,
            audience=family.audience,
            oauth=not legacy,
        )

    async def _end(self, key: str, event: str | None = SIGNED_OUT) -> None:
        was_there = event is not None and self._note is not None and await self._bucket.find(key) is not None
        await self._bucket.delete(key)
        sign_in, user, app = key.split(".")
        await self._tokens.end_sign_in(user, app, sign_in)
        if was_there and event is not None:
            await self._tell(key, event)

    async def _tell(self, key: str, event: str) -> None:
        """Write it into the person's record."""
        if self._note is not None:
            _, user, app = key.split(".")
            await self._note(user, app, event)

    async def _list(self, keys: str) -> list[ListedFamily]:
        now = self._now()
        found = [_listed(entry) for entry in await self._bucket.list(keys, is_whole=True)]
        return sorted((one for one in found if one.expires > now), key=lambda one: one.made)

    def _issued(self, place: "_Place", access: str) -> Issued:
        assert place.judged.successor is not None, "what has none was refused"
        return Issued(
            access_token=access,
            refresh_token=place.judged.successor.text,
            expires_in=int(self._lifetimes.access_s),
            family=place.judged.successor.family,
            user=place.user,
            client_id=place.app,
            audience=place.family.audience,
        )


class _Place(NamedTuple):
    """A family as it was read, and what the token that is presented means for it."""

    entry: KeyValue
    family: Family
    judged: Judgement

    @property
    def user(self) -> str:
        return self.entry.key.split(".")[1]

    @property
    def app(self) -> str:
        return self.entry.key.split(".")[2]


def _listed(entry: KeyValue) -> ListedFamily:
    family_id, _, app = entry.key.split(".")
    family = _decoder.decode(entry.value)
    return ListedFamily(
        id=family_id,
        app=app,
        registration=family.registration,
        made=family.made,
        used=family.used,
        expires=family.expires,
        how=family.how,
        audience=family.audience,
        key=entry.key,
    )


def _unknown() -> Refusal:
    message = "the refresh token is unknown, has expired, was revoked, or belongs to another client"
    return Refusal(Code.INVALID_GRANT, message, None, SIGN_IN_AGAIN)
