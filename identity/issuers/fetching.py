"""Asking an issuer over HTTP: within bounds of time and size, and never anywhere else than where it was asked.

No redirect is followed: what OpenID Connect lets an issuer answer by machine is where its metadata says.
"""

import ssl
from collections.abc import Mapping
from typing import Final, NamedTuple

import aiohttp

from identity.issuers.failures import IssuerAway

ANSWER_WITHIN_S: Final = 10.0
"""Seconds for one answer, connecting included: a person waits for it."""

CONNECT_WITHIN_S: Final = 5.0
"""Seconds for a connection to an issuer."""

MAX_ANSWER_BYTES: Final = 256 * 1024
"""Bytes of one answer: the largest known metadata have 10 KiB, sets of keys 20 KiB."""

MAX_CONNECTIONS: Final = 32
"""Connections of one edge to all issuers."""

MAX_CONNECTIONS_PER_ISSUER: Final = 8
"""Connections to one host: a slow issuer does not keep people from the others."""


class Answer(NamedTuple):
    """What an issuer has answered."""

    status: int
    type: str
    """Its media type, without parameters."""
    body: bytes


class Fetcher:
    """Asks issuers, from its making (within an event loop) to `close`."""

    def __init__(self, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._answer_within_s = answer_within_s
        connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS, limit_per_host=MAX_CONNECTIONS_PER_ISSUER, ssl=ssl.create_default_context()
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=answer_within_s, connect=CONNECT_WITHIN_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "llum", "Accept": "application/json", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._session.close()

    async def get(self, url: str, bearer: str | None = None) -> Answer:
        """Get a document. Raises `IssuerAway`."""
        return await self._ask("GET", url, {"Authorization": f"Bearer {bearer}"} if bearer else {}, None)

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Post a form. Raises `IssuerAway`."""
        return await self._ask("POST", url, headers, form)

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> Answer:
        try:
            async with self._session.request(method, url, headers=headers, data=form, allow_redirects=False) as answer:
                body = await _body_of(answer)
                return Answer(answer.status, answer.content_type, body)
        except TimeoutError as error:
            raise IssuerAway(f"no answer within {self._answer_within_s:g} s") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise IssuerAway(f"{type(error).__name__}") from error


async def _body_of(answer: aiohttp.ClientResponse) -> bytes:
    """Read the body up to its bound."""
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            answer.close()
            raise IssuerAway(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)
