"""All issuers of an edge. Each is met when the first person wants to sign in there; one that is away is away alone."""

import asyncio
import importlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from bus.connection import Bus
from bus.logger import get_logger
from identity.issuers.configured import Issuer
from identity.issuers.failures import IssuerAway, IssuerRefuses, UnprovenError, UnprovenTimeError
from identity.issuers.transactions import Transaction, Transactions
from schemas.errors import Code, Refusal, Transient

if TYPE_CHECKING:
    from identity.issuers.fetching import Fetcher
    from identity.issuers.relying_party import Proven, RelyingParty

CALLBACK: Final = "/signed-in/"
"""Where issuers send people back to, with the issuer's id behind it."""

_AWAY_S: Final = 30.0
"""Seconds after which it is worth trying an issuer again that was away."""

log = get_logger("llum.edge")


class Returned(NamedTuple):
    """Who has come back, and what they wanted."""

    transaction: Transaction
    proven: "Proven"


class Issuers:
    """Sends people to issuers, and says who has come back. To be closed."""

    def __init__(
        self,
        bus: Bus,
        configured: Mapping[str, Issuer],
        public_url: str,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.configured = configured
        self._public_url = public_url.rstrip("/")
        self._now = now
        self._monotonic = monotonic
        self._transactions = Transactions(bus, now)
        self._fetcher: Fetcher | None = None
        self._parties: dict[str, RelyingParty] = {}

    def find(self, id_: str) -> Issuer:
        """Give an issuer. Raises `no_such_issuer`."""
        issuer = self.configured.get(id_)
        if issuer is None:
            hint = "the page /sign-in shows where you can sign in"
            raise Refusal(Code.NO_SUCH_ISSUER, f"nobody signs in at {id_[:64]!r} here", None, hint)
        return issuer

    async def begin(
        self,
        id_: str,
        browser: str,
        then: str,
        user: str | None = None,
        max_age_s: int | None = None,
        link: str = "",
    ) -> str:
        """Give where the browser with this secret is sent.

        `user`: whose account the identity is to be linked to. `max_age_s`: within how many seconds they must have
        proven to the issuer who they are. `link`: the token of a one-time link, for signing up.

        Raises `no_such_issuer`, `issuer_unavailable`, `Transient`.
        """
        with self._judging(self.find(id_)):
            party = await self._party(id_)
            state, transaction = await self._transactions.begin(id_, browser, then, user, max_age_s, link)
            return await party.address(state, transaction)

    async def end(self, id_: str, browser: str | None, answer: Mapping[str, str]) -> Returned:
        """Give who has come back with this answer.

        Raises `no_such_issuer`, `issuer_unavailable`, `issuer_refused`, `not_proven`, `Transient`.
        """
        with self._judging(self.find(id_)):
            transaction = await self._transactions.end(id_, browser, answer.get("state", ""))
            return Returned(transaction, await (await self._party(id_)).returned(transaction, answer))

    async def with_profile(self, proven: "Proven") -> "Proven":
        """Add what the issuer says of the person elsewhere than in its token. Raises as `end` does."""
        with self._judging(proven.issuer):
            return await (await self._party(proven.issuer.id)).with_profile(proven)

    async def close(self) -> None:
        if self._fetcher is not None:
            await self._fetcher.close()

    async def _party(self, id_: str) -> "RelyingParty":
        """Give the party for an issuer. The first takes a moment: certificates, and what checks signatures."""
        if id_ not in self._parties:
            await asyncio.to_thread(importlib.import_module, "identity.issuers.relying_party")
            from identity.issuers.fetching import Fetcher
            from identity.issuers.relying_party import RelyingParty

            if self._fetcher is None:
                self._fetcher = Fetcher()
            redirect_uri = self._public_url + CALLBACK + id_
            issuer = self.configured[id_]
            party = RelyingParty(issuer, self._fetcher, redirect_uri, self._now, self._monotonic)
            self._parties.setdefault(id_, party)
        return self._parties[id_]

    @contextmanager
    def _judging(self, issuer: Issuer) -> Iterator[None]:
        """Log why something went wrong, and tell the person what to do."""
        try:
            yield
        except IssuerAway as away:
            log.warning("issuer_away", issuer=issuer.id, why=str(away))
            hint = "try again in a while, or sign in another way"
            raise Transient(
                Code.ISSUER_UNAVAILABLE, f"{issuer.name} does not answer as it should", hint, _AWAY_S
            ) from None
        except IssuerRefuses as refused:
            log.warning("issuer_refused", issuer=issuer.id, why=str(refused))
            hint = "begin again, or sign in another way"
            raise Refusal(Code.ISSUER_REFUSED, f"{issuer.name} has not let you in", None, hint) from None
        except UnprovenTimeError as unproven:
            log.warning("sign_in_not_fresh", issuer=issuer.id, why=str(unproven))
            hint = "sign in there anew, or sign in another way"
            message = f"{issuer.name} does not say that you have just now shown it who you are"
            raise Refusal(Code.NOT_PROVEN, message, None, hint) from None
        except UnprovenError as unproven:
            log.warning("sign_in_not_proven", issuer=issuer.id, why=str(unproven))
            hint = "begin again, in one browser and within ten minutes"
            message = f"what came back from {issuer.name} does not say who you are"
            raise Refusal(Code.NOT_PROVEN, message, None, hint) from None
