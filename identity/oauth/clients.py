"""The clients of the installation, in their bucket; and what is read of them, kept while nobody changes it.

    <id>          the client, with the hash of its secret
    <id>.icon     its icon
    <id>.gone     it was deleted: people may still allow something to an app of this id

A secret is 256 random bits that llum makes. Nobody can guess such a secret, not even from its hash, so a plain SHA-256
says whether it is right. Argon2id would protect nothing more, and each call with a wrong secret would cost 19 MiB and a
moment of a processor (ADR 0061).
"""

import builtins
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

import msgspec

from bus.connection import Bus
from bus.kv import KeyValue
from bus.subjects import CLIENT_BUCKET
from bus.watched_bucket import WatchedBucket
from identity.oauth.built_in import BUILT_IN
from identity.oauth.client import ClientKind, ClientMaker, OAuthClient, checked, redirect_fits
from identity.oauth.icons import check_icon
from identity.oauth.issuing import Issuing
from identity.oauth.resembling import resembling
from identity.tokens import Tokens
from schemas.errors import Code, Refusal, Transient
from schemas.paths import is_token
from schemas.recent import Recent

__all__ = ["ClientChange", "ClientKind", "ClientMaker", "Clients", "OAuthClient", "no_such_client", "redirect_fits"]

CACHE_ENTRIES: Final = 1000
"""Clients remembered by one process, about 2 MB."""

CHANGE_ATTEMPTS: Final = 10
"""Attempts to change a client that others change at the same time."""

SECRET_BYTES: Final = 32

MAX_SECRET_CHARACTERS: Final = 256
"""Characters of what is looked at as a secret."""

_ICON: Final = ".icon"
_GONE: Final = ".gone"

ClientChange = Callable[[OAuthClient], OAuthClient]
"""Gives a client as it is to be. It may be called again with a newer one; it may raise a `Refusal`."""


class _Stored(msgspec.Struct, frozen=True):
    client: OAuthClient
    secret: str = ""
    """The hash of its secret; empty: it has none."""


class _KnownClient:
    """A client that was looked up, and for how long that may be believed."""

    __slots__ = ("epoch", "stored")

    def __init__(self, stored: _Stored, epoch: int | None) -> None:
        self.stored = stored
        self.epoch = epoch
        """That of the watch; None: it is not to be believed a second time."""


_decoder: Final = msgspec.json.Decoder(_Stored)


