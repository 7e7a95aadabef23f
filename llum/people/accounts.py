"""Accounts of people, as the operator looks after them: links, administrators, who has one."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from identity.accounts.account import Account
from identity.accounts.links import LIFETIMES_S, Links, Purpose, come_back_address, sign_up_address
from identity.accounts.store import Accounts
from llum.failures import Fault
from llum.running import browser_url, find
from schemas.errors import Code, Refusal
from schemas.paths import check_token

if TYPE_CHECKING:
    from llum.client import Client
    from llum.settings import Settings


class MadeLink(NamedTuple):
    """A one-time link, and until when it is good."""

    link: str
    expires: float


def public_url_of(settings: "Settings") -> str:
    """Say where browsers reach llum. Raises a `Fault` where that is not known."""
    if settings.public_url is not None:
        return settings.public_url
    try:
        return browser_url(find(settings.data_dir).http)
    except Fault as fault:
        raise Fault("where browsers reach llum is not known", "Say it with --public-url or LLUM_PUBLIC_URL.") from fault


async def first_link(client: "Client", public_url: str) -> MadeLink:
    """Make the link by which the first person signs up as administrator; earlier ones end.

    Raises `already_exists` when there is an administrator.
    """
    admins = [one.user for one in await accounts_of(client).list() if one.admin]
    if admins:
        hint = "`llum admin account recover` lets them in again, `llum admin account make-administrator` makes another."
        raise Refusal(Code.ALREADY_EXISTS, f"there is an administrator: {', '.join(admins)}", None, hint)
    return await _made(client, "first", None, sign_up_address, public_url)


async def claim_link(client: "Client", user: str, public_url: str) -> MadeLink:
    """Make the link by which a person gets the model that is there. Raises `already_exists`, `no_such_model`."""
    if await accounts_of(client).find(check_token(user, "user")) is not None:
        hint = f"`llum admin account recover {user}` lets them in again."
        raise Refusal(Code.ALREADY_EXISTS, f"{user} has an account", "user", hint)
    await client.access(user)
    return await _made(client, "claim", user, sign_up_address, public_url)


async def recovery_link(client: "Client", user: str, public_url: str) -> MadeLink:
    """Make the link by which a person comes back to their account. Raises `bad_field`: there is none."""
    await _account(client, user)
    return await _made(client, "recover", user, come_back_address, public_url)


async def make_administrator(client: "Client", user: str) -> bool:
    """Make somebody an administrator; tell whether they were none before. Raises `bad_field`: there is no account."""
    was = (await _account(client, user)).admin
    await accounts_of(client).change(user, lambda one: msgspec.structs.replace(one, admin=True))
    return not was


def accounts_of(client: "Client") -> Accounts:
    return Accounts(client.bus, client.requests)


async def _account(client: "Client", user: str) -> Account:
    account = await accounts_of(client).find(check_token(user, "user"))
    if account is None:
        hint = f"`llum admin account list` shows who has one; `llum admin account invite {user}` lets them make one."
        raise Refusal(Code.BAD_FIELD, f"{user} has no account", "user", hint)
    return account


async def _made(
    client: "Client", purpose: Purpose, user: str | None, write: Callable[[str, str], str], public_url: str
) -> MadeLink:
    token = await Links(client.bus).make(purpose, user)
    return MadeLink(write(public_url, token), time.time() + LIFETIMES_S[purpose])
