"""OAuth 2, as any client of llum speaks it: a code with PKCE (S256), refresh tokens that rotate, revocation."""

import json
import secrets
import warnings
from collections.abc import Mapping
from typing import Any, Final

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge

with warnings.catch_warnings():
    # Authlib would rather have the next httpx.
    warnings.simplefilter("ignore")
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import AsyncOAuth2Client

from log_llum.config import Config

METADATA: Final = "/.well-known/oauth-authorization-server"

ENDPOINTS: Final = ("authorization", "token", "revocation")

TIMEOUT_S: Final = 15.0
"""Seconds that an answer of llum may take."""

PENDING: Final = 1000
"""People who are at llum at one moment; the oldest go."""


class NotSignedInError(Exception):
    """The way to llum and back came to no good: `denied` if the person did not want it."""

    def __init__(self, why: str, *, denied: bool = False) -> None:
        super().__init__(why)
        self.denied = denied


class LlumAwayError(Exception):
    """llum cannot be reached, or cannot answer now."""


class SigningIn:
    """Sends people to llum, and takes them back."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._metadata: dict[str, Any] = {}
        self._pending: dict[str, str] = {}
        """By `state`: the verifier that its code is good with."""

    def client(self, token: Mapping[str, Any] | None = None) -> AsyncOAuth2Client:
        """Open a client for one person."""
        config = self._config
        method = "client_secret_basic" if config.client_secret else "none"
        return AsyncOAuth2Client(
            client_id=config.client_id,
            client_secret=config.client_secret or None,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            redirect_uri=config.redirect_uri,
            token=None if token is None else dict(token),
            timeout=TIMEOUT_S,
        )

    async def metadata(self) -> dict[str, Any]:
        """Give what llum says of itself (RFC 8414). Raises `LlumAwayError`."""
        if not self._metadata:
            try:
                async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                    answer = await client.get(self._config.llum + METADATA)
                    answer.raise_for_status()
                    found = answer.json()
            except (httpx.HTTPError, ValueError) as error:
                raise LlumAwayError(str(error)) from error
            if _by_number(found.get("issuer", "")) != _by_number(self._config.llum):
                raise LlumAwayError(f"{self._config.llum} says that it is {found.get('issuer')}")
            if any(f"{name}_endpoint" not in found for name in ENDPOINTS):
                raise LlumAwayError(f"{self._config.llum} lets nobody in by OAuth 2")
            self._metadata = found
        return self._metadata

    async def begin(self, slices: list[dict[str, Any]]) -> tuple[str, str]:
        """Give the address to send a browser to, and the `state` that it brings back. Raises `LlumAwayError`."""
        endpoint = (await self.metadata())["authorization_endpoint"]
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        self._pending[state] = verifier
        while len(self._pending) > PENDING:
            del self._pending[next(iter(self._pending))]
        async with self.client() as client:
            url, _ = client.create_authorization_url(
                endpoint,
                state=state,
                code_challenge=create_s256_code_challenge(verifier),
                code_challenge_method="S256",
                authorization_details=json.dumps(slices, separators=(",", ":")),
            )
        return url, state

    async def finish(self, query: Mapping[str, str], state: str) -> dict[str, Any]:
        """Give the tokens for what the browser has brought; `state` is what it was sent with.

        Raises `NotSignedInError`, `LlumAwayError`.
        """
        verifier = self._pending.pop(state, "") if state and query.get("state") == state else ""
        if not verifier:
            raise NotSignedInError("this is not the browser that was sent to llum, or it was too long ago")
        if query.get("iss") != (await self.metadata())["issuer"]:
            raise NotSignedInError("the answer is not from the llum that was asked")
        if "error" in query:
            raise NotSignedInError(query["error"], denied=query["error"] == "access_denied")
        async with self.client() as client:
            token = await self._post(
                client.fetch_token(self._metadata["token_endpoint"], code=query.get("code"), code_verifier=verifier)
            )
        return dict(token)

    async def refresh(self, client: AsyncOAuth2Client) -> None:
        """Give a client new tokens in place of its old ones. Raises `NotSignedInError`, `LlumAwayError`."""
        endpoint = (await self.metadata())["token_endpoint"]
        await self._post(client.refresh_token(endpoint, refresh_token=client.token.get("refresh_token")))

    async def revoke(self, client: AsyncOAuth2Client) -> None:
        """Tell llum that the tokens are needed no more. Raises `NotSignedInError`, `LlumAwayError`."""
        endpoint = (await self.metadata())["revocation_endpoint"]
        await self._post(client.revoke_token(endpoint, client.token.get("refresh_token")))

    @staticmethod
    async def _post(sent: Any) -> Any:
        try:
            return await sent
        except OAuthError as error:
            raise NotSignedInError(error.error) from error
        except httpx.HTTPError as error:
            raise LlumAwayError(str(error)) from error


def _by_number(url: str) -> str:
    """Write an address of this machine in one way: llum may say `localhost` of what is asked for by number."""
    return url.rstrip("/").replace("://localhost", "://127.0.0.1", 1)