class Clients:
    """Finds, makes, changes and deletes clients. Run `run()` for what is looked up to be remembered.

    Unknown clients are not remembered: they could push out the known ones. All methods raise `Transient`, `ApiError`.
    """

    def __init__(
        self, bus: Bus, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._watched = WatchedBucket(bus, CLIENT_BUCKET, ("*", f"*{_ICON}"), monotonic)
        self._bucket = self._watched.bucket
        self._bus = bus
        self._now = now
        self._cache: Recent[str, _KnownClient] = Recent(CACHE_ENTRIES)

    async def run(self) -> None:
        """Watch until cancelled for clients that are changed elsewhere."""
        await self._watched.run(self._changed)

    async def find(self, client_id: str) -> OAuthClient | None:
        """Give a client; None: there is none of that id, be it that it cannot be an id."""
        stored = await self._stored(client_id)
        return None if stored is None else stored.client

    def at_hand(self, client_id: str) -> OAuthClient | None:
        """Give a client that is remembered and has not been changed anywhere. None: only `find` can tell."""
        known = self._known(client_id)
        return None if known is None else known.stored.client

    async def list(self) -> list[OAuthClient]:
        """List all clients, by their names, but for those that every installation has."""
        found = [_decoder.decode(entry.value).client for entry in await self._bucket.list("*")]
        return sorted(found, key=lambda one: (one.name.casefold(), one.id))

    async def resembling(self, client_id: str) -> "builtins.list[OAuthClient]":
        """Give the other clients whose names look like that of a client: people would take one for the other."""
        return resembling(await self.list()).get(client_id, [])

    async def add(self, client: OAuthClient, *, again: bool = False) -> OAuthClient:
        """Make a client, and give it as it is stored. Raises `already_exists`, and what `checked` raises.

        The id of one that was deleted is refused, unless it is to be used `again`: the new client gets with it what
        people have allowed to the old one and have not taken back.
        """
        client = checked(msgspec.structs.replace(client, made=client.made or self._now(), has_icon=False))
        if not again and await self._bucket.find_at_leader(client.id + _GONE) is not None:
            raise was_deleted(client.id)
        if await self._bucket.claim(client.id, msgspec.json.encode(_Stored(client))) is None:
            hint = "choose another id, or change the one that is there"
            raise Refusal(Code.ALREADY_EXISTS, f"there is a client {client.id}", "client_id", hint)
        return client

    async def save(self, client: OAuthClient) -> OAuthClient:
        """Make a client, or put it in place of the one of its id, which keeps secret and icon; give it as it is stored.

        Raises what `checked` raises.
        """
        if await self.find(client.id) is None:
            return await self.add(client)
        return await self.change(client.id, lambda before: _keeping(client, before))

    async def change(self, client_id: str, change: ClientChange) -> OAuthClient:
        """Change a client, and give it as it is then. Raises `no_such_client`, and what `change` and `checked` raise.

        What others change meanwhile is kept: `change` is called again, with the client as they have left it. A client
        that becomes public loses its secret.
        """
        return (await self._change(client_id, lambda before: _without_needless(before, change(before.client)))).client

    async def new_secret(self, client_id: str) -> str:
        """Give a client a new secret in place of the one it has, which is worthless from then on.

        Raises `no_such_client`, and `bad_field` for a public client.
        """
        secret = secrets.token_urlsafe(SECRET_BYTES)

        def with_secret(before: _Stored) -> _Stored:
            if before.client.is_public:
                hint = "make it confidential first, if it runs where nobody else can read it"
                raise Refusal(Code.BAD_FIELD, "a public client has no secret", "kind", hint)
            return _Stored(before.client, _hash(secret))

        await self._change(client_id, with_secret)
        return secret

    async def check_secret(self, client_id: str, secret: str) -> bool:
        """Tell whether a secret is the client's. A public client, and one that was given none, has no right one."""
        stored = await self._stored(client_id)
        known = stored.secret if stored is not None else ""
        is_same = hmac.compare_digest(_hash(secret[:MAX_SECRET_CHARACTERS]), known or _hash(""))
        return is_same and bool(known)

    async def set_icon(self, client_id: str, data: bytes | None) -> OAuthClient:
        """Set a client's icon, or take it away with None. Raises `no_such_client`, `bad_field`, `too_large`."""
        await self._entry(client_id)
        if data is None:
            await self._bucket.delete(client_id + _ICON)
        else:
            check_icon(data)
            await self._bucket.put(client_id + _ICON, data)
        has_icon = data is not None
        return await self.change(client_id, lambda before: msgspec.structs.replace(before, has_icon=has_icon))

    async def icon(self, client_id: str) -> bytes | None:
        """Give a client's icon; None: it has none."""
        return await self._bucket.get(client_id + _ICON) if is_token(client_id) else None

    async def delete(self, client_id: str, *, unused: bool = False) -> bool:
        """Delete a client with all its tokens, and tell whether it was there. Its id is no new one's then.

        `unused`: nobody can have allowed it anything, so that nothing needs to be kept of it.
        It can be given no more tokens from the first moment. A call that has failed is repeated: it ends what is left.
        """
        entry = await self._bucket.find_at_leader(client_id) if is_token(client_id) else None
        if is_token(client_id):
            self._cache.discard(client_id)
            if entry is not None and not unused:
                await self._bucket.put(client_id + _GONE, b"gone")
            await self._bucket.delete(client_id)
            await self._bucket.delete(client_id + _ICON)
            await self._end_tokens(client_id)
        return entry is not None

    async def _end_tokens(self, client_id: str) -> None:
        """End what opens anything first, then what is refreshed, then what was refreshed meanwhile."""
        tokens = Tokens(self._bus)
        await tokens.revoke_of_app(client_id)
        await Issuing(self._bus, tokens).end_families_of_client(client_id)
        await tokens.revoke_of_app(client_id)

    async def _change(self, client_id: str, change: Callable[[_Stored], _Stored]) -> _Stored:
        for _ in range(CHANGE_ATTEMPTS):
            entry = await self._entry(client_id)
            before = _decoder.decode(entry.value)
            after = change(before)
            after = msgspec.structs.replace(after, client=checked(after.client))
            if after == before or await self._bucket.replace(entry, msgspec.json.encode(after)):
                self._cache.discard(client_id)
                return after
        raise Transient(Code.UNAVAILABLE, "others change the client all the time")

    async def _entry(self, client_id: str) -> KeyValue:
        entry = await self._bucket.find_at_leader(client_id) if is_token(client_id) else None
        if entry is None:
            raise no_such_client(client_id)
        return entry

    async def _stored(self, client_id: str) -> _Stored | None:
        known = self._known(client_id)
        if known is not None:
            return known.stored
        if not is_token(client_id):
            return None
        epoch = self._watched.epoch
        entry = await self._watched.find(client_id)
        if entry is None:
            self._cache.discard(client_id)
            built_in = BUILT_IN.get(client_id)
            return None if built_in is None else _Stored(built_in)
        stored = _decoder.decode(entry.value)
        self._cache[client_id] = _KnownClient(stored, epoch)
        return stored

    def _known(self, client_id: str) -> _KnownClient | None:
        known = self._cache.get(client_id)
        return None if known is None or known.epoch is None or known.epoch != self._watched.epoch else known

    def _changed(self, key: str) -> None:
        self._cache.discard(key.removesuffix(_ICON))


def no_such_client(client_id: str) -> Refusal:
    """Make the refusal of an id that is nobody's."""
    hint = "whoever runs this llum registers it: llum admin client add CLIENT"
    return Refusal(Code.NO_SUCH_CLIENT, f"there is no client {client_id[:80]!r}", "client_id", hint)


def was_deleted(client_id: str) -> Refusal:
    """Make the refusal of an id that a client had."""
    message = f"there was a client {client_id}. A new one would get what people allow to that: choose another id"
    hint = f"if it is the same program: llum admin client add {client_id} --again"
    return Refusal(Code.ALREADY_EXISTS, message, "client_id", hint)


def _keeping(client: OAuthClient, before: OAuthClient) -> OAuthClient:
    """Keep what is not for whoever saves a client to say."""
    return msgspec.structs.replace(client, has_icon=before.has_icon, made=before.made, made_by=before.made_by)


def _without_needless(before: _Stored, client: OAuthClient) -> _Stored:
    return _Stored(client, "" if client.is_public else before.secret)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
