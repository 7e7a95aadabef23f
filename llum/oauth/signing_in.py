"""Signing a program in: a sign-in that is kept, or else a new one that a person decides on."""

import asyncio
from collections.abc import Sequence
from typing import Literal, NamedTuple

from llum.oauth.asking import fetcher, get_json
from llum.oauth.by_browser import REDIRECT_URI, sign_in_by_browser
from llum.oauth.by_code import sign_in_by_code
from llum.oauth.keeping import Kept, KeptSignIn, name_of
from llum.oauth.prompts import ShowPrompt, has_browser, print_prompt
from llum.oauth.servers import checked_address, discover
from llum.oauth.signed_in import SignedIn
from llum.oauth.wishes import KeptTokens, Wish
from schemas.slices import Slice

How = Literal["auto", "browser", "device"]
"""By a browser on this machine, or by a short code that is typed elsewhere; auto: as this machine has it."""


async def sign_in(
    url: str,
    client_id: str,
    scope: str = "",
    slices: Sequence[Slice] = (),
    how: How = "auto",
    *,
    account: str = "",
    anew: bool = False,
    keep: bool = True,
    show: ShowPrompt = print_prompt,
    redirect_uri: str = REDIRECT_URI,
) -> SignedIn:
    """Sign a program in to the llum at an address, and give the sign-in.

    One that is kept on this machine is taken, unless `anew`: then the person is asked once more, for more, say.
    `account` tells several people of one program apart. `show` tells the person what to do. `keep`: whether the tokens
    are kept, in the keyring of the system or a file that only its user can read.

    Raises `access_denied` if the person refuses, `expired_token` if nobody decides, `invalid_scope` and other
    `Refusal`s, `Fault` where no llum is or it cannot be trusted, `Transient`.
    """
    store = Kept() if keep else None
    if store is not None and not anew:
        found = await asyncio.to_thread(find_sign_in, store, name_of(checked_address(url), client_id, account))
        if found is not None:
            return found
    asked = await ask_person(url, client_id, Wish(scope, list(slices)), how, account, show, redirect_uri)
    if store is not None:
        await keep_sign_in(store, asked)
    return SignedIn(asked.kept, asked.tokens, store)


class AskedPerson(NamedTuple):
    """What has come of asking a person."""

    kept: KeptSignIn
    tokens: KeptTokens


async def ask_person(
    url: str,
    client_id: str,
    wish: Wish,
    how: How,
    account: str = "",
    show: ShowPrompt = print_prompt,
    redirect_uri: str = REDIRECT_URI,
) -> AskedPerson:
    """Have a person decide, and keep nothing yet. Raises as `sign_in`."""
    asking = fetcher()
    try:
        server = await discover(asking, url)
        if how == "browser" or (how == "auto" and has_browser()):
            given = await sign_in_by_browser(asking, server, client_id, wish, show, redirect_uri)
        else:
            given = await sign_in_by_code(asking, server, client_id, wish, show)
        about = await get_json(asking, f"{server.url}/me", given.tokens.access_token)
    finally:
        await asking.close()
    kept = KeptSignIn(server, client_id, account, str(about.get("user", "")), given.granted)
    return AskedPerson(kept, given.tokens)


async def keep_sign_in(store: Kept, asked: AskedPerson) -> None:
    """Keep a sign-in in place of an earlier one. Raises `Fault`."""
    async with store.locked(asked.kept.name):
        await asyncio.to_thread(store.keep, asked.kept, asked.tokens)


def find_sign_in(store: Kept, name: str) -> SignedIn | None:
    """Give a sign-in that is kept with its tokens; None: there is none. Raises `Fault`. It may block."""
    kept = store.find(name)
    tokens = None if kept is None else store.tokens(kept)
    return None if kept is None or tokens is None else SignedIn(kept, tokens, store)
