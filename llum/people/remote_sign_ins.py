"""Sign-ins of this command line to an llum that somebody else runs, by OAuth 2: each for one person at one address."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from identity.oauth.built_in import COMMAND_LINE
from llum.failures import Fault
from llum.oauth.keeping import Kept, KeptSignIn
from llum.oauth.prompts import ShowPrompt, print_prompt
from llum.oauth.servers import place_of
from schemas.errors import Code, Refusal, Transient

if TYPE_CHECKING:
    from llum.client import Client
    from llum.oauth.signed_in import SignedIn
    from llum.oauth.signing_in import How

SCOPE: Final = "owner"
"""What the command line asks for: it is the person's own tool, and does what they could do in a browser."""

Result = TypeVar("Result")


def remote_command(user: str, url: str) -> str:
    """Write the command that signs in."""
    return f"llum sign-in {user} --at {url}"


async def sign_in_at(
    user: str, url: str, how: "How", scope: str = SCOPE, show: ShowPrompt = print_prompt
) -> "SignedIn":
    """Have a person decide that this command line speaks for them, and keep it. An earlier sign-in ends.

    Raises a `Fault` if somebody else than `user` has decided, and what `llum.sign_in` raises.
    """
    from llum.oauth.signed_in import SignedIn
    from llum.oauth.signing_in import ask_person, find_sign_in, keep_sign_in
    from llum.oauth.wishes import Wish

    asked = await ask_person(url, COMMAND_LINE, Wish(scope), how, user, show)
    if asked.kept.user != user:
        await SignedIn(asked.kept, asked.tokens, None).sign_out()
        hint = f"Sign in as them: `{remote_command(asked.kept.user, url)}`; or sign out in the browser, and try again."
        raise Fault(f"{asked.kept.user} has decided in the browser, and not {user}", hint)
    store = Kept()
    earlier = find_sign_in(store, asked.kept.name)
    await keep_sign_in(store, asked)
    if earlier is not None:
        await earlier.revoke()
    return SignedIn(asked.kept, asked.tokens, store)


def find_remote(user: str, url: str | None = None) -> KeptSignIn | None:
    """Give the sign-in of a person that is kept, at one address if it is named; None: there is none.

    Raises a `Fault` if there are several, or what is kept cannot be read.
    """
    kept = [one for one in Kept().all() if (one.client_id, one.account) == (COMMAND_LINE, user)]
    found = [one for one in kept if url is None or place_of(one.server.url) == place_of(url)]
    if len(found) > 1:
        places = ", ".join(one.server.url for one in found)
        hint = f"Sign out where you do not need it: `llum sign-out {user} --at {found[0].server.url}`."
        raise Fault(f"this command line speaks for {user} at several places: {places}", hint)
    return found[0] if found else None


async def with_remote(kept: KeptSignIn, bus: str | None, use: Callable[["Client"], Awaitable[Result]]) -> Result:
    """Run one function with a client that has signed in so. `bus` is its bus, where llum does not say that itself.

    Raises `invalid_grant` for one that has ended, with the command that signs in anew.
    """
    try:
        return await _with_client(_found(kept), bus, use)
    except Refusal as refusal:
        raise _explained(kept, refusal) from refusal


async def _with_client(signed_in: "SignedIn", bus: str | None, use: Callable[["Client"], Awaitable[Result]]) -> Result:
    try:
        async with signed_in.connect(bus, patience_s=None) as client:
            return await use(client)
    except Transient as error:
        if error.code is not Code.NOT_AUTHENTICATED:
            raise
        # The token is not taken: if the sign-in has ended, this says so.
        await signed_in.refresh()
        raise


async def sign_out_at(kept: KeptSignIn) -> bool:
    """Forget a sign-in, and revoke it; tell whether llum knows. Raises a `Fault`."""
    try:
        await _found(kept).sign_out()
    except Refusal as refusal:
        return refusal.code is Code.INVALID_GRANT
    except Transient:
        return False
    return True


def _found(kept: KeptSignIn) -> "SignedIn":
    from llum.oauth.signing_in import find_sign_in

    found = find_sign_in(Kept(), kept.name)
    if found is None:
        Kept().drop(kept)
        hint = f"Sign in again with `{remote_command(kept.account, kept.server.url)}`."
        raise Refusal(Code.INVALID_GRANT, f"the sign-in as {kept.account} is no longer kept here", None, hint)
    return found


def _explained(kept: KeptSignIn, refusal: Refusal) -> Refusal:
    if refusal.code is not Code.INVALID_GRANT:
        return refusal
    hint = f"Sign in again with `{remote_command(kept.account, kept.server.url)}`."
    message = f"the sign-in as {kept.account} at {kept.server.url} has ended: it was revoked, or not used for too long"
    return Refusal(Code.INVALID_GRANT, message, None, hint)
