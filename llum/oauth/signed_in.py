"""A sign-in of a program: its token, which is always a fresh one, and its end.

    signed_in = await llum.sign_in("https://llum.example", "kitchen", scope="ask:Personal")
    async with signed_in.connect() as client:
        answer = await client.ask(signed_in.user, "Personal/firstname")

Several processes may share a sign-in that is kept. Each refresh gives a refresh token that takes the place of the one
before; so a process that finds that another one has refreshed takes what that has got.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bus.logger import get_logger
from bus.showing import ExpiringToken
from llum.failures import Fault
from llum.oauth.asking import fetcher, host_of, post_form
from llum.oauth.keeping import Kept, KeptSignIn
from llum.oauth.wishes import KeptTokens, Received, received
from schemas.errors import Code, LlumError, Refusal
from schemas.slices import Slice

if TYPE_CHECKING:
    from llum.client import Client

RENEWED_BEFORE_S: Final = 180.0
"""Seconds before its expiry that a token is refreshed, or a third of what it was good for, if that is less: earlier
than the bus wants the next one."""

TRIED_AGAIN_S: Final = 1.0
"""Seconds from one attempt to refresh in the background to the next; doubled each time, up to `LONGEST_PAUSE_S`."""

LONGEST_PAUSE_S: Final = 30.0

log = get_logger("llum.sign_in")


class SignedIn:
    """A program that a person has let in. Safe to share between tasks of one event loop."""

    def __init__(self, kept: KeptSignIn, tokens: KeptTokens, store: Kept | None) -> None:
        self._kept = kept
        self._tokens = tokens
        self._store = store
        self._lifetime_s = max(tokens.expires - time.time(), 1.0)
        self._refreshing = asyncio.Lock()
        self._over: LlumError | None = None

    def __repr__(self) -> str:
        return f"SignedIn({self.user!r} at {self.url})"

    @property
    def user(self) -> str:
        """Who has let the program in, as llum knows them."""
        return self._kept.user

    @property
    def url(self) -> str:
        """The address of the llum."""
        return self._kept.server.url

    @property
    def client_id(self) -> str:
        """The app that the program is in the person's model."""
        return self._kept.client_id

    @property
    def granted(self) -> list[Slice]:
        """What the person has granted, as the last answer with tokens said: it may be less than was asked for."""
        return list(self._kept.granted.slices)

    @property
    def scope(self) -> str:
        """The same in short."""
        return self._kept.granted.scope

    def bus_address(self, url: str | None = None) -> str:
        """Give where its bus is: at `url`, or else where llum says. Raises a `Fault` if it does not say that."""
        address = url or self._kept.server.bus
        if not address:
            hint = "Give its address, such as nats://llum.example:4222; or set public_bus where llum runs."
            raise Fault(f"{host_of(self.url)} does not say where its bus is", hint)
        return address

    async def token(self) -> str:
        """Give an access token that is good for a while. Raises `invalid_grant` once the sign-in has ended, `Fault`,
        `Transient`.
        """
        if self._due_in_s() <= 0:
            await self.refresh()
        return self._tokens.access_token

    def shown(self) -> ExpiringToken:
        """Give the token as it is now, for `Client.connect(token=signed_in.shown)`, while `staying_fresh` runs."""
        return ExpiringToken(self._tokens.access_token, self._tokens.expires)

    async def refresh(self) -> None:
        """Get new tokens, whether the old ones are still good or not, unless another process just has. Raises as
        `token`.
        """
        if self._over is not None:
            raise self._over
        before = self._tokens
        async with self._refreshing:
            if self._tokens is not before:
                return
            async with contextlib.AsyncExitStack() as locks:
                if self._store is not None:
                    await locks.enter_async_context(self._store.locked(self._kept.name))
                await self._refresh_alone()

    @contextlib.asynccontextmanager
    async def staying_fresh(self) -> AsyncIterator[None]:
        """Refresh the token in the background, before it expires, for as long as this goes on."""
        await self.token()
        task = asyncio.create_task(self._stay_fresh(), name="sign-in")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @contextlib.asynccontextmanager
    async def connect(self, url: str | None = None, **more: Any) -> AsyncIterator["Client"]:
        """Connect to the bus as `Client.connect` does, with a token that is replaced before it expires.

        `url` is the address of the bus, where llum does not say it itself. Raises as `token` and `Client.connect` do.
        """
        from llum.client import Client

        async with (
            self.staying_fresh(),
            Client.connect(self.bus_address(url), app=self.client_id, token=self.shown, **more) as client,
        ):
            yield client

    @contextlib.asynccontextmanager
    async def http(self) -> AsyncIterator[Any]:
        """Give an `aiohttp.ClientSession` for this llum: `await http.post("/ask", json=…)`. Each request carries a
        fresh token; one that is refused for its token is sent once more, with the next one.
        """
        from llum.oauth.http import session_of

        async with session_of(self.url, self.token, self.refresh) as session:
            yield session

    async def sign_out(self) -> None:
        """Revoke the sign-in at llum, and forget it here, also if llum cannot be reached: then it raises.

        Raises `Fault`, `Transient`.
        """
        self._over = _over(self)
        if self._store is not None:
            await asyncio.to_thread(self._store.drop, self._kept)
        await self.revoke()

    async def revoke(self) -> None:
        """End the sign-in at llum. What is kept of it stays. Raises `Fault`, `Transient`."""
        address = self._kept.server.revocation_endpoint
        if not address:
            return
        asking = fetcher()
        try:
            form = {"token": self._tokens.refresh_token, "client_id": self.client_id}
            await post_form(asking, address, form)
        finally:
            await asking.close()

    async def _refresh_alone(self) -> None:
        if await self._taken_from_others():
            return
        asking = fetcher()
        try:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": self._tokens.refresh_token,
                "client_id": self.client_id,
            }
            await self._take(received(await post_form(asking, self._kept.server.token_endpoint, form)))
        except Refusal as refusal:
            if refusal.code is not Code.INVALID_GRANT:
                raise
            await self._end(refusal)
        finally:
            await asking.close()

    async def _taken_from_others(self) -> bool:
        """Take the tokens that another process has got meanwhile, if there are any."""
        if self._store is None:
            return False
        kept = self._store.find(self._kept.name)
        tokens = None if kept is None else await asyncio.to_thread(self._store.tokens, kept)
        if kept is None or tokens is None:
            self._over = _over(self)
            raise self._over
        if tokens.refresh_token == self._tokens.refresh_token:
            return False
        self._kept, self._tokens = kept, tokens
        return self._due_in_s() > 0

    async def _take(self, received: Received) -> None:
        self._tokens = received.tokens
        self._lifetime_s = max(received.tokens.expires - time.time(), 1.0)
        self._kept = msgspec.structs.replace(self._kept, granted=received.granted, tokens=None)
        if self._store is not None:
            await asyncio.to_thread(self._store.keep, self._kept, self._tokens)

    async def _end(self, refusal: Refusal) -> None:
        """Forget a sign-in that llum takes no more."""
        if self._store is not None:
            await asyncio.to_thread(self._store.drop, self._kept)
        self._over = _over(self)
        raise self._over from refusal

    async def _stay_fresh(self) -> None:
        pause_s = TRIED_AGAIN_S
        while True:
            await asyncio.sleep(max(0.0, self._due_in_s()))
            try:
                await self.refresh()
                pause_s = TRIED_AGAIN_S
                continue
            except LlumError as error:
                if error is self._over:
                    log.warning("sign_in.ended", url=self.url, hint=error.hint)
                    return
                log.warning("sign_in.not_refreshed", url=self.url, error=str(error))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _due_in_s(self) -> float:
        """Tell in how many seconds the token is to be refreshed; 0 or less: now."""
        return self._tokens.expires - time.time() - min(RENEWED_BEFORE_S, self._lifetime_s / 3)


def _over(signed_in: SignedIn) -> Refusal:
    place = f"{signed_in.client_id} at {host_of(signed_in.url)}"
    message = f"the sign-in of {place} has ended: it was revoked, or not used for too long"
    return Refusal(Code.INVALID_GRANT, message, None, "sign in again")
