"""Requests over HTTP with the token of a sign-in."""

from collections.abc import Awaitable, Callable

import aiohttp

from identity.issuers.fetching import CONNECT_WITHIN_S
from llum.oauth.asking import ANSWER_WITHIN_S


def session_of(
    url: str, token: Callable[[], Awaitable[str]], refresh: Callable[[], Awaitable[None]]
) -> aiohttp.ClientSession:
    """Make a session for the llum at an address. The token goes to no other place, wherever a request leads."""
    return aiohttp.ClientSession(
        url + "/",
        timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S, connect=CONNECT_WITHIN_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(lambda request, handler: _with_token(url, token, refresh, request, handler),),
    )


async def _with_token(
    url: str,
    token: Callable[[], Awaitable[str]],
    refresh: Callable[[], Awaitable[None]],
    request: aiohttp.ClientRequest,
    handler: aiohttp.ClientHandlerType,
) -> aiohttp.ClientResponse:
    if not f"{request.url}/".startswith(f"{url}/"):
        return await handler(request)
    request.headers["Authorization"] = f"Bearer {await token()}"
    answer = await handler(request)
    if answer.status != 401:
        return answer
    # It was revoked, or ended early: then there is no next one, and `refresh` says so.
    answer.release()
    await refresh()
    request.headers["Authorization"] = f"Bearer {await token()}"
    return await handler(request)
