"""Signing in with a browser on this machine: a code comes back to it, and only this program can redeem it (PKCE)."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from llum.failures import Fault
from llum.oauth.asking import host_of, post_form, refusal_of
from llum.oauth.prompts import ShowPrompt, SignInPrompt, open_browser
from llum.oauth.servers import Server
from llum.oauth.wishes import Received, Wish, received
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from identity.issuers.fetching import Fetcher

REDIRECT_URI: Final = "http://127.0.0.1/callback"
"""What a client registers to sign in so. The port is not compared."""

DECIDED_WITHIN_S: Final = 900.0
"""Seconds that a person has for signing in or up, and deciding."""

OpenBrowser = Callable[[str], Awaitable[None]]


async def sign_in_by_browser(
    asking: "Fetcher",
    server: Server,
    client_id: str,
    wish: Wish,
    show: ShowPrompt,
    redirect_uri: str = REDIRECT_URI,
    open_page: OpenBrowser = open_browser,
) -> Received:
    """Have the person decide in a browser of this machine. Raises `access_denied`, other `Refusal`s, `Fault`."""
    from llum.oauth.loopback import open_loopback

    if not server.authorization_endpoint:
        raise Fault(f"{host_of(server.url)} lets no program in by a browser", "Sign in by a short code: --device.")
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    async with open_loopback(redirect_uri, state) as loopback:
        address = _address(server, client_id, wish, loopback.uri, state, verifier)
        show(SignInPrompt(address))
        await open_page(address)
        try:
            async with asyncio.timeout(DECIDED_WITHIN_S):
                brought = await loopback.came()
        except TimeoutError as error:
            raise Refusal(Code.EXPIRED_TOKEN, "nobody has decided in time", None, "sign in again") from error
        # The page there is answered before the address closes.
    if brought.get("iss", server.issuer) != server.issuer:
        raise Fault(f"another server than {server.issuer} has answered", "Somebody may try to take the sign-in over.")
    if "code" not in brought:
        raise refusal_of(brought, host_of(server.url))
    form = {
        "grant_type": "authorization_code",
        "code": brought["code"],
        "redirect_uri": loopback.uri,
        "client_id": client_id,
        "code_verifier": verifier,
        "resource": server.url,
    }
    return received(await post_form(asking, server.token_endpoint, form))


def _address(server: Server, client_id: str, wish: Wish, redirect_uri: str, state: str, verifier: str) -> str:
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
        "resource": server.url,
        **wish.form,
    }
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{server.authorization_endpoint}?{query}"
