"""Calls to one person's model over HTTP, with the tokens that log-llum has for them."""

import asyncio
import secrets
from typing import Any, Final

import httpx

from log_llum.signing_in import LlumAwayError, NotSignedInError, SigningIn

ATTEMPTS: Final = 3
"""Times that a call is sent if llum is busy or out of reach. It counts once: each has the same Idempotency-Key."""

PAUSE_S: Final = 0.3


class NotAllowedError(Exception):
    """The person has not granted this: `missing` is the slice that would be needed, if any would do."""

    def __init__(self, missing: dict[str, Any] | None) -> None:
        super().__init__("not granted")
        self.missing = missing


class RefusedError(Exception):
    """llum has refused a call: `code` is one of its stable codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Access:
    """A way into one person's model."""

    def __init__(self, signing_in: SigningIn, llum: str, token: dict[str, Any]) -> None:
        self._signing_in = signing_in
        self._llum = llum
        self._client = signing_in.client(token)
        self._refreshing = asyncio.Lock()

    async def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """Call an operation of the Personis protocol, and give the answer.

        Raises `NotAllowedError`, `RefusedError`, `NotSignedInError` if llum lets log-llum in no more, `LlumAwayError`.
        """
        headers = {"Idempotency-Key": secrets.token_urlsafe(18), "Llum-Settle": "1"}
        answer = await self._sent("POST", f"/{operation}", headers, {"version": "11.2", **members})
        said = answer.json()
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise NotAllowedError(said.get("error", {}).get("missing"))
        if said.get("result") != "ok":
            error = said.get("error", {})
            raise RefusedError(error.get("code", ""), error.get("message", ""))
        return dict(said)

    async def who(self) -> str:
        """Give the name of the person at llum."""
        return str((await self._sent("GET", "/me", {}, None)).json()["user"])

    async def sign_out(self) -> None:
        """Let llum forget the tokens."""
        try:
            await self._signing_in.revoke(self._client)
        except (NotSignedInError, LlumAwayError):
            pass  # they end by themselves
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    async def _sent(self, method: str, path: str, headers: dict[str, str], body: Any) -> httpx.Response:
        """Send a request, with new tokens if those at hand are good no more."""
        before = self._client.token["access_token"]
        answer = await self._tried(method, path, headers, body)
        if answer.status_code != httpx.codes.UNAUTHORIZED:
            return answer
        await self._refresh(before)
        answer = await self._tried(method, path, headers, body)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise NotSignedInError("llum lets log-llum in no more")
        return answer

    async def _refresh(self, before: str) -> None:
        async with self._refreshing:
            if self._client.token["access_token"] == before:
                await self._signing_in.refresh(self._client)

    async def _tried(self, method: str, path: str, headers: dict[str, str], body: Any) -> httpx.Response:
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(PAUSE_S * attempt)
            try:
                # The token is named here: Authlib would refresh it by itself, beside what is done above.
                bearer = {"Authorization": f"Bearer {self._client.token['access_token']}"}
                answer: httpx.Response = await self._client.request(
                    method, self._llum + path, headers=headers | bearer, json=body, withhold_token=True
                )
            except httpx.TransportError:
                continue
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                return answer
        raise LlumAwayError("llum cannot answer now")
