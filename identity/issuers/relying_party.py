"""One issuer's conversation from beginning to end, as its relying party (OpenID Connect Core, code flow with PKCE)."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from identity.issuers.configured import Issuer
from identity.issuers.failures import IssuerAway, IssuerRefuses, UnprovenError
from identity.issuers.fetching import Fetcher
from identity.issuers.id_tokens import Expected, Subject, check_id_token, key_name
from identity.issuers.metadata import Metadata, metadata_url, read_metadata
from identity.issuers.signing_keys import SigningKeys
from identity.issuers.token_requests import GivenTokens, read_tokens, token_request
from identity.issuers.transactions import Transaction

BELIEVED_S: Final = 3600.0
"""Seconds that an issuer's metadata are believed."""

ASKED_AGAIN_S: Final = 5.0
"""Seconds between two attempts to get the metadata of an issuer that is away: nobody waits for the second."""

PROFILE_CLAIMS: Final = frozenset({"given_name", "family_name", "name", "email"})
"""With none of these in the ID token, the profile is looked for at the userinfo endpoint."""

_CHOOSE: Final = {"prompt": "select_account"}
"""The most that can be asked of an issuer that does not say when a person has proven who they are."""


class Proven(NamedTuple):
    """Who has come back from an issuer. Issuer and subject together say who it is, and nothing else does."""

    issuer: Issuer
    sub: str
    claims: dict[str, Any]
    access_token: str

    @property
    def key(self) -> str:
        """Name this identity, whatever llum calls the issuer."""
        return identity_key(self.issuer.issuer, self.sub)

    @property
    def auth_time(self) -> float | None:
        """When the person has proven to the issuer who they are; None: it does not say."""
        return self.claims.get("auth_time")

    def __repr__(self) -> str:
        return f"Proven({self.issuer!r})"


class _UserInfo(msgspec.Struct):
    sub: Subject


class RelyingParty:
    """Speaks with one issuer."""

    def __init__(
        self,
        issuer: Issuer,
        fetcher: Fetcher,
        redirect_uri: str,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = issuer
        self._fetcher = fetcher
        self._redirect_uri = redirect_uri
        self._now = now
        self._monotonic = monotonic
        self._metadata: Metadata | None = None
        self._away: IssuerAway | None = None
        self._asked_at = float("-inf")
        self._turn = asyncio.Lock()
        self._keys = SigningKeys(self._fetch_keys, monotonic)

    async def address(self, state: str, transaction: Transaction) -> str:
        """Give where the person is sent. Raises `IssuerAway`."""
        metadata = await self._current_metadata()
        address: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            self.issuer.client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope=list(self.issuer.scopes),
            state=state,
            nonce=transaction.nonce,
            code_challenge=create_s256_code_challenge(transaction.verifier),
            code_challenge_method="S256",
            **self._wish(transaction),
        )
        return address

    def _wish(self, transaction: Transaction) -> dict[str, str]:
        """Ask for a person to prove anew who they are, where that is wanted."""
        if transaction.max_age_s is None:
            return {}
        return {"max_age": str(transaction.max_age_s), "prompt": "login"} if self.issuer.says_when else _CHOOSE

    async def returned(self, transaction: Transaction, answer: Mapping[str, str]) -> Proven:
        """Give who has come back with this answer. Raises `UnprovenError`, `IssuerRefuses`, `IssuerAway`."""
        metadata = await self._current_metadata()
        self._check_answer(metadata, answer)
        request = token_request(self.issuer, metadata, answer["code"], transaction.verifier, self._redirect_uri)
        tokens = read_tokens(await self._fetcher.post(metadata.token_endpoint, request.form, request.headers))
        claims = await self._claims(tokens, transaction)
        return Proven(self.issuer, claims["sub"], claims, tokens.access_token)

    async def with_profile(self, proven: Proven) -> Proven:
        """Add what the userinfo endpoint says, unless the ID token has said it. Raises as `returned` does."""
        metadata = await self._current_metadata()
        if PROFILE_CLAIMS & proven.claims.keys() or metadata.userinfo_endpoint is None:
            return proven
        answer = await self._fetcher.get(metadata.userinfo_endpoint, proven.access_token)
        if answer.status != 200 or answer.type != "application/json":
            raise IssuerAway(f"the profile was answered with {answer.status} and {answer.type[:80]}")
        try:
            claims = msgspec.json.decode(answer.body, type=dict[str, Any])
            who = msgspec.convert(claims, _UserInfo)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise IssuerAway(f"the profile is not OpenID Connect's: {str(error)[:200]}") from error
        if who.sub != proven.sub:
            raise UnprovenError("the profile is that of somebody else")
        return proven._replace(claims=claims | proven.claims)

    def _check_answer(self, metadata: Metadata, answer: Mapping[str, str]) -> None:
        """Refuse what another issuer has sent (RFC 9207), an error, and an answer without a code."""
        if "iss" not in answer and metadata.authorization_response_iss_parameter_supported:
            raise UnprovenError("the answer does not say which issuer it is from")
        if answer.get("iss", self.issuer.issuer) != self.issuer.issuer:
            raise UnprovenError("the answer is from another issuer")
        if "error" in answer:
            raise IssuerRefuses(answer["error"][:80])
        if not answer.get("code"):
            raise UnprovenError("the answer has no code")

    async def _claims(self, tokens: GivenTokens, transaction: Transaction) -> dict[str, Any]:
        keys = await self._keys.having(key_name(tokens.id_token))
        max_age_s = transaction.max_age_s if self.issuer.says_when else None
        expected = Expected(self.issuer.issuer, self.issuer.client_id, transaction.nonce, max_age_s)
        return check_id_token(tokens.id_token, tokens.access_token, keys, expected, self._now())

    async def _current_metadata(self) -> Metadata:
        """Give the metadata, fetched once for all who want them."""
        async with self._turn:
            age_s = self._monotonic() - self._asked_at
            if self._metadata is not None and age_s < BELIEVED_S:
                return self._metadata
            if self._away is not None and age_s < ASKED_AGAIN_S:
                raise IssuerAway(str(self._away))
            return await self._fetched_metadata()

    async def _fetched_metadata(self) -> Metadata:
        self._metadata = self._away = None
        try:
            self._metadata = read_metadata(await self._fetcher.get(metadata_url(self.issuer.issuer)), self.issuer)
        except IssuerAway as away:
            self._away = away
            raise
        finally:
            self._asked_at = self._monotonic()
        return self._metadata

    async def _fetch_keys(self) -> Any:
        return await self._fetcher.get((await self._current_metadata()).jwks_uri)


def identity_key(issuer: str, sub: str) -> str:
    """Name an identity by a hash: the same for one subject at one issuer, and for nobody else."""
    return hashlib.sha256(msgspec.json.encode([issuer, sub])).hexdigest()
