"""Signing in by a short code (RFC 8628): the person types it into a browser, wherever that is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from llum.failures import Fault
from llum.oauth.asking import host_of, post_form
from llum.oauth.prompts import ShowPrompt, SignInPrompt
from llum.oauth.servers import Server
from llum.oauth.wishes import Received, Wish, received
from schemas.errors import Code, Refusal, Transient

if TYPE_CHECKING:
    from identity.issuers.fetching import Fetcher

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"

SLOWER_BY_S: Final = 5.0
"""Seconds that are added to the pause whenever the server asks for it, or does not answer (RFC 8628, 3.5)."""

SleepFor = Callable[[float], Awaitable[Any]]


class _Begun(msgspec.Struct, frozen=True):
    device_code: str
    user_code: str
    verification_uri: str
    expires_in: float
    verification_uri_complete: str = ""
    interval: float = 5.0


async def sign_in_by_code(
    asking: "Fetcher", server: Server, client_id: str, wish: Wish, show: ShowPrompt, sleep: SleepFor = asyncio.sleep
) -> Received:
    """Show a code, and wait until the person has decided. Raises `access_denied`, `expired_token`, `Fault`."""
    if not server.device_authorization_endpoint:
        raise Fault(f"{host_of(server.url)} lets no program in by a short code", "Sign in by a browser: --browser.")
    form = {"client_id": client_id, "resource": server.url, **wish.form}
    begun = _begun(await post_form(asking, server.device_authorization_endpoint, form))
    show(SignInPrompt(begun.verification_uri, begun.user_code, begun.verification_uri_complete))
    return received(await _polled(asking, server, client_id, begun, sleep))


async def _polled(asking: "Fetcher", server: Server, client_id: str, begun: _Begun, sleep: SleepFor) -> dict[str, Any]:
    form = {"grant_type": GRANT, "device_code": begun.device_code, "client_id": client_id}
    pause_s, waited_s = begun.interval, 0.0
    while waited_s < begun.expires_in:
        await sleep(pause_s)
        waited_s += pause_s
        try:
            return await post_form(asking, server.token_endpoint, form)
        except Transient as error:
            if error.code is not Code.AUTHORIZATION_PENDING:
                pause_s += SLOWER_BY_S
    raise Refusal(Code.EXPIRED_TOKEN, "the code has expired before anybody decided", None, "sign in again")


def _begun(members: dict[str, Any]) -> _Begun:
    try:
        return msgspec.convert(members, _Begun)
    except msgspec.ValidationError as error:
        raise Fault(f"the answer with the code cannot be read: {error}", "This llum may be newer: update.") from error
