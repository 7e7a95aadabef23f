"""Tokens of the apps of a person, as the command line makes, lists and revokes them."""

import time
from typing import TYPE_CHECKING, NamedTuple

from identity.authenticator import Authenticator
from identity.credentials import Credential, list_credentials, revoke
from identity.registrations import access
from llum.failures import Fault
from llum.people.apps import apps_of
from llum.people.sign_ins import SignIn
from schemas.app_names import app_id
from schemas.apps import check_app
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from llum.client import Client


class MadeToken(NamedTuple):
    """A new token, and whether its app is now an owner's that was none before."""

    token: str
    made_owner: bool


async def make_token(client: "Client", user: str, name: str, lifetime_s: float, *, owner: bool) -> MadeToken:
    """Make a token with the rights that the app has. With `owner` the app becomes an owner's first.

    Raises a `Fault` for an app that is not registered, `Refusal`, `Transient`.
    """
    app = check_app(app_id(name), "app")
    role = await _role(client, user, app)
    if owner and role != "owner":
        # Another replica may not have applied it yet, so nobody is asked again.
        registration = await apps_of(client, user).register(app, None, "owner")
    elif role is None:
        raise _unregistered(user, name)
    else:
        registration = (await access(client.requests, user, app)).registration
    tokens = Authenticator(client.bus, client.requests).tokens
    return MadeToken(await tokens.issue(user, app, registration, lifetime_s), owner and role != "owner")


async def sign_in_app(
    client: "Client", user: str, app: str, lifetime_s: float, earlier: SignIn | None = None
) -> SignIn:
    """Make a token for an app that is registered, to be kept on this machine.

    In place of an earlier one that is still good it goes on with the same sign-in: what is connected comes back by
    itself, at the same inbox. The earlier token ends. Raises `Refusal`, `Transient`, `ApiError`.
    """
    registration = (await access(client.requests, user, app)).registration
    authenticator = Authenticator(client.bus, client.requests)
    tokens = authenticator.tokens
    before = None if earlier is None else await authenticator.by_token(earlier.token)
    if before is None:
        token = await tokens.issue(user, app, registration, lifetime_s)
    else:
        token = await tokens.renew(before, lifetime_s)
        await revoke(authenticator, user, before.credential)
    return SignIn(user, app, token, time.time() + lifetime_s)


async def list_tokens(client: "Client", user: str) -> list[Credential]:
    """List tokens and passwords, the oldest first. Raises `Refusal`, `Transient`, `ApiError`."""
    return await list_credentials(Authenticator(client.bus, client.requests), user)


async def revoke_token(client: "Client", user: str, shown_id: str) -> Credential:
    """Revoke what the list shows under an id. Raises `bad_field` when there is no such, `Transient`, `ApiError`."""
    return await revoke(Authenticator(client.bus, client.requests), user, shown_id)


async def _role(client: "Client", user: str, app: str) -> str | None:
    """Give the role of an app; None if it is not registered."""
    try:
        return (await access(client.requests, user, app)).role
    except Refusal as refusal:
        if refusal.code is not Code.NO_SUCH_APP:
            raise
        return None


def _unregistered(user: str, name: str) -> Fault:
    hint = (
        f"Register it with `llum admin app add {user} {name}` and say what it may do with `llum admin app permit`, "
        "or make it an owner's with --owner."
    )
    return Fault(f"{name} is not an app of {user}", hint)
